//! The limits of a parser's memory, and the error if a stream exceeds them. The format itself has no limits, and the
//! sender of a stream must not decide how much memory the parser uses.
use core::fmt;

/// The largest sizes, in bytes, of the parts of a stream that a [`Parser`](crate::Parser) has to keep in memory.
///
/// Bytes are counted as they arrive. A parser's memory is at most a small multiple of the sum of these limits: buffers
/// grow by doubling, and invalid UTF-8 is repaired in a copy, where each invalid byte may become the three bytes of
/// U+FFFD. `max_line_bytes` adds to the memory only if the program reads comments: of all lines with this limit, the
/// parser keeps only comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The limit for the data of one event, including the line ends between its lines. Default:
    /// [`Limits::DEFAULT_DATA_BYTES`].
    pub max_data_bytes: usize,
    /// The limit for the value of an `id` field. Default: [`Limits::DEFAULT_ID_BYTES`].
    pub max_id_bytes: usize,
    /// The limit for the value of an `event` field. Default: [`Limits::DEFAULT_TYPE_BYTES`].
    pub max_type_bytes: usize,
    /// The limit for any other line (comment, `retry`, unknown field), without its line end. Default:
    /// [`Limits::DEFAULT_LINE_BYTES`].
    pub max_line_bytes: usize,
}

impl Limits {
    /// The default limit for the data of one event: far more than events have in practice, and far less than a
    /// machine's memory.
    pub const DEFAULT_DATA_BYTES: usize = 16 << 20;
    /// The default limit for an ID. A client sends the ID back in a request header, and many servers refuse headers
    /// that are longer than 8 KiB.
    pub const DEFAULT_ID_BYTES: usize = 16 << 10;
    /// The default limit for an event type, which is only a name.
    pub const DEFAULT_TYPE_BYTES: usize = 16 << 10;
    /// The default limit for a line that is skipped: a comment, a `retry` or an unknown field. Such a line takes no
    /// memory; it is limited because a stream with an endless line is not an event stream.
    pub const DEFAULT_LINE_BYTES: usize = 16 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_data_bytes: Self::DEFAULT_DATA_BYTES,
            max_id_bytes: Self::DEFAULT_ID_BYTES,
            max_type_bytes: Self::DEFAULT_TYPE_BYTES,
            max_line_bytes: Self::DEFAULT_LINE_BYTES,
        }
    }
}

/// The error if a part of the event stream is larger than the [`Limits`] allow. Nothing else in a stream is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// The data of an event is longer than [`Limits::max_data_bytes`].
    DataTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The value of an `id` field is longer than [`Limits::max_id_bytes`].
    IdTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The value of an `event` field is longer than [`Limits::max_type_bytes`].
    TypeTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A comment, a `retry` field or an unknown field is longer than [`Limits::max_line_bytes`].
    LineTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, limit) = match self {
            Self::DataTooLong { limit } => ("the data of an event", limit),
            Self::IdTooLong { limit } => ("an event ID", limit),
            Self::TypeTooLong { limit } => ("an event type", limit),
            Self::LineTooLong { limit } => ("a line", limit),
        };
        write!(f, "{what} in the event stream is longer than {limit} bytes")
    }
}

impl core::error::Error for ParseError {}
