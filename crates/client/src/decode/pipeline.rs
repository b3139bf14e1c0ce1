//! Several codings over each other, each undone by a stage, pulled from the last.

use bytes::Bytes;

use super::{
    Coding, DecodeError,
    decoder::{Decode, Fault, Step},
};

/// The most bytes that a stage decodes in one step: the largest piece.
pub(super) const MAX_PIECE: usize = 32 * 1024;

/// The number of steps that are taken before other tasks have their turn. A few bytes may unfold to gigabytes which the
/// next coding folds to nothing again, so without a bound one poll could last for hours.
const MAX_STEPS: usize = 64;

/// The result of a pull.
pub(super) enum Pull {
    /// A piece: at least one byte, at most [`MAX_PIECE`] of them.
    Piece(Bytes),
    /// Nothing more: all that was fed has been given.
    Hungry,
    /// There may be more, after others had their turn.
    Spent,
}

struct Stage {
    coding: Coding,
    decoder: Box<dyn Decode>,
    input: Bytes,
    /// True if anything ever came. A body that is empty altogether is taken for an empty one.
    is_begun: bool,
    /// The last step filled its output, so that there may be more without input.
    is_full: bool,
}

/// The stages of one body. Without any it is unused.
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

    /// Takes what came from the network. Whatever was fed before must have been pulled.
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

    /// The body has ended.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        let cut = self.stages.iter().find(|stage| stage.is_begun && !stage.decoder.is_complete());
        cut.map_or(Ok(()), |stage| Err(DecodeError::Truncated { coding: stage.coding }))
    }
}

/// The next piece that the last of `stages` gives, or without any, what came from the network.
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
                // A copy, so that a kept event pins what it is and not a buffer of the largest piece.
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
            return Err(DecodeError::Corrupt { coding, reason: "it cannot be read on".into() });
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
