//! The baseline with one send per subscriber and event, as in [`bare_write`](crate::bare_write), but with many sends in
//! one system call, through [io_uring](https://man7.org/linux/man-pages/man7/io_uring.7.html).
use crate::bare_server;
use io_uring::{IoUring, opcode::Send, squeue, types::Fd};
use std::{fs::File, io, net::TcpListener, os::fd::AsRawFd};

/// The number of sends in one system call. With fewer sends, each costs more; more than 256 bring no further gain.
const BATCH: u32 = 512;
/// The flags of a send. The send never waits: if the socket is full, or accepts only a part of the bytes, the send
/// fails at once.
const FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | libc::MSG_WAITALL;

/// Returns true if this kernel has io_uring and allows this process to use it.
#[must_use]
pub fn is_available() -> bool {
    ring().is_ok()
}

/// Prints the listener's address, and serves until this process is killed.
///
/// # Errors
/// An error if there is no io_uring, if a connection cannot be accepted, or if a subscriber's socket is full.
pub fn serve(listener: TcpListener) -> io::Result<()> {
    let mut ring = ring()?;
    bare_server::serve(listener, move |subscribers, event| broadcast(&mut ring, subscribers, event))
}

fn ring() -> io::Result<IoUring> {
    IoUring::builder().setup_single_issuer().setup_submit_all().build(BATCH)
}

fn broadcast(ring: &mut IoUring, subscribers: &mut Vec<File>, event: &[u8]) -> io::Result<()> {
    let mut left = Vec::new();
    for (batch, some) in subscribers.chunks(BATCH as usize).enumerate() {
        submit(ring, some, event)?;
        // A send that succeeds has no completion (`SKIP_SUCCESS`). So each completion belongs to a send that failed or
        // was not complete.
        for failed in ring.completion() {
            let result = failed.result();
            let sent = usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result));
            if !bare_server::stays(sent, event)? {
                left.push(batch * BATCH as usize + usize::try_from(failed.user_data()).unwrap_or(usize::MAX));
            }
        }
    }
    left.sort_unstable();
    for index in left.into_iter().rev() {
        subscribers.swap_remove(index);
    }
    Ok(())
}

/// Sends the event to at most [`BATCH`] subscribers.
fn submit(ring: &mut IoUring, subscribers: &[File], event: &[u8]) -> io::Result<()> {
    let length = u32::try_from(event.len()).map_err(io::Error::other)?;
    let mut submissions = ring.submission();
    for (index, subscriber) in (0..).zip(subscribers) {
        let send = Send::new(Fd(subscriber.as_raw_fd()), event.as_ptr(), length).flags(FLAGS).build();
        let send = send.flags(squeue::Flags::SKIP_SUCCESS).user_data(index);
        // SAFETY: the kernel reads the event only until `submit` returns, because a send that may not wait is not tried
        // again later. `event` lives longer than this. If `submit` does not take all sends, this process ends with an
        // error.
        #[allow(unsafe_code, reason = "the crate cannot know how long the kernel reads the event")]
        let pushed = unsafe { submissions.push(&send) };
        pushed.map_err(io::Error::other)?;
    }
    drop(submissions);
    let submitted = ring.submit()?;
    if submitted == subscribers.len() { Ok(()) } else { Err(io::Error::other("the kernel did not take all sends")) }
}
