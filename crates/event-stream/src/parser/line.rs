//! Reads a line that is divided between chunks. Reading continues where the last chunk ended, and never begins again at
//! the start of the line.
use super::{
    Chunk, Parser, Step,
    field::{Digits, Field},
};
use crate::ParseError;
use memchr::memchr2;

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// The position in a line at which the last chunk ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line {
    /// The start of the stream. This many bytes of a byte order mark have been read.
    ByteOrderMark(usize),
    /// The start of a line.
    Start,
    /// The start of a line of a block that is skipped.
    SkippedStart,
    /// The position after a CR that ended a line. If the next byte is an LF, it belongs to the line end of this CR.
    AfterCr,
    /// The name of a field.
    Name(Name),
    /// The position after the colon, where one space is skipped.
    AfterColon(Field),
    /// The value of a field.
    Value(Field),
    /// No position: the stream has exceeded a limit, and nothing more is read.
    Failed(ParseError),
}

impl Line {
    /// True if the position is in a line of data.
    pub(super) fn is_data(&self) -> bool {
        match self {
            Self::Name(name) => name.field() == Field::Data,
            Self::AfterColon(field) | Self::Value(field) => matches!(field, Field::Data | Field::Skipped),
            _ => false,
        }
    }
}

/// The length of the longest name of a field.
const MAX_NAME_BYTES: usize = b"event".len();

/// The part of a field's name that has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Name {
    held: [u8; MAX_NAME_BYTES],
    len: usize,
}

impl Name {
    /// Removes the bytes of the name, and the colon after it, from the beginning of `bytes`. Returns the position that
    /// reading has reached as soon as the field is known; `None` if more bytes of the name may follow.
    pub(super) fn extend(&mut self, bytes: &mut &[u8]) -> Option<Line> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if byte == b':' {
                *bytes = rest;
                return Some(Line::AfterColon(self.field()));
            }
            let Some(free) = self.held.get_mut(self.len) else { return Some(Line::Value(Field::Unknown)) };
            *free = byte;
            self.len += 1;
            *bytes = rest;
        }
        None
    }

    /// Returns the field whose name is exactly the part that has been read.
    pub(super) fn field(&self) -> Field {
        Field::named(&self.held[..self.len])
    }
}

impl Parser {
    /// Continues to read a line of data. This function reads most of a large event. Returns `true` if the line ends in
    /// this chunk.
    #[inline]
    pub(super) fn continue_data(&mut self, chunk: &mut Chunk<'_>) -> Result<bool, ParseError> {
        let rest = chunk.rest();
        let Some(end) = memchr2(b'\r', b'\n', rest) else {
            self.block.push_data(rest, &self.limits)?;
            chunk.advance(rest.len());
            return Ok(false);
        };
        self.block.push_data_line(&rest[..=end], &self.limits)?;
        self.line = Line::Start;
        chunk.advance(end);
        self.pass_line_end(chunk);
        Ok(true)
    }

    /// Continues to read a line, or a byte order mark, that began in an earlier chunk. Returns a step if the caller has
    /// to report something: a comment or a skipped block has ended.
    #[inline]
    pub(super) fn resume_line<const COMMENTS: bool>(
        &mut self,
        chunk: &mut Chunk<'_>,
    ) -> Result<Option<Step>, ParseError> {
        let rest = chunk.rest();
        match self.line {
            Line::Name(_) | Line::AfterColon(_) | Line::Value(_) => {
                let end = memchr2(b'\r', b'\n', rest);
                let piece = &rest[..end.unwrap_or(rest.len())];
                let before = (self.line, self.line_bytes);
                if let Err(error) = self.continue_line::<COMMENTS>(piece) {
                    (self.line, self.line_bytes) = before;
                    return Err(error);
                }
                chunk.advance(piece.len());
                if end.is_some() {
                    let field = self.finish_line()?;
                    self.pass_line_end(chunk);
                    return Ok((COMMENTS && field == Field::Comment).then_some(Step::Comment));
                }
            }
            Line::SkippedStart if matches!(rest.first(), Some(b'\n' | b'\r')) => {
                self.end_skipping();
                self.pass_line_end(chunk);
                return Ok(Some(Step::Skipped));
            }
            Line::SkippedStart => self.start_line(),
            Line::ByteOrderMark(seen) if rest.first() == BYTE_ORDER_MARK.get(seen) => {
                chunk.advance(1);
                self.line = if seen + 1 < BYTE_ORDER_MARK.len() { Line::ByteOrderMark(seen + 1) } else { Line::Start };
            }
            Line::ByteOrderMark(0) => self.line = Line::Start,
            Line::ByteOrderMark(seen) => {
                // The line begins with only a part of a byte order mark. These bytes belong to the name of the field,
                // and no known name begins with them.
                self.line = Line::Value(Field::Unknown);
                self.line_bytes = seen;
            }
            Line::AfterCr => {
                self.line = self.line_start();
                chunk.advance(usize::from(rest.first() == Some(&b'\n')));
            }
            Line::Start => {}
            Line::Failed(error) => return Err(error),
        }
        Ok(None)
    }

    /// Begins a line that does not end in `chunk`, and reads its bytes up to the end of the chunk.
    pub(super) fn begin_line<const COMMENTS: bool>(&mut self, chunk: &mut Chunk<'_>) -> Result<(), ParseError> {
        self.start_line();
        let piece = chunk.rest();
        if let Err(error) = self.continue_line::<COMMENTS>(piece) {
            self.line = Line::Start;
            return Err(error);
        }
        chunk.advance(piece.len());
        Ok(())
    }

    fn start_line(&mut self) {
        self.line = Line::Name(Name::default());
        self.line_bytes = 0;
        self.digits = Digits::default();
        self.value.clear();
    }

    /// Reads the next piece of a line that is divided between chunks.
    #[inline]
    fn continue_line<const COMMENTS: bool>(&mut self, mut piece: &[u8]) -> Result<(), ParseError> {
        self.line_bytes = self.line_bytes.saturating_add(piece.len());
        if let Line::Name(mut name) = self.line {
            self.line = name.extend(&mut piece).unwrap_or(Line::Name(name));
        }
        if let (Line::AfterColon(field), Some(&first)) = (self.line, piece.first()) {
            self.line = Line::Value(field);
            piece = &piece[usize::from(first == b' ')..];
        }
        let (Line::Value(field) | Line::AfterColon(field)) = self.line else { return Ok(()) };
        if self.skipping.is_some() {
            self.skip_piece(field, piece);
            return Ok(());
        }
        if field == Field::Data {
            return self.block.push_data(piece, &self.limits);
        }
        self.check_value(field, self.line_bytes, self.value.len() + piece.len())?;
        match field {
            Field::Event | Field::Id => self.value.extend_from_slice(piece),
            Field::Comment if COMMENTS => self.value.extend_from_slice(piece),
            Field::Retry => self.digits.extend(piece),
            Field::Data | Field::Comment | Field::Unknown | Field::Skipped | Field::Excess { .. } => {}
        }
        Ok(())
    }

    /// Ends a line that was divided between chunks, and returns its kind.
    pub(super) fn finish_line(&mut self) -> Result<Field, ParseError> {
        let field = match self.line {
            Line::Name(name) => name.field(),
            Line::AfterColon(field) | Line::Value(field) => field,
            Line::Start | Line::SkippedStart | Line::AfterCr | Line::ByteOrderMark(_) | Line::Failed(_) => {
                return Ok(Field::Unknown);
            }
        };
        if self.skipping.is_some() {
            self.skip_line(field);
            self.line = Line::SkippedStart;
            return Ok(Field::Unknown);
        }
        self.check_value(field, self.line_bytes, self.value.len())?;
        match field {
            Field::Data => self.block.end_data_line(&self.limits)?,
            Field::Event => self.block.set_type(&self.value),
            Field::Id => self.block.set_id(&self.value),
            Field::Retry => self.set_retry(),
            Field::Comment => self.has_commented = true,
            Field::Unknown | Field::Skipped | Field::Excess { .. } => {}
        }
        self.line = Line::Start;
        Ok(field)
    }
}
