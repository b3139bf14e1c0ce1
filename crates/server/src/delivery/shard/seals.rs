//! The sealing of what members are sent whose connections use TLS.
//!
//! A socket may take a part of a record. The rest of exactly this record must follow: it cannot be sealed again, and a
//! peer can open only whole records. So the rest is kept, at most one record of [`MAX_PLAINTEXT_BYTES`] for each member
//! that takes nothing, and the `FanOut` counts its bytes as sent.
use crate::{
    delivery::engine::{Engine, Send},
    tls::seal::{Exhausted, MAX_PLAINTEXT_BYTES, Seal},
};
use fanfare_hub::fan_out::MemberKey;
use mio::net::TcpStream;
use std::{io, mem};

/// The seals of a shard's members, indexed by the keys of the members. Members without TLS have none. The memory for a
/// member without a seal is 8 bytes if any member has one, and none otherwise.
#[derive(Debug, Default)]
pub(super) struct Seals {
    members: Vec<Option<Box<Sealing>>>,
    /// The number of members that have a seal.
    count: usize,
    /// The record that is being sent. The vector is kept, so that its memory is used again.
    record: Vec<u8>,
    /// The members whose streams should end, because their keys are nearly exhausted.
    worn: Vec<MemberKey>,
}

/// The seal of one member, and the rest of the record of which its socket took only a part.
#[derive(Debug)]
pub(super) struct Sealing {
    seal: Box<Seal>,
    rest: Box<[u8]>,
}

impl Seals {
    /// True if no member has a seal.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Stores the seal of a new member.
    pub(super) fn insert(&mut self, key: MemberKey, seal: Box<Seal>) {
        let place = key as usize;
        if self.members.len() <= place {
            self.members.resize_with(place + 1, || None);
        }
        // A connection may have sent very much before its stream.
        if seal.is_nearly_exhausted() {
            self.worn.push(key);
        }
        self.members[place] = Some(Box::new(Sealing { seal, rest: Box::default() }));
        self.count += 1;
    }

    /// True if the member has a seal.
    pub(super) fn has(&self, key: MemberKey) -> bool {
        self.members.get(key as usize).is_some_and(Option::is_some)
    }

    /// Removes the seal of a member that has left, and returns it.
    pub(super) fn remove(&mut self, key: MemberKey) -> Option<Box<Sealing>> {
        let sealing = self.members.get_mut(key as usize)?.take()?;
        self.count -= 1;
        Some(sealing)
    }

    /// Seals and sends as many of these bytes as the socket takes now. Returns their number, or `None` if the member has
    /// no seal.
    #[inline]
    pub(super) fn send(&mut self, send: &Send<'_>) -> Option<io::Result<usize>> {
        let sealing = self.members.get_mut(send.member as usize)?.as_mut()?;
        let was_worn = sealing.seal.is_nearly_exhausted();
        let sent = sealing.send(send, &mut self.record);
        if !was_worn && sealing.seal.is_nearly_exhausted() {
            self.worn.push(send.member);
        }
        Some(sent)
    }

    /// Sends the rest of a member's last record. Returns true if nothing is left of it.
    ///
    /// # Errors
    /// The error of the system, after which the socket takes nothing more.
    pub(super) fn send_rest(&mut self, key: MemberKey, socket: &TcpStream) -> io::Result<bool> {
        let sealing = self.members.get_mut(key as usize).and_then(Option::as_mut);
        sealing.map_or(Ok(true), |sealing| sealing.send_rest(key, socket))
    }

    /// Returns the members whose streams should end now.
    pub(super) fn take_worn(&mut self) -> Vec<MemberKey> {
        mem::take(&mut self.worn)
    }

    /// Frees the memory. There must be no member with a seal.
    pub(super) fn shrink(&mut self) {
        debug_assert!(self.is_empty(), "a seal is left");
        *self = Self::default();
    }
}

impl Sealing {
    fn send(&mut self, send: &Send<'_>, record: &mut Vec<u8>) -> io::Result<usize> {
        if !self.send_rest(send.member, send.socket)? {
            return Ok(0);
        }
        let mut taken = 0;
        for text in send.bytes.chunks(MAX_PLAINTEXT_BYTES) {
            record.clear();
            self.seal.seal(text, record).map_err(|Exhausted| io::Error::other("the key is exhausted"))?;
            let sent = Engine::send_one(&Send { bytes: record, ..*send })?;
            taken += text.len();
            if sent < record.len() {
                self.rest = record[sent..].into();
                break;
            }
        }
        Ok(taken)
    }

    fn send_rest(&mut self, member: MemberKey, socket: &TcpStream) -> io::Result<bool> {
        if !self.rest.is_empty() {
            match Engine::send_one(&Send { member, socket, bytes: &self.rest })? {
                0 => {}
                sent => self.rest = self.rest[sent..].into(),
            }
        }
        Ok(self.rest.is_empty())
    }

    /// Sends the last bytes of the stream: the rest of its last record, and the record that says that nothing more follows.
    /// Returns the bytes for which the socket has no room.
    pub(super) fn end(mut self, member: MemberKey, socket: &TcpStream) -> io::Result<Vec<u8>> {
        let mut last = mem::take(&mut self.rest).into_vec();
        // If no record is left under the key, the connection ends without this one.
        _ = self.seal.seal_end(&mut last);
        let sent = Engine::send_one(&Send { member, socket, bytes: &last })?;
        Ok(last.split_off(sent))
    }
}
