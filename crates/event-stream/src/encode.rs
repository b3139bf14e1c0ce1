//! Encoding: fields become bytes. Fields go out in the order `event`, `retry`, `id`, `data`, as Mercure's hubs send
//! them.
//!
//! Each value follows `: `, with the space, because a parser strips one: a value that begins with a space stays whole.
use crate::{EventId, EventType};
use alloc::vec::Vec;
use memchr::memchr2;

/// The fields of one event, borrowed, ready to be encoded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// The event type; `None` is `message` and takes no line.
    pub event_type: Option<&'a EventType>,
    /// The reconnection time in milliseconds.
    pub retry_ms: Option<u64>,
    /// The event's ID.
    pub id: Option<&'a EventId>,
    /// The data; each of its lines (ended by CR, LF or CRLF) becomes one `data` line.
    pub data: &'a str,
}

impl Fields<'_> {
    /// Appends the event, with the blank line that dispatches it, to `out`.
    ///
    /// A parser gives back the same data, with LF for each CR and CRLF in it.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        // Exact for data of one line and no other field; more lines or fields grow `out` as they come.
        out.reserve(b"data: ".len() + self.data.len() + b"\n\n".len());
        if let Some(event_type) = self.event_type {
            encode_line(b"event: ", event_type.as_str(), out);
        }
        if let Some(retry_ms) = self.retry_ms {
            out.extend_from_slice(b"retry: ");
            encode_digits(retry_ms, out);
            out.push(b'\n');
        }
        if let Some(id) = self.id {
            encode_line(b"id: ", id.as_str(), out);
        }
        encode_data(self.data, out);
    }
}

/// Appends the data of an event, and the blank line that dispatches it.
pub(crate) fn encode_data(data: &str, out: &mut Vec<u8>) {
    for_each_line(data, |line| encode_line(b"data: ", line, out));
    out.push(b'\n');
}

/// Appends the other fields of a block, of which nobody has checked that they can be fields.
pub(crate) fn encode_head(event_type: Option<&str>, retry_ms: Option<u64>, id: Option<&str>, out: &mut Vec<u8>) {
    if let Some(event_type) = event_type {
        encode_line(b"event: ", first_line(event_type), out);
    }
    if let Some(retry_ms) = retry_ms {
        out.extend_from_slice(b"retry: ");
        encode_digits(retry_ms, out);
        out.push(b'\n');
    }
    if let Some(id) = id {
        encode_line(b"id: ", first_line(id), out);
    }
}

fn first_line(text: &str) -> &str {
    text.split(['\r', '\n', '\0']).next().unwrap_or_default()
}

/// Appends a comment, one line of its own per line of `text`, followed by a blank line. An empty text is the shortest
/// thing that keeps a connection alive: `:`.
pub fn encode_comment(text: &str, out: &mut Vec<u8>) {
    for_each_line(text, |line| encode_line(if line.is_empty() { b":" } else { b": " }, line, out));
    out.push(b'\n');
}

/// Appends one line. `value` must hold no line end.
#[inline]
fn encode_line(prefix: &[u8], value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(prefix);
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}

/// Calls `each` with every line of `text`, of which there is always one more than line ends. A bare CR ends a line:
/// left inside a value it would let the writer of the data add fields and events.
#[inline]
fn for_each_line(text: &str, mut each: impl FnMut(&str)) {
    let mut rest = text;
    while let Some(end) = memchr2(b'\r', b'\n', rest.as_bytes()) {
        each(&rest[..end]);
        let line_end = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + line_end..];
    }
    each(rest);
}

/// Appends `number` in base ten.
fn encode_digits(mut number: u64, out: &mut Vec<u8>) {
    const MAX_DIGITS: usize = 20;
    let mut digits = [b'0'; MAX_DIGITS];
    let mut first = MAX_DIGITS;
    loop {
        first -= 1;
        digits[first] += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}
