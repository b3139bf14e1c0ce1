//! The decoder of `zstd` data (RFC 8878), which has one or more frames, one after another.
//!
//! It uses the C library `zstd`. The Rust library `ruzstd` returns nothing of an unfinished frame before it has decoded
//! a whole window, so an event would be returned only after megabytes of later events.

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use super::decoder::{Decode, Fault, Step};

/// The base-2 logarithm of the largest window: 8 MiB, the limit that RFC 9659 sets for this coding.
pub(super) const WINDOW_LOG_MAX: u32 = 23;

pub(super) struct Zstd {
    context: DCtx<'static>,
    is_between: bool,
}

impl Zstd {
    pub(super) fn new() -> Self {
        let mut context = DCtx::create();
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).expect("the library supports this window size");
        Self { context, is_between: true }
    }
}

impl Decode for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        if self.is_between && input.is_empty() {
            return Ok(Step { read: 0, written: 0 });
        }
        let mut input = InBuffer::around(input);
        let mut output = OutBuffer::around(output);
        let corrupt = |code| Fault::Corrupt(get_error_name(code).into());
        // The library returns 0 at the end of a frame, when it has returned all of the frame's data.
        self.is_between = self.context.decompress_stream(&mut output, &mut input).map_err(corrupt)? == 0;
        Ok(Step { read: input.pos(), written: output.pos() })
    }

    fn is_complete(&self) -> bool {
        self.is_between
    }
}
