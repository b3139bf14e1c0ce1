//! The encoder's duties, byte for byte.
use fanfare_event_stream::{Event, EventId, EventType, Fields, encode_comment};

fn encoded(fields: Fields<'_>) -> String {
    let mut out = Vec::new();
    fields.encode_into(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

/// One `data` line per line, split on CR, LF and CRLF; empty data is one empty line; always a space; never a byte order
/// mark; a blank line at the end.
#[test]
fn data() {
    for (data, expected) in [
        ("", "data: \n\n"),
        ("a", "data: a\n\n"),
        (" a", "data:  a\n\n"),
        ("a\nb", "data: a\ndata: b\n\n"),
        ("a\rb", "data: a\ndata: b\n\n"),
        ("a\r\nb", "data: a\ndata: b\n\n"),
        ("a\n\rb", "data: a\ndata: \ndata: b\n\n"),
        ("a\r\r\nb", "data: a\ndata: \ndata: b\n\n"),
        ("\n", "data: \ndata: \n\n"),
        ("a\r\n", "data: a\ndata: \n\n"),
        ("a\rdata: b\n\nid: c", "data: a\ndata: data: b\ndata: \ndata: id: c\n\n"),
        ("\u{feff}a", "data: \u{feff}a\n\n"),
        ("a\u{2028}b\u{85}c", "data: a\u{2028}b\u{85}c\n\n"),
    ] {
        assert_eq!(encoded(Fields { data, ..Fields::default() }), expected, "{data:?}");
    }
}

/// `event`, `retry`, `id`, `data`, in this order; `retry` in digits.
#[test]
fn fields() {
    let (event_type, id) = (EventType::new(" t").expect("a type"), EventId::new("").expect("an ID"));
    let fields = Fields { event_type: Some(&event_type), retry_ms: Some(0), id: Some(&id), data: "d" };
    assert_eq!(encoded(fields), "event:  t\nretry: 0\nid: \ndata: d\n\n");
    for retry_ms in [0, 9, 10, 3000, u64::MAX] {
        let expected = format!("retry: {retry_ms}\ndata: \n\n");
        assert_eq!(encoded(Fields { retry_ms: Some(retry_ms), ..Fields::default() }), expected);
    }
    let event = Event { event_type: Some(event_type), id: Some(id), retry_ms: Some(0), data: "d".to_owned() };
    let mut out = b"kept".to_vec();
    event.encode_into(&mut out);
    assert_eq!(out, b"keptevent:  t\nretry: 0\nid: \ndata: d\n\n");
}

/// No CR or LF in a type, no CR, LF or NUL in an ID: neither can be made.
#[test]
fn what_a_field_cannot_carry_cannot_be_made() {
    assert!(EventType::new("a\nb").is_err() && EventType::new("a\rb").is_err());
    assert!(EventId::new("a\nb").is_err() && EventId::new("a\rb").is_err() && EventId::new("a\0b").is_err());
}

/// A colon before every line of a comment.
#[test]
fn comments() {
    for (text, expected) in [
        ("", ":\n\n"),
        ("a", ": a\n\n"),
        (" a", ":  a\n\n"),
        ("a\r\nb\r\nc\n", ": a\n: b\n: c\n:\n\n"),
        ("a\rdata: b", ": a\n: data: b\n\n"),
    ] {
        let mut out = Vec::new();
        encode_comment(text, &mut out);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected, "{text:?}");
    }
}

/// Nothing is allocated but the room that `out` lacks.
#[test]
fn room_in_the_buffer_is_used() {
    let mut out = Vec::with_capacity(64);
    let room = out.as_ptr();
    Fields { retry_ms: Some(3000), data: "a\nb\r\nc", ..Fields::default() }.encode_into(&mut out);
    encode_comment("a\nb", &mut out);
    assert_eq!((out.as_ptr(), out.capacity()), (room, 64));
}
