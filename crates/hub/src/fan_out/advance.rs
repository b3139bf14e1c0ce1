//! Sends bytes to a member that has not got all events: first the rest of an event that was sent only in part, then the
//! events in the window. If the member's next event is not in the window any more, the log is read for the member.
use super::{
    FanOut, Outgoing, Transmit, Turn, Unsent,
    member::{MemberKey, State},
};
use crate::run::Left;
use bytes::Bytes;

/// The largest size of several events from a window that are sent together as one run, in bytes. A single event may be
/// larger.
pub const RUN_BYTES: usize = 64 << 10;

impl<T: Transmit> Turn<'_, T> {
    /// Sends the next bytes to a member whose connection can take bytes again.
    pub fn writable(&mut self, key: MemberKey) {
        // Only a member that is full, or whose stream has ended, can have bytes to be sent. Any other member waits for
        // the next event or for a step through the log.
        let state = self.core.members.get(key as usize).map(|member| member.state);
        if matches!(state, Some(State::Full | State::Ends)) {
            self.advance(key);
        }
    }

    /// Sends a member its unsent bytes and then the events after its cursor, until the member has no more room, has all
    /// events of its part's window, or needs the log. The member must not be waiting for the next event.
    pub(super) fn advance(&mut self, key: MemberKey) {
        if let Some(left) = self.core.member_mut(key).unsent.take()
            && !self.send_left(key, *left)
        {
            return;
        }
        if self.core.member(key).state == State::Ends {
            return self.core.close(key);
        }
        loop {
            let member = self.core.member(key);
            let (cursor, part) = (member.cursor, self.core.parts.get(member.part));
            if cursor < part.window.begins_after() {
                return self.core.ask_for_the_log(key);
            }
            let Some(run) = part.window.read(cursor, RUN_BYTES) else { return self.core.wait(key) };
            match self.send_one(key, run.bytes()) {
                Some(taken) if taken == run.bytes().len() => {
                    let member = self.core.member_mut(key);
                    (member.cursor, member.told) = (run.last(), run.last());
                    if let Some(rest) = run.rest()
                        && !self.send_left(key, [rest.clone(), Bytes::new()])
                    {
                        return;
                    }
                }
                Some(taken) => {
                    let (begun, left) = run.cut(taken);
                    return self.core.is_full(key, begun.unwrap_or(cursor), left);
                }
                None => return,
            }
        }
    }

    /// Sends the unsent bytes of a member: `first`, and then `second`. Returns true if the member took all of them.
    fn send_left(&mut self, key: MemberKey, [first, second]: Left) -> bool {
        let cursor = self.core.member(key).cursor;
        match self.send_one(key, &first) {
            Some(taken) if taken == first.len() => {}
            Some(taken) => {
                self.core.is_full(key, cursor, [first.slice(taken..), second]);
                return false;
            }
            None => return false,
        }
        match self.send_one(key, &second) {
            Some(taken) if taken == second.len() => true,
            Some(taken) => {
                // If no byte of `second` was sent, it stays in the second place: it may be a whole event, and only
                // bytes in the first place show that an event has begun.
                let left = if taken == 0 { [Bytes::new(), second] } else { [second.slice(taken..), Bytes::new()] };
                self.core.is_full(key, cursor, left);
                false
            }
            None => false,
        }
    }

    /// Sends bytes to one member. Returns the number of bytes that it took; `None` if its connection is gone, so that
    /// it has been removed.
    pub(super) fn send_one(&mut self, key: MemberKey, bytes: &Bytes) -> Option<usize> {
        if bytes.is_empty() {
            return Some(0);
        }
        let taken = self.transmit.send_one(Outgoing::new(key, bytes, bytes));
        let taken = taken.inspect_err(|_| self.core.leave(key)).ok()?;
        if taken > 0 {
            let moment = self.moment;
            self.core.member_mut(key).has_spoken(moment);
        }
        Some(taken)
    }

    /// Empties the list `unsent`: removes the members whose connections take no bytes any more, and returns the members
    /// that have no more room, each with the number of bytes that it took.
    pub(super) fn take_full(&mut self) -> Vec<(MemberKey, usize)> {
        let mut full = Vec::new();
        for Unsent { member, taken } in std::mem::take(&mut self.core.unsent) {
            match taken {
                Ok(taken) => full.push((member, taken)),
                Err(_) => self.core.leave(member),
            }
        }
        full
    }
}

impl FanOut {
    /// Adds a member to the members that wait for the next event of their part.
    fn wait(&mut self, key: MemberKey) {
        let member = self.member(key);
        let (index, cursor) = (member.part, member.cursor);
        let place = self.parts.get(index).waiting.len();
        self.enter(key, State::Waits(u32::try_from(place).expect("there are fewer than 2^32 members")));
        let part = self.parts.get_mut(index);
        part.waiting.push(key);
        part.furthest = part.furthest.max(cursor);
        part.forget_what_nobody_needs();
    }

    /// Adds a member to the members for which the log has to be read.
    fn ask_for_the_log(&mut self, key: MemberKey) {
        let index = self.member(key).part;
        let part = self.parts.get_mut(index);
        part.requests = part.requests.wrapping_add(1);
        let request = part.requests;
        self.enter(key, State::CatchesUp(request));
        let part = self.parts.get_mut(index);
        part.readers.insert(request, key);
        if !std::mem::replace(&mut part.reading, true) {
            let part = self.parts.get(index);
            self.reads.push(self.parts.key_of(index), &part.key, part.is_barren);
        }
    }
}
