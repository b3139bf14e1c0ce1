//! The sockets of a shard's members.
use super::seals::{Sealing, Seals};
use crate::{
    delivery::{
        engine::{BATCH, Engine, Send},
        turns::Turns,
    },
    tls::seal::Seal,
};
use fanfare_hub::fan_out::{MemberKey, Outgoing, Transmit, Unsent};
use mio::net::TcpStream;
use socket2::SockRef;
use std::{io, thread, time::Duration};

/// The sockets, indexed by the keys of their members, and the engine that sends. A socket takes four bytes for each
/// key. The sockets are stored apart from other data about a member, so that delivering an event touches little memory
/// for each waiting member.
#[derive(Debug)]
pub(super) struct Sockets {
    engine: Engine,
    /// The progress of the shard.
    turns: Turns,
    sockets: Vec<Option<TcpStream>>,
    /// What seals the records of the members whose connections use TLS.
    seals: Seals,
}

impl Sockets {
    /// Creates an empty set of sockets.
    pub(super) fn new(engine: Engine, turns: Turns) -> Self {
        Self { engine, turns, sockets: Vec::new(), seals: Seals::default() }
    }

    /// The progress of the shard.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Stores the socket of a new member, and what seals its records if the connection uses TLS.
    pub(super) fn insert(&mut self, key: MemberKey, socket: TcpStream, seal: Option<Box<Seal>>) {
        let place = key as usize;
        if self.sockets.len() <= place {
            self.sockets.resize_with(place + 1, || None);
        }
        let before = self.sockets[place].replace(socket);
        assert!(before.is_none(), "the socket of a member that left is removed before another member gets its key");
        if let Some(seal) = seal {
            self.seals.insert(key, seal);
        }
    }

    /// True if the connection of the member uses TLS.
    pub(super) fn is_sealed(&self, key: MemberKey) -> bool {
        self.seals.has(key)
    }

    /// Sends what is left of a record of which the socket of the member took only a part. Returns true if nothing is left.
    ///
    /// # Errors
    /// The error of the system, after which the socket takes nothing more.
    pub(super) fn send_rest(&mut self, key: MemberKey) -> io::Result<bool> {
        match self.sockets.get(key as usize) {
            Some(Some(socket)) => self.seals.send_rest(key, socket),
            _ => Ok(true),
        }
    }

    /// Returns the members whose streams should end now, because no more records may be sealed with their keys.
    pub(super) fn take_worn(&mut self) -> Vec<MemberKey> {
        self.seals.take_worn()
    }

    /// Returns the socket of a member; `None` if the member has left.
    pub(super) fn get(&self, key: MemberKey) -> Option<&TcpStream> {
        self.sockets.get(key as usize)?.as_ref()
    }

    /// Lets the system reset the connection of a member when its socket is closed. Otherwise the system would keep the
    /// unsent bytes, and try for minutes to send them.
    pub(super) fn reset_at_close(&self, key: MemberKey) {
        if let Some(socket) = self.get(key) {
            // This fails only if the connection has ended already.
            _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
    }

    /// Removes the socket of a member that has left, and returns it, with what seals its records.
    pub(super) fn remove(&mut self, key: MemberKey) -> Option<(TcpStream, Option<Box<Sealing>>)> {
        let socket = self.sockets.get_mut(key as usize)?.take()?;
        Some((socket, self.seals.remove(key)))
    }

    /// Returns true if memory is reserved that could be freed.
    pub(super) fn has_memory(&self) -> bool {
        self.sockets.capacity() > 0
    }

    /// Frees the memory for sockets. There must be no member.
    pub(super) fn shrink(&mut self) {
        debug_assert!(self.sockets.iter().all(Option::is_none), "a socket is left");
        self.sockets = Vec::new();
        self.seals.shrink();
    }
}

impl Transmit for Sockets {
    fn send<'a>(&mut self, sends: impl Iterator<Item = Outgoing<'a>>, unsent: &mut Vec<Unsent>) {
        let Self { engine, turns, sockets, seals } = self;
        let sends = sends.map(|outgoing| send(sockets, outgoing));
        if seals.is_empty() {
            return engine.send(sends, unsent, turns);
        }
        let (mut sealed_unsent, mut count) = (Vec::new(), 0);
        let plain = sends.filter(|send| {
            let Some(taken) = seals.send(send) else { return true };
            if !matches!(taken, Ok(taken) if taken == send.bytes.len()) {
                sealed_unsent.push(Unsent { member: send.member, taken });
            }
            count += 1;
            if count == BATCH {
                count = 0;
                turns.advance();
                thread::yield_now();
            }
            false
        });
        engine.send(plain, unsent, turns);
        unsent.append(&mut sealed_unsent);
    }

    fn send_one(&mut self, outgoing: Outgoing<'_>) -> io::Result<usize> {
        let send = send(&self.sockets, outgoing);
        self.seals.send(&send).unwrap_or_else(|| Engine::send_one(&send))
    }
}

#[inline]
fn send<'a>(sockets: &'a [Option<TcpStream>], outgoing: Outgoing<'a>) -> Send<'a> {
    let socket = sockets[outgoing.member as usize].as_ref().expect("a member has a socket until it has left");
    Send { member: outgoing.member, socket, bytes: outgoing.slice }
}
