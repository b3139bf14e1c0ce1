//! Heads that hyper refuses although nothing is wrong with them but a cursor.
//!
//! An ID may hold control characters in an event stream, and a browser sends it back as it is, to whatever is at its URL by
//! then. hyper refuses such a head, and an EventSource that is refused is closed for good. So a head that hyper is about to
//! refuse is given to it once more, with a cursor that no publisher can have chosen: a gap, and the stream goes on.
use bytes::{Bytes, BytesMut};

const FIELD: &[u8] = b"last-event-id:";
/// U+0080, which is a control character itself, but none that HTTP minds.
const INSTEAD: &[u8] = "\u{80}".as_bytes();

/// The same head, if there is something to repair, with other control characters in its cursors. CR and NUL stay, and are refused: to another server on the way a
/// field may have ended with them ([RFC 9110, 5.5](https://www.rfc-editor.org/rfc/rfc9110#section-5.5)).
pub(super) fn repair(head: &Bytes) -> Option<BytesMut> {
    let mut repaired = BytesMut::with_capacity(head.len());
    let mut in_head = true;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        in_head &= !matches!(line, b"\n" | b"\r\n");
        match line.split_at_checked(FIELD.len()) {
            Some((name, value)) if in_head && name.eq_ignore_ascii_case(FIELD) => {
                repaired.extend_from_slice(name);
                for &byte in value {
                    let minds = byte.is_ascii_control() && !matches!(byte, b'\0' | b'\t' | b'\r' | b'\n');
                    repaired.extend_from_slice(if minds { INSTEAD } else { std::slice::from_ref(&byte) });
                }
            }
            _ => repaired.extend_from_slice(line),
        }
    }
    (repaired != *head).then_some(repaired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cursor_is_changed() {
        for (head, expected) in [
            (
                "GET / HTTP/1.1\r\nLast-Event-ID: a\u{c}b\r\n\r\n",
                Some("GET / HTTP/1.1\r\nLast-Event-ID: a\u{80}b\r\n\r\n"),
            ),
            ("X: \u{1}\nlast-event-id:\u{7f}\t\nX: \u{c}\n\n", Some("X: \u{1}\nlast-event-id:\u{80}\t\nX: \u{c}\n\n")),
            ("GET / HTTP/1.1\r\nLast-Event-ID: a\0\rb\r\n", None),
            ("X: 1\r\n\r\nLast-Event-ID: \u{1}\r\n", None),
            ("Last-Event-ID", None),
            ("", None),
        ] {
            let repaired = repair(&Bytes::from_static(head.as_bytes()));
            assert_eq!(repaired.as_deref(), expected.map(str::as_bytes), "{head:?}");
        }
    }
}
