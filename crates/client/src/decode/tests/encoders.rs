//! The encoders of a server, which compress, and flush after each event.

use std::io::Write;

use ::brotli::CompressorWriter;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

pub(super) trait Encode {
    /// Returns the encoded bytes for `bytes`, up to a flush.
    fn flush(&mut self, bytes: &[u8]) -> Vec<u8>;

    /// Returns the encoded bytes that end the body.
    fn end(self: Box<Self>) -> Vec<u8>;
}

/// Returns an encoder by the name of its coding. `raw` is deflate without the zlib header.
pub(super) fn encoder(name: &str) -> Box<dyn Encode> {
    match name {
        "gzip" => Box::new(GzEncoder::new(Vec::new(), Compression::default())),
        "deflate" => Box::new(ZlibEncoder::new(Vec::new(), Compression::default())),
        "raw" => Box::new(DeflateEncoder::new(Vec::new(), Compression::default())),
        "br" => Box::new(brotli_encoder(22)),
        "zstd" => Box::new(zstd_encoder(20)),
        _ => panic!("no encoder for {name}"),
    }
}

pub(super) fn brotli_encoder(window_log: i32) -> CompressorWriter<Vec<u8>> {
    let large_window = window_log > 24;
    let params =
        ::brotli::enc::BrotliEncoderParams { quality: 5, lgwin: window_log, large_window, ..Default::default() };
    CompressorWriter::with_params(Vec::new(), 4096, &params)
}

pub(super) fn zstd_encoder(window_log: u32) -> CCtx<'static> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::WindowLog(window_log)).expect("a window");
    context
}

/// Encodes a whole body at once.
pub(super) fn encode(name: &str, bytes: &[u8]) -> Vec<u8> {
    all(encoder(name), bytes)
}

pub(super) fn all(mut encoder: Box<dyn Encode>, bytes: &[u8]) -> Vec<u8> {
    let mut encoded = encoder.flush(bytes);
    encoded.extend(encoder.end());
    encoded
}

/// Several encoders, in the order of the header: the last one is applied last.
pub(super) struct Chain(pub(super) Vec<Box<dyn Encode>>);

impl Encode for Chain {
    fn flush(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.iter_mut().fold(bytes.to_vec(), |bytes, encoder| encoder.flush(&bytes))
    }

    fn end(self: Box<Self>) -> Vec<u8> {
        self.0.into_iter().fold(Vec::new(), |bytes, mut encoder| {
            let mut encoded = if bytes.is_empty() { Vec::new() } else { encoder.flush(&bytes) };
            encoded.extend(encoder.end());
            encoded
        })
    }
}

macro_rules! encode_by_writer {
    ($($encoder:ident => $end:ident),*) => {$(
        impl Encode for $encoder<Vec<u8>> {
            fn flush(&mut self, bytes: &[u8]) -> Vec<u8> {
                self.write_all(bytes).and_then(|()| Write::flush(self)).expect("memory takes all");
                std::mem::take(self.get_mut())
            }

            fn end(self: Box<Self>) -> Vec<u8> {
                $end(*self)
            }
        }
    )*};
}

encode_by_writer!(GzEncoder => end_gzip, ZlibEncoder => end_zlib, DeflateEncoder => end_raw, CompressorWriter => end_brotli);

fn end_gzip(encoder: GzEncoder<Vec<u8>>) -> Vec<u8> {
    encoder.finish().expect("memory takes all")
}

fn end_zlib(encoder: ZlibEncoder<Vec<u8>>) -> Vec<u8> {
    encoder.finish().expect("memory takes all")
}

fn end_raw(encoder: DeflateEncoder<Vec<u8>>) -> Vec<u8> {
    encoder.finish().expect("memory takes all")
}

fn end_brotli(encoder: CompressorWriter<Vec<u8>>) -> Vec<u8> {
    encoder.into_inner()
}

impl Encode for CCtx<'static> {
    fn flush(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut encoded = Vec::new();
        let mut input = InBuffer::around(bytes);
        let mut piece = vec![0; CCtx::out_size()];
        loop {
            let mut output = OutBuffer::around(&mut piece[..]);
            let rest = if input.pos() < bytes.len() {
                self.compress_stream(&mut output, &mut input).expect("to compress").max(1)
            } else {
                self.flush_stream(&mut output).expect("to flush")
            };
            encoded.extend_from_slice(output.as_slice());
            if rest == 0 {
                return encoded;
            }
        }
    }

    fn end(mut self: Box<Self>) -> Vec<u8> {
        let mut piece = vec![0; CCtx::out_size()];
        let mut output = OutBuffer::around(&mut piece[..]);
        assert_eq!(self.end_stream(&mut output).expect("to end"), 0);
        output.as_slice().to_vec()
    }
}
