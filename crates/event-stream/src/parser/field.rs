//! Interprets a line: finds its field by the name, and applies its value ([WHATWG HTML,
//! 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation)).
use super::Parser;
use crate::ParseError;
use core::time::Duration;
use memchr::memchr;

/// The kind of a line, according to the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Data,
    Event,
    Id,
    Retry,
    Comment,
    Unknown,
    /// A line of data, in a block that is skipped.
    Skipped,
    /// A line, other than data, that exceeds its own limit, in a block that is skipped. `counts` is true if the bytes
    /// of this line are included in the size that `Parser::skipped_bytes` reports.
    Excess {
        counts: bool,
    },
}

impl Field {
    /// Returns the field with this name. Names are case-sensitive, and nothing is trimmed.
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"data" => Self::Data,
            b"event" => Self::Event,
            b"id" => Self::Id,
            b"retry" => Self::Retry,
            b"" => Self::Comment,
            _ => Self::Unknown,
        }
    }
}

/// Returns the index where the value begins in a line of data; `None` if the line is not data.
#[inline]
pub(super) fn data_value(line: &[u8]) -> Option<usize> {
    const COLON: usize = b"data".len();
    if line.starts_with(b"data:") {
        Some(COLON + 1 + usize::from(line.get(COLON + 1) == Some(&b' ')))
    } else {
        (line == b"data").then_some(COLON)
    }
}

/// Returns the kind of a complete line, and its value: the text after the first colon, without one leading space.
fn split(line: &[u8]) -> (Field, &[u8]) {
    let Some(colon) = memchr(b':', line) else { return (Field::named(line), b"") };
    let value = &line[colon + 1..];
    (Field::named(&line[..colon]), value.strip_prefix(b" ").unwrap_or(value))
}

impl Parser {
    /// Reads a complete line that is not data.
    pub(super) fn read_field<const COMMENTS: bool>(&mut self, line: &[u8]) -> Result<Field, ParseError> {
        let (field, value) = split(line);
        self.check_value(field, line.len(), value.len())?;
        match field {
            Field::Event => self.block.set_type(value),
            Field::Id => self.block.set_id(value),
            Field::Retry => {
                self.digits = Digits::default();
                self.digits.extend(value);
                self.set_retry();
            }
            Field::Comment => {
                self.has_commented = true;
                if COMMENTS {
                    self.value.clear();
                    self.value.extend_from_slice(value);
                }
            }
            Field::Data | Field::Unknown | Field::Skipped | Field::Excess { .. } => {}
        }
        Ok(field)
    }

    /// Returns an error if a line that is not data is longer than the limit for its kind. `line` is the number of bytes
    /// of the line that have been read, and `value` the number of bytes of its value.
    pub(super) fn check_value(&self, field: Field, line: usize, value: usize) -> Result<(), ParseError> {
        let limits = &self.limits;
        match field {
            Field::Event if value > limits.max_type_bytes => {
                Err(ParseError::TypeTooLong { limit: limits.max_type_bytes })
            }
            Field::Id if value > limits.max_id_bytes => Err(ParseError::IdTooLong { limit: limits.max_id_bytes }),
            Field::Retry | Field::Comment | Field::Unknown if line > limits.max_line_bytes => {
                Err(ParseError::LineTooLong { limit: limits.max_line_bytes })
            }
            _ => Ok(()),
        }
    }

    /// Applies a `retry` line that has ended. The new reconnection time takes effect at once, whatever follows in the
    /// block.
    pub(super) fn set_retry(&mut self) {
        if let Some(retry_ms) = self.digits.value() {
            self.block.set_retry(retry_ms);
            self.reconnection_time = Some(Duration::from_millis(retry_ms));
        }
    }
}

/// The value of a `retry` field: a decimal number of ASCII digits and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Digits {
    value: Option<u64>,
    invalid: bool,
}

impl Digits {
    /// Reads the next bytes of the value.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte.is_ascii_digit() {
                let value = self.value.unwrap_or(0);
                self.value = Some(value.saturating_mul(10).saturating_add(u64::from(byte - b'0')));
            } else {
                self.invalid = true;
            }
        }
    }

    /// Returns the number, or the largest `u64` if the number is larger. `None` if the value has no digit, or has any
    /// character that is not a digit.
    pub(super) fn value(self) -> Option<u64> {
        if self.invalid { None } else { self.value }
    }
}
