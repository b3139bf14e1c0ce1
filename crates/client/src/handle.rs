//! The handle by which other tasks control an event source.
use crate::ReadyState;
use futures_util::task::AtomicWaker;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    task::Waker,
};

/// Closes or reconnects an event source from another task or thread. A handle is cheap to clone. It does not keep the
/// event source alive: dropping the event source still ends it.
#[derive(Clone, Debug)]
pub struct Handle(pub(crate) Arc<Shared>);

impl Handle {
    /// Ends the event source: no more events come, and a task that waits for one gets the end of the stream.
    pub fn close(&self) {
        self.0.set_closed_by_program();
        self.0.command(Command::Close);
    }

    /// Connects again at once. This ends the wait for the next attempt, or the present connection. Use it when a
    /// machine wakes up or the network is back. It has no effect while the event source is connecting, or on a
    /// connection whose request must not be sent twice (see
    /// [`Builder::repeat_requests`](crate::Builder::repeat_requests)).
    pub fn reconnect_now(&self) {
        self.0.command(Command::Reconnect);
    }

    /// Returns the state of the event source.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        self.0.ready_state()
    }
}

/// The state of an event source that the program closed, in addition to the values of [`ReadyState`].
const CLOSED_BY_PROGRAM: u8 = 3;

/// The state that an event source and its handles share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The state as a number: a [`ReadyState`], or [`CLOSED_BY_PROGRAM`].
    state: AtomicU8,
    command: AtomicU8,
    waker: AtomicWaker,
}

/// The commands that a handle sends to the driver. If a program sends both `Reconnect` and `Close` before the driver
/// reads the command, only `Close` is carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Command {
    Reconnect = 1,
    Close = 2,
}

impl Shared {
    pub(crate) fn command(&self, command: Command) {
        self.command.fetch_max(command as u8, SeqCst);
        self.waker.wake();
    }

    #[inline]
    pub(crate) fn has_command(&self) -> bool {
        self.command.load(SeqCst) != 0
    }

    pub(crate) fn take_command(&self) -> Option<Command> {
        // This function is called for each event, and usually there is no command. Loading the value finds this out
        // faster than swapping it, because a swap is a locked instruction of the processor.
        if !self.has_command() {
            return None;
        }
        match self.command.swap(0, SeqCst) {
            0 => None,
            1 => Some(Command::Reconnect),
            _ => Some(Command::Close),
        }
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Sets the state. A closed event source stays closed.
    pub(crate) fn set(&self, state: ReadyState) {
        let _ = self.state.fetch_update(SeqCst, SeqCst, |now| (now < ReadyState::Closed as u8).then_some(state as u8));
    }

    pub(crate) fn set_closed_by_program(&self) {
        self.state.store(CLOSED_BY_PROGRAM, SeqCst);
    }

    pub(crate) fn closed_by_program(&self) -> bool {
        self.state.load(SeqCst) == CLOSED_BY_PROGRAM
    }

    pub(crate) fn ready_state(&self) -> ReadyState {
        match self.state.load(SeqCst) {
            0 => ReadyState::Connecting,
            1 => ReadyState::Open,
            _ => ReadyState::Closed,
        }
    }
}
