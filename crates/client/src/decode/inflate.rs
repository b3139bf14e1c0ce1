//! The decoders of `gzip` (RFC 1952) and `deflate` (RFC 1951, with or without the zlib header of RFC 1950).

use flate2::{Decompress, FlushDecompress, Status};

use super::decoder::{Decode, Fault, Step};

/// The base-2 logarithm of 32 KiB, the largest window of these formats.
const WINDOW_BITS: u8 = 15;
/// The first byte of each gzip member.
const GZIP_MAGIC: u8 = 0x1f;
/// The value of the low four bits of the first byte of a zlib header. Data without a zlib header does not begin with
/// this value: only a stored block with padding bits that are not zero could, and no encoder writes these.
const ZLIB_METHOD: u8 = 8;

/// The decoder of `gzip` data, which has one or more members, one after another.
pub(super) struct Gzip {
    member: Decompress,
    is_between: bool,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { member: Decompress::new_gzip(WINDOW_BITS), is_between: true }
    }
}

impl Decode for Gzip {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        if self.is_between {
            match input.first() {
                None => return Ok(Step { read: 0, written: 0 }),
                Some(&GZIP_MAGIC) => {}
                Some(_) if self.member.total_in() == 0 => {
                    return Err(Fault::Corrupt("it does not begin like gzip data".into()));
                }
                Some(_) => return Err(Fault::Trailing),
            }
            if self.member.total_in() > 0 {
                self.member = Decompress::new_gzip(WINDOW_BITS);
            }
            self.is_between = false;
        }
        let (step, is_end) = inflate(&mut self.member, input, output)?;
        self.is_between = is_end;
        Ok(step)
    }

    fn is_complete(&self) -> bool {
        self.is_between
    }
}

/// The decoder of `deflate` data. The first byte of the data shows if there is a zlib header.
pub(super) struct Deflate {
    stream: Option<Decompress>,
    is_ended: bool,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self { stream: None, is_ended: false }
    }
}

impl Decode for Deflate {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let Some(first) = input.first().filter(|_| self.stream.is_none()) else {
            return self.go_on(input, output);
        };
        self.stream = Some(Decompress::new(first & 0x0f == ZLIB_METHOD));
        self.go_on(input, output)
    }

    fn is_complete(&self) -> bool {
        self.is_ended
    }
}

impl Deflate {
    fn go_on(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.is_ended) else {
            return if input.is_empty() { Ok(Step { read: 0, written: 0 }) } else { Err(Fault::Trailing) };
        };
        let (step, is_end) = inflate(stream, input, output)?;
        self.is_ended = is_end;
        Ok(step)
    }
}

/// Does one decoding step. Returns the numbers of bytes that were read and written, and true if the compressed data has
/// ended.
fn inflate(stream: &mut Decompress, input: &[u8], output: &mut [u8]) -> Result<(Step, bool), Fault> {
    let (read, written) = (stream.total_in(), stream.total_out());
    let corrupt =
        |error: flate2::DecompressError| Fault::Corrupt(error.message().unwrap_or("its data is damaged").into());
    let status = stream.decompress(input, output, FlushDecompress::Sync).map_err(corrupt)?;
    let bytes = |now: u64, before: u64| {
        usize::try_from(now - before).expect("one step reads and writes no more than a slice holds")
    };
    let step = Step { read: bytes(stream.total_in(), read), written: bytes(stream.total_out(), written) };
    Ok((step, status == Status::StreamEnd))
}
