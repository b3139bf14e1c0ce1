//! The limit on frames that cost their sender nothing: pings, settings, empty data and the like. Each of them is work for
//! the server, and some of them make it answer. hyper limits the others: requests that are reset, and endless header
//! fields.
use std::time::Instant;

/// The number of such frames that a peer may send at once.
pub const FREE_FRAMES: u32 = 1_000;
/// The number of such frames that a peer may send in each second, in the long run.
pub const FREE_FRAMES_PER_SECOND: u32 = 100;

const FRAME_HEAD_BYTES: usize = 9;
/// The flag of a frame with data after which the stream has no more data.
const END_STREAM: u8 = 1;

/// Reads the heads of the frames that a peer sends, and counts.
#[derive(Debug)]
pub(super) struct FloodGuard {
    /// The number of bytes that come before the next head: the rest of a frame, or of the bytes with which a connection
    /// begins.
    skipped: usize,
    head: [u8; FRAME_HEAD_BYTES],
    /// The number of bytes of `head` that have come.
    filled: usize,
    /// The number of frames that the peer may still send now.
    left: u32,
    /// The time up to which the peer has got more frames.
    since: Instant,
}

/// The error that a peer has sent too many frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flooded;

impl FloodGuard {
    /// Creates the guard of a connection that begins with `preface_bytes` bytes that are no frame.
    pub(super) fn new(preface_bytes: usize, now: Instant) -> Self {
        Self { skipped: preface_bytes, head: [0; FRAME_HEAD_BYTES], filled: 0, left: FREE_FRAMES, since: now }
    }

    /// Notes that these bytes have come.
    ///
    /// # Errors
    /// [`Flooded`] if there are too many frames that cost nothing.
    pub(super) fn came(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Flooded> {
        while !bytes.is_empty() {
            if self.skipped > 0 {
                let skipped = self.skipped.min(bytes.len());
                self.skipped -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let (now_filled, rest) = bytes.split_at(bytes.len().min(FRAME_HEAD_BYTES - self.filled));
            self.head[self.filled..][..now_filled.len()].copy_from_slice(now_filled);
            self.filled += now_filled.len();
            bytes = rest;
            if self.filled == FRAME_HEAD_BYTES {
                let [high, middle, low, kind, flags, ..] = self.head;
                (self.filled, self.skipped) = (0, u32::from_be_bytes([0, high, middle, low]) as usize);
                if is_free(kind, flags, self.skipped) {
                    self.take(now)?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, now: Instant) -> Result<(), Flooded> {
        if self.left == 0 {
            let passed_s = now.saturating_duration_since(self.since).as_secs();
            let more = u32::try_from(passed_s).unwrap_or(u32::MAX).saturating_mul(FREE_FRAMES_PER_SECOND);
            self.left = more.min(FREE_FRAMES);
            self.since = now;
        }
        self.left = self.left.checked_sub(1).ok_or(Flooded)?;
        Ok(())
    }
}

/// True for a frame that costs its sender nothing. Requests, data, resets and windows are not among them: hyper limits
/// the first three, and an honest peer sends many of the last.
fn is_free(kind: u8, flags: u8, length: usize) -> bool {
    match kind {
        0 => length == 0 && flags & END_STREAM == 0,
        1 | 3 | 8 => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.resize(FRAME_HEAD_BYTES + usize::from(length), 6);
        frame
    }

    #[test]
    fn only_frames_that_cost_nothing_are_counted() {
        let now = Instant::now();
        let (data, empty, last) = (frame(0, 0, 1), frame(0, 0, 0), frame(0, END_STREAM, 0));
        let cases = [(data, false), (empty, true), (last, false), (frame(1, 4, 9), false), (frame(3, 0, 4), false)];
        let more = [(frame(8, 0, 4), false), (frame(4, 0, 0), true), (frame(6, 0, 8), true), (frame(99, 0, 3), true)];
        for (frame, counts) in cases.into_iter().chain(more) {
            let mut guard = FloodGuard::new(0, now);
            let sent = guard.came(&frame.repeat(FREE_FRAMES as usize + 1), now);
            assert_eq!(sent.is_err(), counts, "{frame:?}");
        }
    }

    #[test]
    fn more_may_be_sent_later() {
        let (start, ping) = (Instant::now(), frame(6, 0, 8));
        let mut guard = FloodGuard::new(0, start);
        guard.came(&ping.repeat(FREE_FRAMES as usize), start).unwrap();
        assert_eq!(guard.came(&ping, start + Duration::from_millis(999)), Err(Flooded));
        let mut guard = FloodGuard::new(0, start);
        guard.came(&ping.repeat(FREE_FRAMES as usize), start).unwrap();
        let later = start + Duration::from_secs(2);
        guard.came(&ping.repeat(2 * FREE_FRAMES_PER_SECOND as usize), later).unwrap();
        assert_eq!(guard.came(&ping, later), Err(Flooded));
    }

    proptest! {
        /// However the bytes are divided, the same frames are counted.
        #[test]
        fn heads_are_found_in_pieces(
            preface in 0..30_usize,
            frames in prop::collection::vec((0..10_u8, 0..2_u8, 0..20_u8), 0..50),
            pieces in prop::collection::vec(1..40_usize, 1..100),
        ) {
            let now = Instant::now();
            let mut bytes = vec![6; preface];
            frames.iter().for_each(|(kind, flags, length)| bytes.extend(frame(*kind, *flags, *length)));
            let counted = frames.iter().filter(|(kind, flags, length)| is_free(*kind, *flags, usize::from(*length))).count();
            let mut guard = FloodGuard::new(preface, now);
            let (mut rest, mut pieces) = (&bytes[..], pieces.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(*pieces.next().unwrap()));
                guard.came(piece, now).unwrap();
                rest = after;
            }
            prop_assert_eq!(guard.left as usize, FREE_FRAMES as usize - counted);
        }
    }
}
