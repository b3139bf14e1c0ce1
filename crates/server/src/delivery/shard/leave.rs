//! The leaving of a member, because its peer is gone, or because its stream has come to its end.
use super::{Shard, keys::MemberKey, member::State};
use bytes::Bytes;
use fanfare_hub::{
    ending::{EndReason, Ending},
    entry::Timestamp,
    position::Offset,
};
use mio::net::TcpStream;
use std::{io::Read, net::Shutdown, sync::atomic::Ordering, time::Duration};

/// The time that the rest of an event may take when its stream has ended.
const GRACE: Duration = Duration::from_secs(1);
/// The most bytes that are read from a peer before its socket is closed.
const MAX_DRAINED_BYTES: usize = 64 << 10;

impl Shard {
    /// Takes a member out and closes its socket.
    pub(super) fn leave(&mut self, key: MemberKey) {
        if !self.members.contains(key as usize) {
            return;
        }
        self.stop_waiting(key);
        self.wheel.cancel(key);
        self.presence.end(key);
        let mut member = self.members.remove(key as usize);
        // Closing it takes it out of the poll as well; this is for systems where it does not.
        _ = self.poll.registry().deregister(&mut member.socket);
        self.places.add_permits(1);
        self.load.fetch_sub(1, Ordering::Relaxed);
        let part = self.parts.get_mut(member.part);
        if member.state == State::CatchesUp {
            part.readers.retain(|reader| *reader != key);
        }
        part.members -= 1;
        if part.members > 0 {
            part.forget_what_nobody_needs();
        } else {
            let (audience, part) = self.parts.remove(member.part);
            self.mailbox.unfollow(&audience, part);
        }
    }

    /// Ends a member's stream, so that its peer gets all that was sent. Of an event that was begun the rest is still
    /// sent, if the peer makes room for it soon.
    pub(super) fn end(&mut self, key: MemberKey) {
        let Some(member) = self.members.get_mut(key as usize) else { return };
        if member.unsent.is_none() {
            self.close(key);
        } else if member.state != State::Ends {
            member.state = State::Ends;
            member.ends = Some(self.now + GRACE);
            self.schedule(key);
        }
    }

    /// Ends the stream of a member whose time has come, and tells it why if it has to know. That counts as the rest of
    /// an event: it stands behind what was begun, and before what the member has not reached.
    pub(super) fn end_because(&mut self, key: MemberKey) {
        if let Some(reason) = self.member_mut(key).end_reason.take() {
            let (cursor, told) = self.told(key, reason);
            match self.member_mut(key).unsent.take() {
                Some(left) => {
                    let [first, second] = *left;
                    let then = if second.is_empty() { told } else { [&second[..], &told].concat().into() };
                    self.member_mut(key).unsent = Some(Box::new([first, then]));
                }
                None => match self.send_to(key, &told) {
                    Some(sent) if sent == told.len() => {}
                    Some(sent) => self.is_full(key, cursor, [told.slice(sent..), Bytes::new()]),
                    None => return,
                },
            }
        }
        self.end(key);
    }

    /// The place where a member stands, and the event that tells it why its stream ends.
    fn told(&self, key: MemberKey, reason: EndReason) -> (Offset, Bytes) {
        let member = self.member(key);
        let part = self.parts.get(member.part);
        let cursor = match member.state {
            State::Waits(_) => member.cursor.max(part.head),
            State::Full | State::CatchesUp | State::Ends => member.cursor,
        };
        let (reached, mut bytes) = (self.mailbox.id_behind(cursor), Vec::new());
        part.key.representation.encode_ending(&Ending { reason }, &reached, Timestamp::now(), &mut bytes);
        (cursor, bytes.into())
    }

    /// Closes the socket of a member behind all that it took.
    pub(super) fn close(&mut self, key: MemberKey) {
        finish(&self.member(key).socket);
        self.leave(key);
    }

    /// Ends all streams, and those that come yet.
    pub(super) fn end_all(&mut self) {
        self.is_ending = true;
        let keys: Vec<_> = self.members.iter().filter_map(|(key, _)| MemberKey::try_from(key).ok()).collect();
        keys.into_iter().for_each(|key| self.end(key));
    }
}

/// Says that nothing more comes, and takes in what the peer has sent: a socket that is closed with something unread in
/// it resets the connection, and the peer may lose what it has not read yet.
fn finish(mut socket: &TcpStream) {
    let (mut left, mut chunk) = (MAX_DRAINED_BYTES, [0; 4_096]);
    _ = socket.shutdown(Shutdown::Write);
    while left > 0
        && let Ok(read @ 1..) = socket.read(&mut chunk)
    {
        left = left.saturating_sub(read);
    }
}
