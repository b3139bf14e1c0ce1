//! The escaping of characters in a request's query that its client should have escaped.
//!
//! hyper refuses a request target with bytes that no URL may have, and an EventSource never reconnects after a refusal.
//! hyper also reads a `#` as the end of the target. But the hub's event IDs begin with `#`, so a client that does not
//! escape this character would silently lose its cursor. So a `#` at the start of a value, and the bytes that no URL
//! may have, are escaped before hyper sees them (tested by `a_cursor_that_was_not_escaped_is_a_place_as_well`).
use std::borrow::Cow;

/// The part of a request's first line to which the next byte belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Next {
    #[default]
    Path,
    Query,
    /// The first byte of a value in the query. This is the only byte at which a `#` is escaped.
    Value,
    /// The bytes after the first line.
    Other,
}

impl Next {
    /// Returns the next bytes of a request's head, in which the characters of the query are escaped that the client
    /// should have escaped. White space is not escaped: servers differ on where a target with white space ends, so
    /// hyper must refuse such a target ([RFC 9112, 3](https://www.rfc-editor.org/rfc/rfc9112#section-3)). NUL, and
    /// bytes after the first line, are not escaped either.
    pub(super) fn escape<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        // Nearly all requests have no query. Their heads need no escaping and are returned unchanged.
        if *self == Self::Path && !bytes.contains(&b'?') {
            if bytes.contains(&b'\n') {
                *self = Self::Other;
            }
            return Cow::Borrowed(bytes);
        }
        let mut escaped: Option<Vec<u8>> = None;
        for (index, &byte) in bytes.iter().enumerate() {
            if *self == Self::Other {
                if let Some(escaped) = &mut escaped {
                    escaped.extend_from_slice(&bytes[index..]);
                }
                break;
            }
            if self.is_escaped(byte) {
                let escaped = escaped.get_or_insert_with(|| bytes[..index].to_vec());
                escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
            } else if let Some(escaped) = &mut escaped {
                escaped.push(byte);
            }
            self.goes_on(byte);
        }
        escaped.map_or(Cow::Borrowed(bytes), Cow::Owned)
    }

    fn is_escaped(self, byte: u8) -> bool {
        match byte {
            b'#' => self == Self::Value,
            b'\0' | b'\t' | b'\r' | b'\n' => false,
            b'"' | b'<' | b'>' | ..b' ' | 0x7f.. => matches!(self, Self::Query | Self::Value),
            _ => false,
        }
    }

    fn goes_on(&mut self, byte: u8) {
        *self = match (*self, byte) {
            (_, b'\n') => Self::Other,
            (Self::Path, b'?') => Self::Query,
            (Self::Query | Self::Value, b'=') => Self::Value,
            // A space ends the target. The HTTP version follows, in which nothing is escaped, as in a path.
            (Self::Query | Self::Value, b' ') => Self::Path,
            (Self::Value, _) => Self::Query,
            (next, _) => next,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [(&[u8], &[u8]); 9] = [
        (b"GET /?last-event-id=#a-1 HTTP/1.1\r\n", b"GET /?last-event-id=%23a-1 HTTP/1.1\r\n"),
        (b"GET /?a=#1&b=#2\nX: ?=#\xe9\n", b"GET /?a=%231&b=%232\nX: ?=#\xe9\n"),
        (b"GET /?a==##=# HTTP/1.1", b"GET /?a==%23#=%23 HTTP/1.1"),
        (b"GET /?a=1#b HTTP/1.1\r\n", b"GET /?a=1#b HTTP/1.1\r\n"),
        (b"GET /?a\xe9\"<\x01>\x7f='\xff HTTP/1.1\r\n\r\n", b"GET /?a%E9%22%3C%01%3E%7F='%FF HTTP/1.1\r\n\r\n"),
        (b"GET /\xe9\x01\"=#?\xe9 \xe9?\xe9\n", b"GET /\xe9\x01\"=#?%E9 \xe9?%E9\n"),
        (b"GET /?id=a b\t\0{}|;[\\]^`/?!$%~ HTTP/1.1\r\n", b"GET /?id=a b\t\0{}|;[\\]^`/?!$%~ HTTP/1.1\r\n"),
        (b"GET / HTTP/1.1\r\n=#?=#", b"GET / HTTP/1.1\r\n=#?=#"),
        (b"", b""),
    ];

    #[test]
    fn what_no_query_may_hold_is_escaped_however_it_comes() {
        for (head, expected) in CASES {
            for cut in 0..=head.len() {
                let mut next = Next::default();
                let came = [&head[..cut], &head[cut..]].map(|piece| next.escape(piece).into_owned()).concat();
                assert_eq!(came, expected, "{:?} in pieces of {cut} and more", String::from_utf8_lossy(head));
            }
        }
    }

    #[test]
    fn what_is_escaped_as_it_should_be_is_not_copied() {
        for head in [&b"GET /?a=%23b&c=d+e HTTP/1.1\r\nX: \"\xff\"\r\n\r\n"[..], b"POST / HTTP/1.1\r\n\r\n\"<>"] {
            assert!(matches!(Next::default().escape(head), Cow::Borrowed(same) if same == head));
        }
    }
}
