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
    /// True if no line end is written after data.
    pub join: bool,
    /// True if the time of arrival is written before each event.
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

    /// Writes a comment, if the format shows comments (raw).
    pub(super) fn write_comment(self, text: &str, out: &mut impl Write) -> io::Result<()> {
        if self.format != Format::Raw {
            return Ok(());
        }
        let mut encoded = Vec::new();
        encode_comment(text, &mut encoded);
        out.write_all(&encoded)
    }

    /// Writes a block of fields without data, which is not an event, if the format shows such blocks (raw).
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

/// Writes the fields that the event itself had, as an event stream. The fields are encoded again, so the bytes may
/// differ from those that the server has sent.
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
