//! The decoder of `br` (RFC 7932). It refuses the "large window" format, which is not part of the RFC.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::decoder::{Decode, Fault, Step};

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

pub(super) struct Brotli {
    /// The decoder's state. It is on the heap, because it has tables of some KiB, which would be copied with each
    /// future that contains it.
    state: Box<State>,
    is_ended: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let allocate = StandardAlloc::default;
        // The strict mode limits the window to 16 MiB.
        Self { state: Box::new(State::new_strict(allocate(), allocate(), allocate())), is_ended: false }
    }
}

impl Decode for Brotli {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        if self.is_ended {
            return if input.is_empty() { Ok(Step { read: 0, written: 0 }) } else { Err(Fault::Trailing) };
        }
        let (mut read, mut written, mut in_total) = (0, 0, 0);
        let (mut unread, mut room) = (input.len(), output.len());
        let state = &mut self.state;
        let result = BrotliDecompressStream(
            &mut unread,
            &mut read,
            input,
            &mut room,
            &mut written,
            output,
            &mut in_total,
            state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(Fault::Corrupt(format!("{:?}", state.error_code))),
            BrotliResult::ResultSuccess => self.is_ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { read, written })
    }

    fn is_complete(&self) -> bool {
        self.is_ended
    }
}
