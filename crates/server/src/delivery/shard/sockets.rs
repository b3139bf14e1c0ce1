//! The sockets of a shard's members.
use crate::delivery::{
    engine::{Engine, Send},
    turns::Turns,
};
use fanfare_hub::fan_out::{MemberKey, Outgoing, Transmit, Unsent};
use mio::net::TcpStream;
use socket2::SockRef;
use std::{io, time::Duration};

/// The sockets, indexed by the keys of their members, and the engine that sends. A socket takes four bytes for each
/// key. The sockets are stored apart from other data about a member, so that delivering an event touches little memory
/// for each waiting member.
#[derive(Debug)]
pub(super) struct Sockets {
    engine: Engine,
    /// The progress of the shard.
    turns: Turns,
    sockets: Vec<Option<TcpStream>>,
}

impl Sockets {
    /// Creates an empty set of sockets.
    pub(super) fn new(engine: Engine, turns: Turns) -> Self {
        Self { engine, turns, sockets: Vec::new() }
    }

    /// The progress of the shard.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Stores the socket of a new member.
    pub(super) fn insert(&mut self, key: MemberKey, socket: TcpStream) {
        let place = key as usize;
        if self.sockets.len() <= place {
            self.sockets.resize_with(place + 1, || None);
        }
        let before = self.sockets[place].replace(socket);
        assert!(before.is_none(), "the socket of a member that left is removed before another member gets its key");
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

    /// Removes the socket of a member that has left, and returns it.
    pub(super) fn remove(&mut self, key: MemberKey) -> Option<TcpStream> {
        self.sockets.get_mut(key as usize)?.take()
    }

    /// Returns true if memory is reserved that could be freed.
    pub(super) fn has_memory(&self) -> bool {
        self.sockets.capacity() > 0
    }

    /// Frees the memory for sockets. There must be no member.
    pub(super) fn shrink(&mut self) {
        debug_assert!(self.sockets.iter().all(Option::is_none), "a socket is left");
        self.sockets = Vec::new();
    }
}

impl Transmit for Sockets {
    fn send<'a>(&mut self, sends: impl Iterator<Item = Outgoing<'a>>, unsent: &mut Vec<Unsent>) {
        let Self { engine, turns, sockets } = self;
        engine.send(sends.map(|outgoing| send(sockets, outgoing)), unsent, turns);
    }

    fn send_one(&mut self, outgoing: Outgoing<'_>) -> io::Result<usize> {
        Engine::send_one(&send(&self.sockets, outgoing))
    }
}

#[inline]
fn send<'a>(sockets: &'a [Option<TcpStream>], outgoing: Outgoing<'a>) -> Send<'a> {
    let socket = sockets[outgoing.member as usize].as_ref().expect("a member has a socket until it has left");
    Send { member: outgoing.member, socket, bytes: outgoing.slice }
}
