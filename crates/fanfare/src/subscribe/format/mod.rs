//! Writes events as text. A format that needs more than a few lines has its own module.
mod pretty;

use super::{args::Format, received::Received};
use fanfare_client::{Block, MessageEvent};
use fanfare_event_stream::{EventId, EventType, Fields, encode_comment};
use jiff::Timestamp;
use std::io::{self, Write};

/// The form in which events are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub format: Format,
    /// True if there is no line end after data.
    pub join: bool,
    /// True if the time of arrival is before each event.
    pub timestamps: bool,
}

impl Style {
    /// Writes one event. `came` is the event as it arrived, for the raw format.
    pub(super) fn write(self, event: &Received, came: &MessageEvent, out: &mut impl Write) -> io::Result<()> {
        if self.timestamps {
            self.write_time(out)?;
        }
        match self.format {
            Format::Pretty => pretty::write(event, out),
            Format::Data => {
                out.write_all(event.data.as_bytes())?;
                if self.join { Ok(()) } else { out.write_all(b"\n") }
            }
            Format::Json => {
                serde_json::to_writer(&mut *out, event)?;
                out.write_all(b"\n")
            }
            Format::Raw => raw(event, came, out),
        }
    }

    /// Writes a comment, if the format has comments.
    pub(super) fn write_comment(self, text: &str, out: &mut impl Write) -> io::Result<()> {
        if self.format != Format::Raw {
            return Ok(());
        }
        let mut encoded = Vec::new();
        encode_comment(text, &mut encoded);
        out.write_all(&encoded)
    }

    /// Writes a block that is not an event, if the format has such blocks.
    pub(super) fn write_block(self, block: &Block, out: &mut impl Write) -> io::Result<()> {
        if self.format != Format::Raw {
            return Ok(());
        }
        let mut encoded = Vec::new();
        block.encode_into(&mut encoded);
        out.write_all(&encoded)
    }

    fn write_time(self, out: &mut impl Write) -> io::Result<()> {
        let time = Timestamp::now();
        match self.format {
            Format::Data => write!(out, "{time:.3} "),
            Format::Raw => writeln!(out, ": {time:.3}"),
            Format::Pretty | Format::Json => Ok(()),
        }
    }
}

/// Writes the event's own fields, encoded again: the server may have written the same event in other bytes.
fn raw(event: &Received, came: &MessageEvent, out: &mut impl Write) -> io::Result<()> {
    let event_type = (event.event_type != "message").then(|| EventType::new(event.event_type.as_str()));
    let id = came.id().map(EventId::new);
    let fields = Fields {
        event_type: event_type.as_ref().and_then(|parsed| parsed.as_ref().ok()),
        id: id.as_ref().and_then(|parsed| parsed.as_ref().ok()),
        retry_ms: came.retry_ms(),
        data: &event.data,
    };
    let mut encoded = Vec::with_capacity(event.data.len() + 64);
    fields.encode_into(&mut encoded);
    out.write_all(&encoded)
}
