//! The answer to a subscriber: a head, then a body that continues until one side closes, with or without chunks ([RFC
//! 9112, 7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1)).
use std::{io, mem};

/// The largest head of a response, in bytes.
const MAX_HEAD_BYTES: usize = 8 << 10;
const EVENT_STREAM: &str = "text/event-stream";

/// A parser that extracts the body from a response that arrives in pieces.
#[derive(Debug)]
pub struct Response {
    state: State,
}

#[derive(Debug)]
enum State {
    /// The head is not complete; these bytes of it have been received.
    Head(Vec<u8>),
    /// The head is complete, and all bytes after it are the body.
    Bare,
    /// The next bytes belong to the line that begins a chunk: `size` is the size that was read so far, and `extension`
    /// is true if an extension has begun.
    ChunkSize { size: u64, extension: bool },
    /// The next bytes belong to a chunk, of which this many bytes have not arrived yet.
    Chunk(u64),
    /// The next bytes are the line end after a chunk.
    ChunkEnd,
}

impl Default for Response {
    fn default() -> Self {
        Self { state: State::Head(Vec::new()) }
    }
}

impl Response {
    /// Returns true if the whole head has been received.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        !matches!(self.state, State::Head(_))
    }

    /// Returns the next piece of the body in `rest`, and moves `rest` to the bytes after it; `None` when `rest` is
    /// empty.
    ///
    /// # Errors
    /// If the status is not 200, the content is not an event stream, the head is too long, or the chunks are malformed.
    /// The chunk that ends the body is an error too, because a subscriber expects a stream without an end.
    pub fn next_piece<'b>(&mut self, rest: &mut &'b [u8]) -> io::Result<Option<&'b [u8]>> {
        while !rest.is_empty() {
            match &mut self.state {
                State::Head(head) => {
                    let end = begin_body(head, rest)?;
                    *rest = &rest[end..];
                    if head.ends_with(b"\r\n\r\n") {
                        self.state = framing(&mem::take(head))?;
                    }
                }
                State::Bare => return Ok(Some(mem::take(rest))),
                State::ChunkSize { .. } | State::ChunkEnd => {
                    self.state = self.state.after(rest[0])?;
                    *rest = &rest[1..];
                }
                State::Chunk(left) => {
                    let end = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    let (piece, after) = rest.split_at(end);
                    *left -= end as u64;
                    if *left == 0 {
                        self.state = State::ChunkEnd;
                    }
                    *rest = after;
                    return Ok(Some(piece));
                }
            }
        }
        Ok(None)
    }
}

impl State {
    /// Returns the state after `byte`, one of the bytes between the contents of two chunks.
    fn after(&self, byte: u8) -> io::Result<Self> {
        let malformed = || io::Error::new(io::ErrorKind::InvalidData, "the chunks are malformed");
        match (self, byte) {
            (Self::ChunkEnd, b'\r') => Ok(Self::ChunkEnd),
            (Self::ChunkEnd, b'\n') => Ok(Self::ChunkSize { size: 0, extension: false }),
            (Self::ChunkSize { size: 0, .. }, b'\n') => Err(io::ErrorKind::UnexpectedEof.into()),
            (&Self::ChunkSize { size, .. }, b'\n') => Ok(Self::Chunk(size)),
            (&Self::ChunkSize { size, extension }, byte) if extension || matches!(byte, b';' | b' ' | b'\r') => {
                Ok(Self::ChunkSize { size, extension: true })
            }
            (&Self::ChunkSize { size, .. }, byte) => {
                let digit = char::from(byte).to_digit(16).ok_or_else(malformed)?;
                let size = size.checked_mul(16).ok_or_else(malformed)? + u64::from(digit);
                Ok(Self::ChunkSize { size, extension: false })
            }
            _ => Err(malformed()),
        }
    }
}

/// Appends to `head` the beginning of `bytes` that belongs to the head, and returns the number of these bytes.
fn begin_body(head: &mut Vec<u8>, bytes: &[u8]) -> io::Result<usize> {
    for (index, byte) in bytes.iter().enumerate() {
        head.push(*byte);
        if head.ends_with(b"\r\n\r\n") {
            return Ok(index + 1);
        }
    }
    if head.len() > MAX_HEAD_BYTES {
        Err(io::Error::other("the head of the answer is too long"))
    } else {
        Ok(bytes.len())
    }
}

/// Checks the status and the content type in a whole head, and returns the state in which the body begins.
fn framing(head: &[u8]) -> io::Result<State> {
    let head = String::from_utf8_lossy(head);
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(io::Error::other(status.to_owned()));
    }
    let field = |name: &str| {
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let media_type = field("content-type").unwrap_or("missing");
    if !media_type.get(..EVENT_STREAM.len()).is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM)) {
        return Err(io::Error::other(format!("the answer is not an event stream: its Content-Type is {media_type}")));
    }
    let chunked = field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    Ok(if chunked { State::ChunkSize { size: 0, extension: false } } else { State::Bare })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n1a;a=b\r\n1234567890123456789012345\n\r\n";
    const BARE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1234567890123456789012345\n";

    fn body(response: &str, cut: usize) -> io::Result<String> {
        let (mut decoder, mut body) = (Response::default(), Vec::new());
        for mut rest in response.as_bytes().chunks(cut) {
            while let Some(piece) = decoder.next_piece(&mut rest)? {
                body.extend_from_slice(piece);
            }
        }
        Ok(String::from_utf8(body).unwrap())
    }

    #[test]
    fn the_body_is_the_same_however_it_is_framed_and_cut() {
        for response in [CHUNKED, BARE] {
            for cut in 1..=response.len() {
                assert_eq!(body(response, cut).unwrap(), "data: 1234567890123456789012345\n", "{cut}");
            }
        }
    }

    #[test]
    fn what_is_no_endless_stream_is_an_error() {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
        let kind = |response: &str| body(response, 7).unwrap_err().kind();
        assert_eq!(kind(&format!("{head}0\r\n\r\n")), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(&format!("{head}1\r\nab\r\n")), io::ErrorKind::InvalidData);
        assert_eq!(kind(&format!("{head}g\r\n")), io::ErrorKind::InvalidData);
        assert_eq!(kind(&format!("{head}10000000000000000\r\n")), io::ErrorKind::InvalidData);
        assert_eq!(kind("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"), io::ErrorKind::Other);
        assert_eq!(kind("HTTP/1.1 503 Service Unavailable\r\n\r\n"), io::ErrorKind::Other);
        assert_eq!(kind(&"x".repeat(MAX_HEAD_BYTES + 1)), io::ErrorKind::Other);
    }
}
