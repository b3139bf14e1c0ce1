//! Reads a chunk line by line. Nearly every line is complete in its chunk, and is read there without a copy.
use super::{
    Chunk, Parser, Step,
    block::RETAINED_BYTES,
    field::{Field, data_value},
    line::Line,
};
use crate::ParseError;
use core::ops::Range;
use memchr::memchr2;

impl Parser {
    /// Reads up to the next event, the next comment (if comments are wanted) or the end of the chunk.
    #[inline]
    pub(super) fn read<const COMMENTS: bool>(&mut self, chunk: &mut Chunk<'_>) -> Result<Step, ParseError> {
        if matches!(self.line, Line::Value(Field::Data)) && !self.continue_data(chunk)? {
            return Ok(Step::ChunkRead);
        }
        self.read_lines::<COMMENTS>(chunk)
    }

    /// Reads line by line. The first line may have begun in an earlier chunk.
    fn read_lines<const COMMENTS: bool>(&mut self, chunk: &mut Chunk<'_>) -> Result<Step, ParseError> {
        self.block.begin();
        // The range of the block's data in this chunk, if the data is one line that is complete in this chunk.
        let mut data = None;
        let step = loop {
            let rest = chunk.rest();
            let Some(&first) = rest.first() else { break Step::ChunkRead };
            if !matches!(self.line, Line::Start) {
                match self.resume_line::<COMMENTS>(chunk)? {
                    Some(step) => break step,
                    None => continue,
                }
            }
            if matches!(first, b'\n' | b'\r') {
                self.pass_line_end(chunk);
                if self.block.dispatch(data.is_some()) {
                    return Ok(data.map_or(Step::Joined, Step::InChunk));
                }
                if self.block.take_to_give() {
                    break Step::Block;
                }
                continue;
            }
            let Some(len) = memchr2(b'\r', b'\n', rest) else {
                self.buffer_data(chunk, data.take())?;
                self.begin_line::<COMMENTS>(chunk)?;
                break Step::ChunkRead;
            };
            if let Some(value) = data_value(&rest[..len]) {
                let start = chunk.consumed();
                self.read_data(chunk, start + value..start + len, &mut data)?;
                // Nearly every block ends right after its data. For this usual case, the end of the line and the blank
                // line are read in one step.
                if rest[len..].starts_with(b"\n\n") {
                    chunk.advance(len + 2);
                    self.block.dispatch(data.is_some());
                    return Ok(data.map_or(Step::Joined, Step::InChunk));
                }
                chunk.advance(len);
                self.pass_line_end(chunk);
            } else {
                let field = self.read_field::<COMMENTS>(&rest[..len])?;
                chunk.advance(len);
                self.pass_line_end(chunk);
                if COMMENTS && field == Field::Comment {
                    break Step::Comment;
                }
            }
        };
        self.buffer_data(chunk, data)?;
        if let Line::Failed(error) = self.line {
            return Err(error);
        }
        if matches!(step, Step::ChunkRead) {
            self.release();
        }
        Ok(step)
    }

    /// Reads a complete line of data; `value` is the range of its value in the chunk. The first line of data in the
    /// block stays in the chunk, and its range is stored in `left`. When a second line comes, both lines are copied
    /// into the buffer, and so is every later line.
    #[inline]
    fn read_data(
        &mut self,
        chunk: &Chunk<'_>,
        value: Range<usize>,
        left: &mut Option<Range<usize>>,
    ) -> Result<(), ParseError> {
        if left.is_none() && !self.block.has_data() {
            self.block.check_data(value.len(), &self.limits)?;
            *left = Some(value);
            return Ok(());
        }
        self.buffer_data(chunk, left.take())?;
        self.buffer_data(chunk, Some(value))
    }

    /// Copies `line`, if there is one, from the chunk into the buffer. `line` is a complete line of data that cannot
    /// stay in the chunk, because another line of data follows or the chunk ends before the block does.
    #[inline]
    fn buffer_data(&mut self, chunk: &Chunk<'_>, line: Option<Range<usize>>) -> Result<(), ParseError> {
        let Some(line) = line else { return Ok(()) };
        self.block.push_data_line(chunk.bytes(line.start..line.end + 1), &self.limits)
    }

    /// Moves past a line end. If the chunk ends with a CR, the LF of the same line end may be in the next chunk.
    #[inline]
    pub(super) fn pass_line_end(&mut self, chunk: &mut Chunk<'_>) {
        if chunk.advance_line_end() {
            self.line = Line::AfterCr;
        }
    }

    /// Releases memory after a large event or comment that is no longer needed.
    fn release(&mut self) {
        self.block.release();
        if matches!(self.line, Line::Start | Line::AfterCr) {
            self.value.clear();
            self.value.shrink_to(RETAINED_BYTES);
        }
    }
}
