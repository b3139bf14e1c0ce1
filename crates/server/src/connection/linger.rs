//! The end of a connection whose peer may still be sending a request that was refused.
//!
//! If a socket is closed while it holds data that was not read, the system resets the connection. The reset can reach a
//! peer that is still writing before it has read the answer, and the answer is then lost. So the data that still
//! arrives is read and discarded, up to [`LINGER_BYTES`] bytes and for at most [`LINGER_TIMEOUT`] ([RFC 9112,
//! 9.6](https://www.rfc-editor.org/rfc/rfc9112#section-9.6)).
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, sink},
    time::{sleep_until, timeout_at},
};

/// The number of bytes of a refused request that are still read and discarded. If a peer sends more, its writes block,
/// and it then usually reads the answer.
pub const LINGER_BYTES: u64 = 256 << 10;
/// The time that a peer may take to close its sending side after its request was refused.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// Closes the sending side of the connection, and waits until the peer closes its sending side too, but for at most
/// [`LINGER_TIMEOUT`] in all. Closing a side takes no time without TLS. With TLS it is a record, and a peer that reads
/// nothing has no room for it. Errors are ignored, because the answer has already been sent to the peer.
pub(super) async fn linger(mut socket: impl AsyncRead + AsyncWrite + Unpin) {
    let until = tokio::time::Instant::now() + LINGER_TIMEOUT;
    if !matches!(timeout_at(until, socket.shutdown()).await, Ok(Ok(()))) {
        return;
    }
    let drained = timeout_at(until, copy(&mut (&mut socket).take(LINGER_BYTES), &mut sink())).await;
    if let Ok(Ok(LINGER_BYTES)) = drained {
        sleep_until(until).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::duplex, time::Instant};

    /// Returns how long `linger` takes if the peer sends `bytes` bytes and then closes its side, or does not.
    async fn lingers(bytes: u64, closes: bool) -> Duration {
        let (socket, mut peer) = duplex(1_024);
        let sending = tokio::spawn(async move {
            let sent = peer.write_all(&vec![b'x'; usize::try_from(bytes).unwrap()]).await.is_ok();
            (sent, (!closes).then_some(peer))
        });
        let began = Instant::now();
        linger(socket).await;
        let (sent, _) = sending.await.unwrap();
        assert_eq!(sent, bytes <= LINGER_BYTES + 1_024, "{bytes} bytes");
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_the_peer_and_else_in_time() {
        assert_eq!(lingers(0, true).await, Duration::ZERO);
        assert_eq!(lingers(LINGER_BYTES - 1, true).await, Duration::ZERO);
        assert_eq!(lingers(LINGER_BYTES - 1, false).await, LINGER_TIMEOUT);
        assert_eq!(lingers(LINGER_BYTES + 1_024, true).await, LINGER_TIMEOUT);
        assert_eq!(lingers(LINGER_BYTES + 1_025, true).await, LINGER_TIMEOUT, "not all bytes are read");
    }
}
