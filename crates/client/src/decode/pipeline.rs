//! Decodes a body that has several codings, applied one after the other. Each coding is undone by a stage, and each
//! stage takes its input from the stage before.

use bytes::Bytes;

use super::{
    Coding, DecodeError,
    decoder::{Decode, Fault, Step},
};

/// The greatest number of bytes that a stage decodes in one step, and so the largest size of a decoded piece.
pub(super) const MAX_PIECE: usize = 32 * 1024;

/// The number of decoding steps before other tasks get their turn. Without this limit one poll could last for hours: a
/// few bytes may decode to gigabytes, from which the next stage may decode no output at all.
const MAX_STEPS: usize = 64;

/// The result of [`Pipeline::pull`].
pub(super) enum Pull {
    /// A decoded piece of at least one byte and at most [`MAX_PIECE`] bytes.
    Piece(Bytes),
    /// Everything that was fed has been decoded and returned: call [`Pipeline::feed`] with the next bytes.
    Hungry,
    /// The [`MAX_STEPS`] steps of one turn are used up. Other tasks get their turn, and then `pull` may return more
    /// output.
    Spent,
}

struct Stage {
    coding: Coding,
    decoder: Box<dyn Decode>,
    input: Bytes,
    /// True if the stage has received a byte. A body without any bytes is treated as an empty body, not as a truncated
    /// one.
    is_begun: bool,
    /// True if the last step filled its output buffer: the decoder may then still have output, although its input is
    /// used up.
    is_full: bool,
}

/// The stages that decode one body. A body without codings has no stages.
pub(super) struct Pipeline {
    stages: Vec<Stage>,
    input: Bytes,
    output: Box<[u8]>,
    steps_left: usize,
}

impl Pipeline {
    /// Makes a pipeline for codings in the order in which they were applied.
    pub(super) fn new(codings: &[Coding]) -> Self {
        let stages: Vec<_> = codings.iter().rev().map(|&coding| Stage::new(coding)).collect();
        let output = vec![0; if stages.is_empty() { 0 } else { MAX_PIECE }].into();
        Self { stages, input: Bytes::new(), output, steps_left: MAX_STEPS }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Takes the next bytes from the network. All bytes that were fed before must have been decoded and returned by
    /// `pull`.
    pub(super) fn feed(&mut self, input: Bytes) {
        debug_assert!(self.input.is_empty());
        self.input = input;
        self.steps_left = MAX_STEPS;
    }

    pub(super) fn pull(&mut self) -> Result<Pull, DecodeError> {
        let pulled = pull(&mut self.stages, &mut self.input, &mut self.output, &mut self.steps_left);
        if matches!(pulled, Ok(Pull::Spent)) {
            self.steps_left = MAX_STEPS;
        }
        pulled
    }

    /// Returns an error if the body must not end here, because a stage has not reached the end of its compressed data.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        let cut = self.stages.iter().find(|stage| stage.is_begun && !stage.decoder.is_complete());
        cut.map_or(Ok(()), |stage| Err(DecodeError::Truncated { coding: stage.coding }))
    }
}

/// Returns the next piece of output of the last stage in `stages`. If there are no stages, returns the bytes that came
/// from the network (`fed`).
fn pull(stages: &mut [Stage], fed: &mut Bytes, output: &mut [u8], steps: &mut usize) -> Result<Pull, DecodeError> {
    let Some((stage, earlier)) = stages.split_last_mut() else {
        let fed = std::mem::take(fed);
        return Ok(if fed.is_empty() { Pull::Hungry } else { Pull::Piece(fed) });
    };
    loop {
        while stage.has_work() {
            let Some(left) = steps.checked_sub(1) else { return Ok(Pull::Spent) };
            *steps = left;
            let written = stage.step(output)?;
            if written > 0 {
                // The piece is copied into memory of exactly its size. So an event that shares this memory, and that
                // the program keeps, does not keep a whole output buffer.
                return Ok(Pull::Piece(Bytes::copy_from_slice(&output[..written])));
            }
        }
        match pull(earlier, fed, output, steps)? {
            Pull::Piece(piece) => stage.feed(piece),
            other => return Ok(other),
        }
    }
}

impl Stage {
    fn new(coding: Coding) -> Self {
        Self { coding, decoder: decoder(coding), input: Bytes::new(), is_begun: false, is_full: false }
    }

    fn feed(&mut self, input: Bytes) {
        self.is_begun = true;
        self.input = input;
    }

    fn has_work(&self) -> bool {
        self.is_full || !self.input.is_empty()
    }

    fn step(&mut self, output: &mut [u8]) -> Result<usize, DecodeError> {
        let coding = self.coding;
        let Step { read, written } = self.decoder.decode(&self.input, output).map_err(|fault| match fault {
            Fault::Corrupt(reason) => DecodeError::Corrupt { coding, reason },
            Fault::Trailing => DecodeError::Trailing { coding },
        })?;
        if (read, written) == (0, 0) && !self.input.is_empty() {
            return Err(DecodeError::Corrupt { coding, reason: "it cannot be decoded any further".into() });
        }
        self.input = self.input.slice(read..);
        self.is_full = written == output.len();
        Ok(written)
    }
}

fn decoder(coding: Coding) -> Box<dyn Decode> {
    match coding {
        Coding::Gzip => Box::new(super::inflate::Gzip::new()),
        Coding::Deflate => Box::new(super::inflate::Deflate::new()),
        Coding::Brotli => Box::new(super::brotli::Brotli::new()),
        Coding::Zstd => Box::new(super::zstd::Zstd::new()),
    }
}
