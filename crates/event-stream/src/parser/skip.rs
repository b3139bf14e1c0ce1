//! Skips a block that is too large: its lines are read, but only its ID and its reconnection time take effect.
use super::{Parser, field::Field, line::Line};
use crate::ParseError;

/// The block that is being skipped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skipping {
    error: ParseError,
    /// The number of bytes that have been read of the data, ID, type or line that is too large.
    bytes: u64,
}

impl Skipping {
    fn is_data(&self) -> bool {
        matches!(self.error, ParseError::DataTooLong { .. })
    }

    fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }
}

impl Parser {
    /// Begins to skip the block. The parser has not moved past the bytes that exceeded the limit, so these bytes are
    /// read again, as bytes of a skipped block.
    pub(super) fn skip(&mut self, error: ParseError) {
        let mut skipping = Skipping { error, bytes: 0 };
        if skipping.is_data() {
            skipping.add(self.block.data_bytes());
        }
        self.block.drop_data();
        self.skipping = Some(skipping);
        self.line = match self.line {
            Line::Start => Line::SkippedStart,
            Line::Value(Field::Data) => Line::Value(Field::Skipped),
            Line::AfterColon(Field::Data) => Line::AfterColon(Field::Skipped),
            other => other,
        };
    }

    /// Returns the position at the start of a line: [`Line::SkippedStart`] while a block is being skipped, and
    /// otherwise [`Line::Start`].
    pub(super) fn line_start(&self) -> Line {
        if self.skipping.is_some() { Line::SkippedStart } else { Line::Start }
    }

    /// Reads a piece of a line of a skipped block. `field` is the kind of the line.
    pub(super) fn skip_piece(&mut self, field: Field, piece: &[u8]) {
        let (line, value) = (self.line_bytes, self.value.len() + piece.len());
        let error = self.check_value(field, line, value).err();
        let Some(skipping) = &mut self.skipping else { return };
        let is_value = matches!(field, Field::Event | Field::Id);
        let becomes = match (field, error) {
            (Field::Data | Field::Skipped, _) => {
                if skipping.is_data() {
                    skipping.add(piece.len());
                }
                Field::Skipped
            }
            (_, Some(error)) => {
                let counts = error == skipping.error;
                if counts {
                    skipping.add(if is_value { value } else { line });
                }
                self.value.clear();
                Field::Excess { counts }
            }
            (Field::Excess { counts }, None) => {
                if counts {
                    skipping.add(piece.len());
                }
                field
            }
            (_, None) => {
                match field {
                    Field::Event | Field::Id => self.value.extend_from_slice(piece),
                    Field::Retry => self.digits.extend(piece),
                    _ => {}
                }
                field
            }
        };
        self.line = match self.line {
            Line::AfterColon(_) => Line::AfterColon(becomes),
            _ => Line::Value(becomes),
        };
    }

    /// Ends a line of a skipped block.
    pub(super) fn skip_line(&mut self, field: Field) {
        let is_name = matches!(self.line, Line::Name(_));
        let is_long = is_name && self.check_value(field, self.line_bytes, 0).is_err();
        let Some(skipping) = &mut self.skipping else { return };
        match field {
            Field::Data | Field::Skipped if skipping.is_data() => skipping.add(1),
            _ if is_long && matches!(skipping.error, ParseError::LineTooLong { .. }) => skipping.add(self.line_bytes),
            _ if is_long => {}
            Field::Id => self.block.set_id(&self.value),
            Field::Retry => self.set_retry(),
            _ => {}
        }
    }

    /// Ends a skipped block at a blank line.
    pub(super) fn end_skipping(&mut self) {
        self.block.skip();
        self.line = Line::Start;
        self.value.clear();
        if let Some(skipping) = &self.skipping {
            // The line end after the last line is not part of the data.
            self.skipped_bytes = skipping.bytes - u64::from(skipping.is_data() && skipping.bytes > 0);
        }
    }

    /// Ends the skipping of a block. Returns its error, which names the limit that the block exceeded.
    #[cold]
    pub(super) fn skipped(&mut self) -> ParseError {
        // `skipping` is always `Some`, because this function is called only after a block was skipped.
        self.skipping
            .take()
            .map_or(ParseError::LineTooLong { limit: self.limits.max_line_bytes }, |skipping| skipping.error)
    }
}
