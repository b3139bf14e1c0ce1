//! Encodes the fields of an event as bytes. The fields are written in the order `event`, `retry`, `id`, `data`, as
//! Mercure's hubs do.
//!
//! Each value is written after a colon and a space. A parser removes only this one space, so a value that itself begins
//! with a space arrives unchanged.
use crate::{EventId, EventType};
use alloc::vec::Vec;
use memchr::memchr2;

/// The borrowed fields of one event, ready to be encoded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// The event type; `None` means the type `message`, and no line is written for it.
    pub event_type: Option<&'a EventType>,
    /// The reconnection time that the event sets, in milliseconds; `None` if it sets none.
    pub retry_ms: Option<u64>,
    /// The ID that the event sets; `None` if it sets none.
    pub id: Option<&'a EventId>,
    /// The data; each of its lines (ended by CR, LF or CRLF) becomes one `data` line.
    pub data: &'a str,
}

impl Fields<'_> {
    /// Appends the event to `out`, with the blank line that ends it.
    ///
    /// A parser that reads these bytes returns the same data, but with LF in place of each CR and CRLF.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        // This is the exact number of bytes if the data is one line and the event has no other field. Otherwise `out`
        // grows while more is written.
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

/// Appends the data of an event, and the blank line that ends the event.
pub(crate) fn encode_data(data: &str, out: &mut Vec<u8>) {
    for_each_line(data, |line| encode_line(b"data: ", line, out));
    out.push(b'\n');
}

/// Appends the lines for the event type, the reconnection time and the ID. The type and the ID may contain any
/// characters, so each of the two is cut at its first line end, and the ID also at its first NUL.
pub(crate) fn encode_head(event_type: Option<&str>, retry_ms: Option<u64>, id: Option<&str>, out: &mut Vec<u8>) {
    if let Some(event_type) = event_type {
        encode_line(b"event: ", cut_at(event_type, &['\r', '\n']), out);
    }
    if let Some(retry_ms) = retry_ms {
        out.extend_from_slice(b"retry: ");
        encode_digits(retry_ms, out);
        out.push(b'\n');
    }
    if let Some(id) = id {
        encode_line(b"id: ", cut_at(id, &['\r', '\n', '\0']), out);
    }
}

/// Returns the part of `text` before the first of these characters.
fn cut_at<'a>(text: &'a str, ends: &[char]) -> &'a str {
    text.split(ends).next().unwrap_or_default()
}

/// Appends a comment, with one comment line for each line of `text`, and a blank line. For an empty text it writes `:`,
/// the shortest line that keeps a connection alive.
pub fn encode_comment(text: &str, out: &mut Vec<u8>) {
    for_each_line(text, |line| encode_line(if line.is_empty() { b":" } else { b": " }, line, out));
    out.push(b'\n');
}

/// Appends `prefix`, `value` and LF. `value` must not contain a line end.
#[inline]
fn encode_line(prefix: &[u8], value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(prefix);
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}

/// Calls `each` with every line of `text`. The text after the last line end is a line, too, even if it is empty. A CR
/// without LF also ends a line: parsers end a line there, so whoever writes the data could otherwise add fields and
/// events to the stream.
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

/// Appends `number` as decimal digits.
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
