//! The framing of a stream: how the end of each event is marked in the body of an HTTP response.
//!
//! With chunks, a client can tell a stream that the hub has ended from one that broke off: only the former has a last
//! chunk. The events are framed when they are encoded, once for all subscribers that get the same bytes, so nothing has
//! to be added when they are sent.
use std::io::Write as _;

/// The framing of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Framing {
    /// The events follow each other. The body ends with its connection (HTTP/1.0), or another layer frames it.
    #[default]
    Plain,
    /// The chunked transfer coding of HTTP/1.1 ([RFC 9112, 7.1]): each event is one chunk.
    ///
    /// [RFC 9112, 7.1]: https://www.rfc-editor.org/rfc/rfc9112#section-7.1
    Chunked,
}

/// The end of each chunk.
pub(crate) const CHUNK_END: &[u8] = b"\r\n";

impl Framing {
    /// Appends to `out` what `encode` appends to it, framed. If `encode` appends nothing, nothing is framed: a chunk
    /// without data would end the body.
    pub fn frame(self, out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
        let begin = out.len();
        encode(out);
        let length = out.len() - begin;
        if self == Self::Chunked && length > 0 {
            out.splice(begin..begin, chunk_head(length));
            out.extend_from_slice(CHUNK_END);
        }
    }

    /// The bytes after the last event of a stream that the hub ends.
    #[must_use]
    pub fn end(self) -> &'static [u8] {
        match self {
            Self::Plain => b"",
            Self::Chunked => b"0\r\n\r\n",
        }
    }
}

/// Returns the head of a chunk with `length` bytes of data.
pub(crate) fn chunk_head(length: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(10);
    // Writing to memory cannot fail.
    _ = write!(head, "{length:x}\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_one_chunk_and_nothing_is_none() {
        let framed = |framing: Framing, text: &str| {
            let mut out = b"before ".to_vec();
            framing.frame(&mut out, |out| out.extend_from_slice(text.as_bytes()));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(framed(Framing::Plain, "data"), "before data");
        assert_eq!(framed(Framing::Chunked, ""), "before ");
        assert_eq!(framed(Framing::Chunked, "data"), "before 4\r\ndata\r\n");
        assert_eq!(framed(Framing::Chunked, &"x".repeat(16)), format!("before 10\r\n{}\r\n", "x".repeat(16)));
        assert_eq!(framed(Framing::Chunked, &"x".repeat(0xabc)), format!("before abc\r\n{}\r\n", "x".repeat(0xabc)));
    }
}
