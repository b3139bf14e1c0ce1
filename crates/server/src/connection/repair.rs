//! The repair of request heads that hyper refuses only because of control characters in their cursor (`Last-Event-ID`).
//!
//! In an event stream, an ID may hold control characters. A browser sends such an ID back unchanged, perhaps to this
//! hub after another server that had the same URL. hyper refuses a head with such an ID, and an EventSource never
//! reconnects after a refusal. So if hyper is about to refuse a head, this module replaces the cursor in it by one that
//! no publisher can have chosen, and gives the head to hyper once more. The hub does not find this cursor in the log.
//! So it tells the subscriber of a gap, and the stream begins after the gap.
//!
//! The repair relies on properties of hyper. The tests whose names are in brackets check these properties:
//!
//! - hyper refuses a head by itself, before the service is called, and begins to write its `400` answer when all
//!   earlier answers have been sent (`no_cursor_is_an_error_status`, `heads_that_are_none_are_refused`).
//! - A head that hyper cannot read stays in hyper's buffer, from the first byte on, together with the bytes that
//!   followed it. A head that hyper has removed from its buffer can be recognized by the number of bytes that were read
//!   since the head began (`the_body_of_a_refused_request_is_no_request`).
//! - A head that is larger than the limit is answered with 431 and not 400 (`a_head_that_is_too_large_is_refused`,
//!   `a_cursor_may_be_nearly_as_long_as_a_head`).
//! - Without keep-alive hyper answers one request, sends `Connection: close` and reads no further request
//!   (`odd_cursors_are_no_error_however_often_they_come`, `a_cursor_with_a_line_end_in_it_smuggles_nothing`).
use bytes::{Bytes, BytesMut};

const FIELD: &[u8] = b"last-event-id:";
/// The first bytes of the requests that can have a cursor.
const SUBSCRIBING: [&[u8]; 3] = [b"GET ", b"HEAD ", b"QUERY "];
/// The byte that replaces a control character. In Latin-1 it is U+0080, a control character that HTTP allows and that
/// no ID of the hub may hold. One byte replaces one byte, so that a head does not grow.
const INSTEAD: u8 = 0x80;

/// Returns the request head `head` with the control characters in its cursors replaced, or `None` if there is nothing
/// to repair. `head` must start at the first byte of the request.
///
/// NUL, and a CR that does not end a line, are replaced too. [RFC 9110,
/// 5.5](https://www.rfc-editor.org/rfc/rfc9110#section-5.5) requires this of servers that accept such a field: another
/// server on the way may have read these characters as the end of the field. They are replaced only in requests that
/// subscribe, because such requests publish nothing, however another server has read them. The connection ends after
/// the answer. So if another server has read some bytes as a body, this hub never reads them as a request.
pub(super) fn repair(head: &Bytes) -> Option<BytesMut> {
    let subscribes = SUBSCRIBING.iter().any(|method| head.starts_with(method));
    let mut repaired = BytesMut::with_capacity(head.len());
    let mut in_head = true;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        in_head &= !matches!(line, b"\n" | b"\r\n");
        match line.split_at_checked(FIELD.len()) {
            Some((name, value)) if in_head && name.eq_ignore_ascii_case(FIELD) => {
                repaired.extend_from_slice(name);
                // A CR at the end of the bytes may be the first half of a line break whose second half has not arrived.
                let mut ends = [&b"\r\n"[..], b"\n", b"\r"].into_iter();
                let end = ends.find(|end| value.ends_with(end)).unwrap_or_default();
                let text = &value[..value.len() - end.len()];
                let is_replaced = |byte: u8| match byte {
                    b'\0' | b'\r' => subscribes,
                    byte => byte.is_ascii_control() && byte != b'\t',
                };
                repaired.extend(text.iter().map(|&byte| if is_replaced(byte) { INSTEAD } else { byte }));
                repaired.extend_from_slice(end);
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
        let cases: [(&[u8], Option<&[u8]>); 11] = [
            (
                b"GET / HTTP/1.1\r\nLast-Event-ID: a\x0cb\r\n\r\n",
                Some(b"GET / HTTP/1.1\r\nLast-Event-ID: a\x80b\r\n\r\n"),
            ),
            (b"X: \x01\nlast-event-id:\x7f\t\nX: \x0c\n\n", Some(b"X: \x01\nlast-event-id:\x80\t\nX: \x0c\n\n")),
            (
                b"GET / HTTP/1.1\r\nLast-Event-ID: a\0\rb\r\r\nX: \r\n\r\n",
                Some(b"GET / HTTP/1.1\r\nLast-Event-ID: a\x80\x80b\x80\r\nX: \r\n\r\n"),
            ),
            (b"QUERY / HTTP/1.1\nLast-Event-ID: \r1\n\n\r", Some(b"QUERY / HTTP/1.1\nLast-Event-ID: \x801\n\n\r")),
            (b"GET / HTTP/1.1\r\nLast-Event-ID: a\r", None),
            (b"POST / HTTP/1.1\r\nLast-Event-ID: a\0\rb\r\n\r\n", None),
            (b"GET / HTTP/1.1\r\nX: \rLast-Event-ID: \x01\r\n\r\n", None),
            (b"GET / HTTP/1.1\r\nLast-Event-ID: a\r\n\r\nLast-Event-ID: \r\r\n\r\n", None),
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
