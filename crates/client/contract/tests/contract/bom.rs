//! "BOM": one byte order mark at the beginning of a stream is not part of its text.
use crate::harness::{Case, Message, check, comment, data};

const BOM: &str = "\u{FEFF}";

#[tokio::test]
async fn bom() {
    let after_bom = |name, rest, expected: &[Message]| Case::new(name, &[format!("{BOM}{rest}")], expected);
    let cases = vec![
        after_bom("BOM at start of stream is stripped", "data: Hello\n\n", &[data("Hello")]),
        after_bom(
            "BOM stripped before first event with type and ID",
            "event: greeting\nid: abc\ndata: Hello\n\n",
            &[data("Hello").with_type("greeting").with_id("abc")],
        ),
        after_bom(
            "BOM stripped with multiple messages",
            "data: First\n\ndata: Second\n\n",
            &[data("First"), data("Second")],
        ),
        Case::new(
            "BOM only stripped at stream start, not from later data",
            &["data: First\n\n", "data: \u{FEFF}Second\n\n"],
            &[data("First"), data("\u{FEFF}Second")],
        ),
        Case::new("BOM split across first two chunks", &[&b"\xEF\xBB"[..], b"\xBFdata: Hello\n\n"], &[data("Hello")]),
        Case::new(
            "BOM split byte by byte across chunks",
            &[&b"\xEF"[..], b"\xBB", b"\xBF", b"data: Hello\n\n"],
            &[data("Hello")],
        ),
        after_bom("only first BOM at start is stripped", "data: \u{FEFF}Hello\n\n", &[data("\u{FEFF}Hello")]),
        Case::new("no BOM - baseline test", &["data: Hello\n\n"], &[data("Hello")]),
        after_bom("BOM with multi-line data", "data: Line1\ndata: Line2\n\n", &[data("Line1\nLine2")]),
        after_bom("BOM with comment at start", ":comment\ndata: Hello\n\n", &[comment("comment"), data("Hello")]),
        after_bom("BOM does not affect empty data field", "data:\n\n", &[data("")]),
    ];
    check(cases).await;
}
