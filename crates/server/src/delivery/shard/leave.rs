//! The departure of subscribers: the work that a shard has to do after its `FanOut` has removed them.
use super::{Shard, seals::Sealing};
use fanfare_hub::{
    ending::EndReason,
    fan_out::{Departed, Departure, MemberKey},
};
use mio::net::TcpStream;
use std::{
    io::{self, Read as _},
    net::Shutdown,
    sync::atomic::Ordering,
    time::Duration,
};
use tokio::{io::AsyncWriteExt as _, time::timeout};

/// The greatest number of bytes that are read from a peer before its socket is closed.
const MAX_DRAINED_BYTES: usize = 64 << 10;
/// The time that a peer may take to make room for the last record of its stream. A slow one has to take all bytes first
/// that the system holds for it.
const END_TIMEOUT: Duration = Duration::from_secs(10);
/// The number of streams that are ended before the sockets of those that have ended are closed. So the shard shows
/// progress while it ends very many streams.
const ENDED_TOGETHER: usize = 256;

impl Shard {
    /// Closes the sockets of subscribers that have left, releases their permits, and stops following the audiences that
    /// have no member left on this shard: it gets no more events of these audiences.
    pub(super) fn settle(&mut self) {
        for key in self.sockets.take_worn() {
            self.fan_out.turn(self.now, &mut self.sockets).end(key);
            // Its peer may have no room for the rest of an event, and has only a short time.
            self.schedule(key);
        }
        for Departed { member, how, tag } in self.fan_out.take_departed() {
            self.sockets.turns().advance();
            self.wheel.cancel(member);
            self.waits.remove(&member);
            self.presence.end(member);
            self.signers.end(tag);
            self.places.add_permits(1);
            self.load.fetch_sub(1, Ordering::Relaxed);
            let Some((mut socket, sealing)) = self.sockets.remove(member) else { continue };
            // On most systems, closing the socket also removes it from the poll. This call is needed on the other
            // systems.
            _ = self.poll.registry().deregister(&mut socket);
            match (how, sealing) {
                (Departure::Ended, None) => finish(&socket),
                (Departure::Ended, Some(sealing)) => self.finish_sealed(member, socket, *sealing),
                (Departure::Gone | Departure::NoLog, None) => {}
                // A peer with TLS says that it leaves, in a record that nobody reads.
                (Departure::Gone | Departure::NoLog, Some(_)) => drain(&socket),
            }
        }
        for (audience, part) in self.fan_out.take_abandoned() {
            self.mailbox.unfollow(audience, part);
        }
    }

    /// Ends the connection of a stream with TLS that has ended. If the socket has no room for the last records, another
    /// thread sends them when it has.
    fn finish_sealed(&self, member: MemberKey, socket: TcpStream, sealing: Sealing) {
        match sealing.end(member, &socket) {
            Ok(left) if left.is_empty() => finish(&socket),
            Ok(left) => {
                self.runtime.spawn(async move {
                    if let Err(error) = send_last(socket, &left).await {
                        tracing::debug!("the last bytes of a stream could not be sent: {error}");
                    }
                });
            }
            Err(error) => tracing::debug!("the last bytes of a stream could not be sent: {error}"),
        }
    }

    /// Ends the streams whose tokens were signed by somebody whom the hub does not trust any more.
    pub(super) fn end_revoked(&mut self) {
        for tag in self.signers.revoked() {
            for keys in self.fan_out.tagged(tag).chunks(ENDED_TOGETHER) {
                let place = |offset| self.mailbox.place(offset);
                let mut turn = self.fan_out.turn(self.now, &mut self.sockets);
                keys.iter().for_each(|key| turn.end_because(*key, EndReason::TokenRevoked, &place));
                self.settle();
                keys.iter().for_each(|key| self.schedule(*key));
            }
        }
    }

    /// Ends all streams. From now on, each new stream gets only the head of its response, and then ends.
    pub(super) fn end_all(&mut self) {
        self.is_ending = true;
        for keys in self.fan_out.keys().collect::<Vec<_>>().chunks(ENDED_TOGETHER) {
            let mut turn = self.fan_out.turn(self.now, &mut self.sockets);
            keys.iter().for_each(|key| turn.end(*key));
            self.settle();
            keys.iter().for_each(|key| self.schedule(*key));
        }
    }
}

/// Sends the last records of a stream, within [`END_TIMEOUT`], and closes the connection.
async fn send_last(socket: TcpStream, last: &[u8]) -> io::Result<()> {
    let mut socket = tokio::net::TcpStream::from_std(socket.into())?;
    let sent = timeout(END_TIMEOUT, async {
        socket.write_all(last).await?;
        socket.flush().await
    });
    sent.await??;
    finish(&TcpStream::from_std(socket.into_std()?));
    Ok(())
}

/// Closes the sending side of the connection, and reads the bytes that the peer has sent.
fn finish(socket: &TcpStream) {
    _ = socket.shutdown(Shutdown::Write);
    drain(socket);
}

/// Reads the bytes that the peer has sent. If a socket is closed while it holds unread bytes, the system resets the
/// connection, and the peer may lose bytes that it has not read yet.
fn drain(mut socket: &TcpStream) {
    let (mut left, mut chunk) = (MAX_DRAINED_BYTES, [0; 4_096]);
    while left > 0
        && let Ok(read @ 1..) = socket.read(&mut chunk)
    {
        left = left.saturating_sub(read);
    }
}
