//! Heads that hyper refuses although nothing is wrong with them but a cursor.
//!
//! An ID may hold control characters in an event stream, and a browser sends it back as it is, to whatever is at its URL by
//! then. hyper refuses such a head, and an EventSource that is refused is closed for good. So a head that hyper is about to
//! refuse is given to it once more, with a cursor that no publisher can have chosen: a gap, and the stream goes on.
use bytes::{Bytes, BytesMut};

const FIELD: &[u8] = b"last-event-id:";
/// U+0080 in Latin-1: a control character that HTTP allows and no ID may hold. One byte, so that a head does not grow.
const INSTEAD: u8 = 0x80;

/// The same head, if there is something to repair, with other control characters in its cursors. `head` has to begin where
/// the head begins. CR and NUL stay, and are refused: to another server on the way a field may have ended with them ([RFC 9110, 5.5](https://www.rfc-editor.org/rfc/rfc9110#section-5.5)).
pub(super) fn repair(head: &Bytes) -> Option<BytesMut> {
    let mut repaired = BytesMut::with_capacity(head.len());
    let mut in_head = true;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        in_head &= !matches!(line, b"\n" | b"\r\n");
        match line.split_at_checked(FIELD.len()) {
            Some((name, value)) if in_head && name.eq_ignore_ascii_case(FIELD) => {
                repaired.extend_from_slice(name);
                let is_refused = |byte: u8| byte.is_ascii_control() && !matches!(byte, b'\0' | b'\t' | b'\r' | b'\n');
                repaired.extend(value.iter().map(|&byte| if is_refused(byte) { INSTEAD } else { byte }));
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
        let cases: [(&[u8], Option<&[u8]>); 6] = [
            (
                b"GET / HTTP/1.1\r\nLast-Event-ID: a\x0cb\r\n\r\n",
                Some(b"GET / HTTP/1.1\r\nLast-Event-ID: a\x80b\r\n\r\n"),
            ),
            (b"X: \x01\nlast-event-id:\x7f\t\nX: \x0c\n\n", Some(b"X: \x01\nlast-event-id:\x80\t\nX: \x0c\n\n")),
            (b"GET / HTTP/1.1\r\nLast-Event-ID: a\0\rb\r\n", None),
            (b"X: 1\r\n\r\nLast-Event-ID: \x01\r\n", None),
            (b"Last-Event-ID", None),
            (b"", None),
        ];
        for (head, expected) in cases {
            let repaired = repair(&Bytes::from_static(head));
            assert_eq!(repaired.as_deref(), expected, "{head:?}");
        }
    }
}
