//! "comments": a comment is reported as soon as its line ends, without a blank line.
use crate::harness::{Case, check, comment, data};

#[tokio::test]
async fn comments() {
    let cases = vec![
        Case::new("single comment", &[":Hello\n"], &[comment("Hello")]),
        Case::new("two comments in a row", &[":Hello\n", ":World\n"], &[comment("Hello"), comment("World")]),
        Case::new("comment before event", &[":Hello\n", "data: Hello\n\n"], &[comment("Hello"), data("Hello")]),
        Case::new("comment after event", &["data: Hello\n\n", ":Hello\n"], &[data("Hello"), comment("Hello")]),
    ];
    check(cases).await;
}
