//! Sends in batches through [io_uring](https://man7.org/linux/man-pages/man7/io_uring.7.html): one system call makes
//! hundreds of sends.
//!
//! Each send is one request that may not wait (`MSG_DONTWAIT`, hence `REQ_F_NOWAIT` in the kernel). The kernel carries
//! out such a request during the call that submits it: it does not keep the request until the socket has room, nor give
//! it to a worker thread. So when the call returns, the kernel has taken all requests, or only the first ones. For each
//! request that it took, there is a completion, which says how many bytes the socket took. The code checks that the
//! kernel behaves in this way: it counts the completions, and [`probe`] tries everything once before the first real
//! send.
//!
//! If the ring fails, one system call is made for each send that the ring has not taken, and for each later send.
mod probe;
#[cfg(test)]
mod tests;

use super::{BATCH, MAX_SEND_BYTES, Send, Turns, Unsent, send_one, send_plainly};
use io_uring::{IoUring, opcode, types::Fd};
use std::{
    fmt::{self, Debug, Formatter},
    io,
    os::fd::AsRawFd,
    process, thread,
};

const BATCH_LEN: usize = BATCH as usize;
/// The smallest number of sends for which the ring is used. If there are fewer, one system call for each send costs
/// less.
const FEWEST: usize = 8;
/// The number of system calls in a row, without a new request taken or completed, after which the ring counts as
/// broken.
const SETBACKS: u32 = 16;
/// The value for a send that has no result yet. No completion of a request has this value.
const PENDING: i32 = i32::MAX;

/// The ring of one shard.
pub(crate) struct Uring {
    /// The ring; `None` after it has failed.
    ring: Option<IoUring>,
    /// The result of each send of a batch: the number of bytes that the socket took, or a negative error number.
    results: Vec<i32>,
    /// Gives the queued requests to the kernel. Tests replace this with a function that fails.
    submit: fn(&IoUring) -> io::Result<usize>,
}

impl Uring {
    /// Creates a ring, and tests that it does what this module relies on.
    ///
    /// # Errors
    /// If the kernel has no io_uring, does not let us use it, or does not do what this module relies on.
    pub(super) fn start() -> io::Result<Self> {
        let ring = IoUring::new(BATCH)?;
        let mut uring = Self { ring: Some(ring), results: Vec::with_capacity(BATCH_LEN), submit: IoUring::submit };
        probe::run(&mut uring)?;
        Ok(uring)
    }

    /// Does the same as [`Engine::send`](super::Engine::send).
    pub(super) fn send<'a>(&mut self, sends: impl Iterator<Item = Send<'a>>, unsent: &mut Vec<Unsent>, turns: &Turns) {
        let mut batch = Vec::with_capacity(sends.size_hint().0.min(BATCH_LEN));
        sends.for_each(|send| {
            batch.push(send);
            if batch.len() == BATCH_LEN {
                self.send_batch(&batch, unsent, turns);
                batch.clear();
                turns.advance();
                thread::yield_now();
            }
        });
        if batch.len() < FEWEST {
            send_plainly(batch.into_iter(), unsent, turns);
        } else {
            self.send_batch(&batch, unsent, turns);
        }
    }

    /// Makes at most [`BATCH`] sends.
    fn send_batch(&mut self, batch: &[Send<'_>], unsent: &mut Vec<Unsent>, turns: &Turns) {
        // SAFETY: if the kernel keeps a send, the process is aborted here, so nothing changes or frees the bytes.
        #[allow(unsafe_code, reason = "the bytes are borrowed for no longer than this call")]
        let taken = unsafe { self.submit(batch) }.unwrap_or_else(|Kept| {
            tracing::error!(
                "io_uring has kept a send that must not wait; the process aborts before a subscriber gets wrong bytes"
            );
            process::abort()
        });
        for (send, &result) in batch.iter().zip(&self.results[..taken]) {
            match sent(send, result) {
                Ok(sent) if sent == send.bytes.len() => {}
                sent => unsent.push(Unsent { member: send.member, taken: sent }),
            }
        }
        send_plainly(batch[taken..].iter().copied(), unsent, turns);
    }

    /// Lets the kernel carry out a batch of sends. Returns how many sends of the batch the kernel has taken: these are
    /// the first sends of the batch, and `results` has their results. If the kernel has not taken all sends, the ring
    /// has failed and is not used any more.
    ///
    /// # Safety
    /// If this returns [`Kept`], the kernel may read the bytes of the batch at any later time: they must never change
    /// or be freed.
    #[allow(unsafe_code, reason = "the comment above says what is unsafe")]
    unsafe fn submit(&mut self, batch: &[Send<'_>]) -> Result<usize, Kept> {
        self.results.clear();
        let Some(ring) = &mut self.ring else { return Ok(0) };
        self.results.resize(batch.len(), PENDING);
        queue(ring, batch);
        let (mut taken, mut completed, mut setbacks) = (0, 0, 0);
        loop {
            let submitted = (self.submit)(ring);
            let before = (taken, completed);
            for completion in ring.completion() {
                let place = usize::try_from(completion.user_data()).ok();
                if let Some(result) = place.and_then(|place| self.results.get_mut(place)) {
                    completed += usize::from(*result == PENDING);
                    *result = completion.result();
                }
            }
            taken = batch.len() - ring.submission().len();
            if taken == batch.len() && completed == taken {
                return Ok(taken);
            }
            // If the call was interrupted, or if the kernel had no memory for it, another call may take the remaining
            // requests.
            setbacks = if (taken, completed) == before { setbacks + 1 } else { 0 };
            if setbacks < SETBACKS {
                continue;
            }
            if completed < taken {
                return Err(Kept);
            }
            tracing::warn!(?submitted, "io_uring fails; each send uses one system call from now on");
            // The requests that are still queued are dropped with the ring. The kernel cannot take them any more: it
            // takes requests only during a call, since the ring has no kernel thread.
            self.ring = None;
            return Ok(taken);
        }
    }
}

/// The error that the kernel has kept a request, although it must carry out each request at once.
struct Kept;

/// Puts one request for each send into the ring, which must be empty. The user data of a request is the send's index in
/// the batch.
fn queue(ring: &mut IoUring, batch: &[Send<'_>]) {
    let mut submissions = ring.submission();
    for (place, send) in (0..).zip(batch) {
        let length = u32::try_from(send.bytes.len()).unwrap_or(u32::MAX).min(MAX_SEND_BYTES);
        let request = opcode::Send::new(Fd(send.socket.as_raw_fd()), send.bytes.as_ptr(), length)
            .flags(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
            .build()
            .user_data(place);
        // SAFETY: the address and the descriptor have to be valid until the kernel has finished the request. `submit`
        // borrows `batch`, and through it the bytes and the sockets. It returns only when the kernel has finished all
        // requests that it has taken, or it returns `Kept`, after which its callers never free or change the bytes.
        // `submit` has seen the completions of all requests that the kernel has taken, and a send completes once, after
        // its bytes were copied or refused. A request that the kernel has not taken when `submit` returns is never
        // taken: the ring is closed then, and it has no kernel thread that polls it (`SQPOLL`). The ring contains no
        // other request: it is empty when a batch begins, because all requests of earlier batches are finished, and
        // because of `&mut self` no other code can put a request into it.
        #[allow(unsafe_code, reason = "the crate cannot know how long the kernel reads the bytes")]
        let queued = unsafe { submissions.push(&request) };
        debug_assert!(queued.is_ok(), "a batch is never larger than the ring");
    }
}

/// Converts the result of a request into the number of bytes that were sent, or an error.
fn sent(send: &Send<'_>, result: i32) -> io::Result<usize> {
    match usize::try_from(result) {
        Ok(sent) => Ok(sent),
        Err(_) => match -result {
            libc::EAGAIN => Ok(0),
            // These errors are about the request, and the socket took no bytes. So the send is tried once more with a
            // system call.
            libc::ENOMEM | libc::ECANCELED | libc::EINTR => send_one(send),
            error => Err(io::Error::from_raw_os_error(error)),
        },
    }
}

impl Debug for Uring {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Uring").field("works", &self.ring.is_some()).finish_non_exhaustive()
    }
}
