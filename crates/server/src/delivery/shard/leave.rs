//! The departure of subscribers: the work that a shard has to do after its `FanOut` has removed them.
use super::Shard;
use fanfare_hub::{
    ending::EndReason,
    fan_out::{Departed, Departure},
};
use mio::net::TcpStream;
use std::{io::Read as _, net::Shutdown, sync::atomic::Ordering};

/// The greatest number of bytes that are read from a peer before its socket is closed.
const MAX_DRAINED_BYTES: usize = 64 << 10;
/// The number of streams that are ended before the sockets of those that have ended are closed. So the shard shows
/// progress while it ends very many streams.
const ENDED_TOGETHER: usize = 256;

impl Shard {
    /// Closes the sockets of subscribers that have left, releases their permits, and stops following the audiences that
    /// have no member left on this shard: it gets no more events of these audiences.
    pub(super) fn settle(&mut self) {
        for Departed { member, how, tag } in self.fan_out.take_departed() {
            self.sockets.turns().advance();
            self.wheel.cancel(member);
            self.waits.remove(&member);
            self.presence.end(member);
            self.signers.end(tag);
            self.places.add_permits(1);
            self.load.fetch_sub(1, Ordering::Relaxed);
            let Some(mut socket) = self.sockets.remove(member) else { continue };
            if how == Departure::Ended {
                finish(&socket);
            }
            // On most systems, closing the socket also removes it from the poll. This call is needed on the other
            // systems.
            _ = self.poll.registry().deregister(&mut socket);
        }
        for (audience, part) in self.fan_out.take_abandoned() {
            self.mailbox.unfollow(audience, part);
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

/// Closes the sending side of the connection, and reads the bytes that the peer has sent. If a socket is closed while
/// it holds unread bytes, the system resets the connection, and the peer may lose bytes that it has not read yet.
fn finish(mut socket: &TcpStream) {
    let (mut left, mut chunk) = (MAX_DRAINED_BYTES, [0; 4_096]);
    _ = socket.shutdown(Shutdown::Write);
    while left > 0
        && let Ok(read @ 1..) = socket.read(&mut chunk)
    {
        left = left.saturating_sub(read);
    }
}
