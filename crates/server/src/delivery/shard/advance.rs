//! The way of a member who is not at the head: what is left of an event, then the window, and before it the log.
use super::{
    CONCURRENT_READS, Shard,
    keys::{MemberKey, PartIndex},
    member::State,
    part::RUN_BYTES,
};
use crate::delivery::engine::{Engine, Send, Unsent};
use bytes::Bytes;
use fanfare_hub::{catch_up::Step, mailbox::PartKey, position::Offset, run::Left};

impl Shard {
    /// The socket has room again.
    pub(super) fn writable(&mut self, key: MemberKey) {
        // Others have all been sent; that their sockets have room is no news.
        let state = self.members.get(key as usize).map(|member| member.state);
        if matches!(state, Some(State::Full | State::Ends)) {
            self.advance(key);
        }
    }

    /// Takes a member that does not wait as far as its socket and its part's window go.
    pub(super) fn advance(&mut self, key: MemberKey) {
        if let Some(left) = self.member_mut(key).unsent.take()
            && !self.send_left(key, *left)
        {
            return;
        }
        if self.member(key).state == State::Ends {
            return self.close(key);
        }
        loop {
            let member = self.member(key);
            let (cursor, part) = (member.cursor, self.parts.get(member.part));
            if cursor < part.window.begins_after() {
                return self.ask_for_the_log(key);
            }
            let Some(run) = part.window.read(cursor, RUN_BYTES) else { return self.wait(key) };
            match self.send_to(key, run.bytes()) {
                Some(sent) if sent == run.bytes().len() => {
                    self.member_mut(key).cursor = run.last();
                    if let Some(rest) = run.rest()
                        && !self.send_left(key, [rest.clone(), Bytes::new()])
                    {
                        return;
                    }
                }
                Some(sent) => {
                    let (begun, left) = run.cut(sent);
                    return self.is_full(key, begun.unwrap_or(cursor), left);
                }
                None => return,
            }
        }
    }

    /// Sends what is left of an event that a member has begun to get. Returns true if its socket took all of that.
    fn send_left(&mut self, key: MemberKey, [first, second]: Left) -> bool {
        let cursor = self.member(key).cursor;
        for (left, then) in [(first, second.clone()), (second, Bytes::new())] {
            match self.send_to(key, &left) {
                Some(sent) if sent == left.len() => {}
                Some(sent) => {
                    self.is_full(key, cursor, [left.slice(sent..), then]);
                    return false;
                }
                None => return false,
            }
        }
        true
    }

    /// Sends to one member alone. Gives how many bytes its socket took; `None` if the member is gone.
    pub(super) fn send_to(&mut self, key: MemberKey, bytes: &[u8]) -> Option<usize> {
        if bytes.is_empty() {
            return Some(0);
        }
        let member = &mut self.members[key as usize];
        member.spoke = self.now;
        let sent = Engine::send_one(&Send { key, socket: &member.socket, bytes });
        sent.inspect_err(|_| self.leave(key)).ok()
    }

    /// Lets go of those whose socket failed in the last sends. Gives those whose socket is full, and how many bytes
    /// each took.
    pub(super) fn take_full(&mut self) -> Vec<(MemberKey, usize)> {
        let mut full = Vec::new();
        for Unsent { key, sent } in std::mem::take(&mut self.unsent) {
            match sent {
                Ok(sent) => full.push((key, sent)),
                Err(_) => self.leave(key),
            }
        }
        full
    }

    /// A member's socket took no more: it stands at `cursor`, and of the event there `left` is left.
    pub(super) fn is_full(&mut self, key: MemberKey, cursor: Offset, left: Left) {
        self.stop_waiting(key);
        let member = self.member_mut(key);
        member.cursor = cursor;
        member.unsent = left.iter().any(|bytes| !bytes.is_empty()).then(|| Box::new(left));
        if member.state != State::Ends {
            member.state = State::Full;
        }
    }

    /// Puts a member among those who wait for the next event of their part.
    fn wait(&mut self, key: MemberKey) {
        let member = &mut self.members[key as usize];
        let part = self.parts.get_mut(member.part);
        member.state = State::Waits(u32::try_from(part.waiting.len()).expect("fewer than there are open files"));
        part.waiting.push(key);
        part.forget_what_nobody_needs();
    }

    /// Takes a member out of those who wait, if it is one of them.
    pub(super) fn stop_waiting(&mut self, key: MemberKey) {
        let State::Waits(place) = self.member(key).state else { return };
        let part = self.parts.get_mut(self.member(key).part);
        part.waiting.swap_remove(place as usize);
        if let Some(moved) = part.waiting.get(place as usize) {
            self.members[*moved as usize].state = State::Waits(place);
        }
    }

    fn ask_for_the_log(&mut self, key: MemberKey) {
        let member = self.member_mut(key);
        member.state = State::CatchesUp;
        let index = member.part;
        let part = self.parts.get_mut(index);
        part.readers.push_back(key);
        if !std::mem::replace(&mut part.reading, true) {
            self.to_read.push_back(self.parts.key_of(index));
        }
    }

    /// Has the log read for parts whose turn it is.
    pub(super) fn start_reads(&mut self) {
        while self.reads < CONCURRENT_READS
            && let Some(key) = self.to_read.pop_front()
        {
            let Some(index) = self.parts.known(key) else { continue };
            let part = self.parts.get_mut(index);
            match part.readers.front() {
                Some(first) => {
                    let cursor = self.members[*first as usize].cursor;
                    self.mailbox.read(part.key.clone(), key, cursor);
                    self.reads += 1;
                }
                None => part.reading = false,
            }
        }
    }

    /// Takes in what reading the log has come to. Each step serves all members whose cursors lie in it, not only the
    /// one for whom it was made: after a break, many come back to about the same place.
    pub(super) fn take_steps(&mut self) {
        while let Some((key, step)) = self.mailbox.take_step() {
            self.reads -= 1;
            let Some(index) = self.parts.known(key) else { continue };
            match step {
                Ok(step) => self.take_step(index, &step),
                Err(error) => {
                    tracing::error!("streams end because {error}");
                    for reader in std::mem::take(&mut self.parts.get_mut(index).readers) {
                        self.leave(reader);
                    }
                }
            }
            self.read_on(key);
        }
    }

    fn take_step(&mut self, index: PartIndex, step: &Step) {
        let readers = std::mem::take(&mut self.parts.get_mut(index).readers);
        let (served, others): (Vec<_>, Vec<_>) =
            readers.into_iter().partition(|key| step.serves(self.member(*key).cursor));
        self.parts.get_mut(index).readers = others.into();
        self.send_step(&served, step);
        for key in served {
            // It may have gone, or be full.
            let goes_on = self.members.get(key as usize).is_some_and(|member| member.state == State::CatchesUp);
            if goes_on {
                self.member_mut(key).cursor = step.cursor;
                self.advance(key);
            }
        }
    }

    fn send_step(&mut self, served: &[MemberKey], step: &Step) {
        let Some(run) = &step.run else { return };
        let Self { engine, members, unsent, now, .. } = self;
        for key in served {
            members[*key as usize].spoke = *now;
        }
        let sends = served.iter().filter_map(|key| {
            let member = &members[*key as usize];
            let bytes = &run.bytes()[run.behind(member.cursor)];
            (!bytes.is_empty()).then_some(Send { key: *key, socket: &member.socket, bytes })
        });
        engine.send(sends, unsent);
        for (key, sent) in self.take_full() {
            let cursor = self.member(key).cursor;
            let (begun, left) = run.cut(run.behind(cursor).start + sent);
            self.is_full(key, begun.map_or(cursor, |begun| begun.max(cursor)), left);
        }
    }

    /// Lets the part have its next turn at the log, if somebody still needs it.
    fn read_on(&mut self, key: PartKey) {
        let Some(index) = self.parts.known(key) else { return };
        let part = self.parts.get_mut(index);
        part.reading = !part.readers.is_empty();
        if part.reading {
            self.to_read.push_back(key);
        }
    }
}
