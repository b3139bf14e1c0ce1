//! Heads that hyper refuses although nothing is wrong with them but a cursor.
//!
//! An ID may hold control characters in an event stream, and a browser sends it back as it is, to whatever is at its
//! URL by then. hyper refuses such a head, and an EventSource that is refused is closed for good. So a head that hyper
//! is about to refuse is given to it once more, with a cursor that no publisher can have chosen: a gap, and the stream
//! goes on.
//!
//! This rests on properties of hyper. Each is pinned by the tests in brackets:
//!
//! - hyper refuses a head by itself, before the service is called, and begins to write its answer of `400` when
//!   everything before it is out (`no_cursor_is_an_error_status`, `heads_that_are_none_are_refused`).
//! - A head that hyper cannot read stays in its buffer, from the first byte on; so does what came with it. That is told
//!   from a head that hyper took out of its buffer by the number of bytes that were read since the head began
//!   (`the_body_of_a_refused_request_is_no_request`).
//! - A head that is larger than the limit is 431 and not 400 (`a_head_that_is_too_large_is_refused`,
//!   `a_cursor_may_be_nearly_as_long_as_a_head`).
//! - Without keep-alive hyper answers one request, says `Connection: close` and reads no other
//!   (`odd_cursors_are_no_error_however_often_they_come`, `a_cursor_with_a_line_end_in_it_smuggles_nothing`).
use bytes::{Bytes, BytesMut};

const FIELD: &[u8] = b"last-event-id:";
/// The first bytes of requests that can have a cursor.
const SUBSCRIBING: [&[u8]; 3] = [b"GET ", b"HEAD ", b"QUERY "];
/// U+0080 in Latin-1: a control character that HTTP allows and no ID may hold. One byte, so that a head does not grow.
const INSTEAD: u8 = 0x80;

/// Returns the same head with other control characters in its cursors, or `None` if there is nothing to repair. `head`
/// has to begin where the head begins.
///
/// NUL and a CR that ends no line are replaced as well, which [RFC 9110,
/// 5.5](https://www.rfc-editor.org/rfc/rfc9110#section-5.5) asks of those who do not refuse them: to another server on
/// the way the field may have ended there. They are replaced only in requests that subscribe, which publish nothing
/// whatever another server took them for; and the connection ends with the answer, so that nothing that another server
/// took for a body is read as a request.
pub(super) fn repair(head: &Bytes) -> Option<BytesMut> {
    let subscribes = SUBSCRIBING.iter().any(|method| head.starts_with(method));
    let mut repaired = BytesMut::with_capacity(head.len());
    let mut in_head = true;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        in_head &= !matches!(line, b"\n" | b"\r\n");
        match line.split_at_checked(FIELD.len()) {
            Some((name, value)) if in_head && name.eq_ignore_ascii_case(FIELD) => {
                repaired.extend_from_slice(name);
                // The last one is half a line break of which the rest has not come.
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
