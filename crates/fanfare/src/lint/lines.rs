//! The lines of a stream as the server wrote them. They show details that the parser of events accepts without a
//! message, such as unknown fields.
//!
//! This module is a second implementation of [WHATWG HTML,
//! 9.2.5](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream), which on purpose
//! shares no code with the parser.
use super::finding::excerpt;
use std::fmt;

/// The byte order mark. A stream may begin with one.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The characters that end a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    Lf,
    CrLf,
    Cr,
    /// The line has no end: the stream stopped in the middle of the line.
    Missing,
}

/// A line of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The number of the line, from 1.
    pub number: usize,
    /// The number of bytes in the stream before the first byte of `text`.
    pub offset: usize,
    /// The text without the end of the line, and without the byte order mark at the beginning of the stream.
    pub text: &'a [u8],
    pub end: LineEnd,
}

/// The kind of a line. A line that is not blank and not a comment is a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Blank,
    Comment,
    Field { name: &'a [u8], value: &'a [u8] },
}

impl<'a> Line<'a> {
    pub(super) fn content(&self) -> Content<'a> {
        let colon = self.text.iter().position(|byte| *byte == b':');
        match (self.text, colon) {
            (b"", _) => Content::Blank,
            (_, Some(0)) => Content::Comment,
            (text, None) => Content::Field { name: text, value: b"" },
            (text, Some(at)) => {
                let value = &text[at + 1..];
                Content::Field { name: &text[..at], value: value.strip_prefix(b" ").unwrap_or(value) }
            }
        }
    }

    /// Returns the name and the value of the field; `None` if the line is not a field, or has not arrived completely.
    pub(super) fn field(&self) -> Option<(&'a [u8], &'a [u8])> {
        match self.content() {
            Content::Field { name, value } if self.end != LineEnd::Missing => Some((name, value)),
            _ => None,
        }
    }
}

/// Shows the text of the line, the number of the line, and its offset in the stream.
impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in line {}, at byte {}", excerpt(self.text), self.number, self.offset)
    }
}

/// Iterates over the lines of `bytes`. The last line may lack its line end.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut offset = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    (1..).map_while(move |number| {
        let rest = bytes.get(offset..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let (end, end_bytes) = match &rest[length..] {
            [] => (LineEnd::Missing, 0),
            [b'\r', b'\n', ..] => (LineEnd::CrLf, 2),
            [b'\r', ..] => (LineEnd::Cr, 1),
            _ => (LineEnd::Lf, 1),
        };
        let line = Line { number, offset, text: &rest[..length], end };
        offset += length + end_bytes;
        Some(line)
    })
}

/// Returns the text that `show` makes of the first item, with the number of further items; `None` if there are no
/// items.
pub(super) fn first_of<T>(mut found: impl Iterator<Item = T>, show: impl FnOnce(T) -> String) -> Option<String> {
    // Only the first item is made a text, because a stream may contain very many such items.
    let first = show(found.next()?);
    match found.count() {
        0 => Some(first),
        more => Some(format!("{first}; and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_three_ends_and_a_place() {
        let stream = "\u{feff}a\nb\r\nc\r\r\nd".as_bytes();
        let read: Vec<_> = lines(stream).map(|line| (line.offset, line.text, line.end)).collect();
        let expected: [(usize, &[u8], LineEnd); 5] = [
            (3, b"a", LineEnd::Lf),
            (5, b"b", LineEnd::CrLf),
            (8, b"c", LineEnd::Cr),
            (10, b"", LineEnd::CrLf),
            (12, b"d", LineEnd::Missing),
        ];
        assert_eq!(read, expected);
        assert_eq!(lines(b"").count(), 0);
        assert_eq!(lines(stream).last().unwrap().to_string(), "`d` in line 5, at byte 12");
    }

    #[test]
    fn a_line_is_blank_a_comment_or_a_field() {
        let field =
            |name: &'static str, value: &'static str| Content::Field { name: name.as_bytes(), value: value.as_bytes() };
        let cases = [
            ("", Content::Blank),
            (": x", Content::Comment),
            ("data", field("data", "")),
            ("data:x", field("data", "x")),
            ("data:  x: y", field("data", " x: y")),
            (" data: x", field(" data", "x")),
        ];
        for (text, content) in cases {
            let line = Line { number: 1, offset: 0, text: text.as_bytes(), end: LineEnd::Lf };
            assert_eq!(line.content(), content, "{text}");
        }
    }
}
