//! "linefeeds": the three kinds of line endings, wherever the stream is cut into pieces.
use crate::harness::{Case, Message, check, data};

#[tokio::test]
async fn lf_separator() {
    check(cases("LF separator", "\n")).await;
}

#[tokio::test]
async fn crlf_separator() {
    check(cases("CRLF separator", "\r\n")).await;
}

#[tokio::test]
async fn cr_separator() {
    check(cases("CR separator", "\r")).await;
}

#[tokio::test]
async fn crlf_where_cr_is_end_of_1_chunk() {
    let chunks = ["data: Hello\r", "\ndata: World\r", "\n\r\ndata: OK\r", "\n", "\r", "\n"];
    let expected = [data("Hello\nWorld"), data("OK")];
    check(vec![Case::new("CRLF where CR is end of 1 chunk", &chunks, &expected)]).await;
}

/// Returns a case for each stream as a whole, and cases for it in pieces.
fn cases(separator: &str, end: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, stream, expected) in streams() {
        let stream = stream.replace('\n', end);
        let name = |how| format!("{separator}/{name}/{how}");
        cases.push(Case::new(name("one chunk"), &[&stream], &expected));
        cases.push(Case::in_pieces(name("1-character chunks"), &stream, 1, &expected));
        cases.push(Case::in_pieces(name("2-character chunks"), &stream, 2, &expected));
    }
    cases
}

/// Returns streams whose lines end in LF, each with its name and the messages that it makes.
fn streams() -> [(&'static str, &'static str, Vec<Message>); 6] {
    let two = || vec![data("event 1"), data("event 2")];
    [
        ("one-line event", "data: event 1\n\n", vec![data("event 1")]),
        (
            "one-line event + two-line event",
            "data: event 1\n\ndata: event 2 line 1\ndata: event 2 line 2\n\n",
            vec![data("event 1"), data("event 2 line 1\nevent 2 line 2")],
        ),
        (
            "3-line event with empty line at beginning",
            "data:\ndata: line2\ndata: line3\n\n",
            vec![data("\nline2\nline3")],
        ),
        ("3-line event with empty line in middle", "data: line1\ndata:\ndata: line3\n\n", vec![data("line1\n\nline3")]),
        ("ignores 1 extra empty line", "data: event 1\n\n\ndata: event 2\n\n", two()),
        ("ignores 2 extra empty lines", "data: event 1\n\n\n\ndata: event 2\n\n", two()),
    ]
}
