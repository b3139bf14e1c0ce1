//! A connection, and facts that are found in its bytes: if an answer has begun to come, and how many streams an HTTP/2
//! server allows.
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::Connection;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};
use tokio::sync::watch;

/// The greatest number of bytes that one read inspects. Inspected bytes are copied once more than other bytes, so their
/// number is limited.
const LOOK_BYTES: usize = 1 << 10;
/// The first bytes of a TLS record: an alert or a handshake message, version 3.
const TLS_RECORDS: [[u8; 2]; 2] = [[0x15, 3], [0x16, 3]];

/// The facts that were found in a connection's bytes.
#[derive(Debug)]
pub(super) struct Wire {
    /// True if bytes have come since bytes were last sent.
    answered: AtomicBool,
    /// True if the first bytes look like TLS.
    tls: AtomicBool,
    /// The number of streams that the server allows at a time. `None` until the server has said it, and 0 if the
    /// connection ended before that.
    streams: watch::Sender<Option<u32>>,
}

impl Wire {
    /// Returns true if nothing has come since bytes were last sent. This is known only over HTTP/1.1.
    pub(super) fn is_unanswered(&self) -> bool {
        !self.answered.load(Relaxed)
    }

    pub(super) fn looks_like_tls(&self) -> bool {
        self.tls.load(Relaxed)
    }

    #[cfg(feature = "http2")]
    pub(super) fn streams(&self) -> watch::Receiver<Option<u32>> {
        self.streams.subscribe()
    }
}

pub(super) trait Io: Read + Write + Connection + Send + Unpin {}

impl<T: Read + Write + Connection + Send + Unpin> Io for T {}

/// A connection, whatever layers (TCP, TLS, proxy) it consists of.
pub(super) struct Connect {
    io: Box<dyn Io>,
    /// True if the peer is a proxy that needs the whole URL in the request.
    pub(super) is_forwarded: bool,
    pub(super) wire: Arc<Wire>,
    /// True if the next bytes that come have to be inspected.
    looks: bool,
    settings: Option<Settings>,
}

impl Connect {
    pub(super) fn new(io: Box<dyn Io>, is_forwarded: bool) -> Self {
        let wire =
            Wire { answered: AtomicBool::new(false), tls: AtomicBool::new(false), streams: watch::Sender::new(None) };
        Self { io, is_forwarded, wire: Arc::new(wire), looks: false, settings: None }
    }

    #[cfg(feature = "http2")]
    pub(super) fn connected(&self) -> hyper_util::client::legacy::connect::Connected {
        self.io.connected()
    }

    /// Notes that this connection uses HTTP/2, so the server's settings have to be found.
    #[cfg(feature = "http2")]
    pub(super) fn expect_settings(&mut self) {
        self.settings = Some(Settings::default());
    }

    fn has_sent(&mut self) {
        // Over HTTP/2, bytes that come after sent bytes need not be an answer to them. So only the first frame of the
        // server is inspected.
        if self.settings.is_none() {
            self.wire.answered.store(false, Relaxed);
            self.looks = true;
        }
    }

    fn look(&mut self, bytes: &[u8]) {
        if let Some(settings) = &mut self.settings {
            if let Some(streams) = settings.read(bytes) {
                self.wire.streams.send_replace(Some(streams));
            }
            return;
        }
        if TLS_RECORDS.iter().any(|record| bytes.starts_with(record)) {
            self.wire.tls.store(true, Relaxed);
        }
        self.wire.answered.store(true, Relaxed);
        self.looks = false;
    }

    /// Reads from the connection into `buffer`, and inspects the bytes that come. The bytes are read into a second
    /// buffer first and then copied into `buffer`, because `buffer` shows neither its content nor how many bytes were
    /// added.
    fn poll_look(&mut self, context: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; LOOK_BYTES];
        let room = buffer.remaining().min(LOOK_BYTES);
        let mut own = ReadBuf::new(&mut bytes[..room]);
        ready!(Pin::new(&mut self.io).poll_read(context, own.unfilled()))?;
        let read = own.filled();
        if !read.is_empty() {
            self.look(read);
            buffer.put_slice(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        // The connection has ended, so the server will never send its number of streams. A task that waits for the
        // number gets 0.
        self.wire.streams.send_if_modified(|streams| {
            let is_over = streams.is_none();
            streams.get_or_insert(0);
            is_over
        });
    }
}

impl Read for Connect {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.looks || this.settings.as_ref().is_some_and(|settings| !settings.is_read) {
            return this.poll_look(context, buffer);
        }
        Pin::new(&mut this.io).poll_read(context, buffer)
    }
}

impl Write for Connect {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.has_sent();
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.has_sent();
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// The first frame that an HTTP/2 server sends, which says how many streams it allows ([RFC 9113,
/// 6.5](https://www.rfc-editor.org/rfc/rfc9113#section-6.5)).
#[derive(Debug, Default)]
struct Settings {
    /// The unfinished part of the frame: its head, or the setting that has begun. Earlier bytes are not kept.
    held: Vec<u8>,
    /// The number of bytes of the frame that are still to come, once its head is read.
    left: Option<usize>,
    streams: Option<u32>,
    is_read: bool,
}

impl Settings {
    const HEAD_BYTES: usize = 9;
    const KIND: u8 = 4;
    const SETTING_BYTES: usize = 6;

    /// Reads the next bytes. Returns the number of allowed streams once it is known. A server that names no number
    /// allows any number.
    fn read(&mut self, bytes: &[u8]) -> Option<u32> {
        for &byte in bytes {
            if self.is_read {
                break;
            }
            self.take(byte);
            if self.is_read {
                return Some(self.streams.unwrap_or(u32::MAX));
            }
        }
        None
    }

    fn take(&mut self, byte: u8) {
        self.held.push(byte);
        let Some(left) = &mut self.left else {
            if let [high, middle, low, kind, ..] = self.held[..]
                && self.held.len() == Self::HEAD_BYTES
            {
                let length = u32::from_be_bytes([0, high, middle, low]) as usize;
                self.left = Some(length);
                // If the first frame is of another kind, nothing is read from it: it is an error of the server, which
                // hyper reports.
                self.is_read = length == 0 || kind != Self::KIND;
                self.held.clear();
            }
            return;
        };
        *left -= 1;
        self.is_read = *left == 0;
        if self.held.len() == Self::SETTING_BYTES {
            // Setting 3 is SETTINGS_MAX_CONCURRENT_STREAMS.
            if let [0, 3, a, b, c, d] = self.held[..] {
                self.streams = Some(u32::from_be_bytes([a, b, c, d]));
            }
            self.held.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, settings: &[[u8; 6]]) -> Vec<u8> {
        let payload = settings.concat();
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, 0, 0, 0, 0, 0][..], &payload, b"what follows"].concat()
    }

    #[test]
    fn a_server_says_how_many_streams_it_allows() {
        let cases = [
            (frame(4, &[[0, 3, 0, 0, 0, 100]]), 100),
            (frame(4, &[[0, 4, 0, 1, 0, 0], [0, 3, 0, 0, 1, 1], [0, 5, 0, 0, 64, 0]]), 257),
            (frame(4, &[[0, 3, 0, 0, 0, 0]]), 0),
            (frame(4, &[[0, 4, 0, 1, 0, 0]]), u32::MAX),
            (frame(4, &[]), u32::MAX),
            (frame(7, &[[0, 3, 0, 0, 0, 1]]), u32::MAX),
        ];
        for (bytes, expected) in cases {
            for size in [1, 4, 1000] {
                let mut settings = Settings::default();
                let said: Vec<u32> = bytes.chunks(size).filter_map(|piece| settings.read(piece)).collect();
                assert_eq!(said, [expected], "{bytes:?} by {size}");
            }
        }
    }
}
