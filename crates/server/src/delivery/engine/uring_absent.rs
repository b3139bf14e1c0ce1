//! The io_uring engine on systems that do not have io_uring, and on processors for which io_uring is not defined: it
//! never starts.
use super::{Send, Turns, Unsent};
use std::io;

/// The io_uring engine, which does not exist on this system.
#[derive(Debug)]
pub(crate) enum Uring {}

impl Uring {
    /// Fails, because there is no io_uring.
    pub(super) fn start() -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no io_uring, or Fanfare was built without it"))
    }

    /// Cannot be called, because no value of this type exists.
    pub(super) fn send<'a>(&mut self, _: impl Iterator<Item = Send<'a>>, _: &mut Vec<Unsent>, _: &Turns) {
        match *self {}
    }
}
