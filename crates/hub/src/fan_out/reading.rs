//! Catch-up: members whose cursor is before their part's window get the entries of the log, step by step.
use super::{
    Departure, FanOut, Outgoing, Transmit, Turn,
    member::{MemberKey, PartIndex, State},
};
use crate::{audience_key::AudienceKey, bundle::PartKey, catch_up::Step, ending::EndReason, position::Offset};
use std::sync::Arc;

/// A step through the log that has to be read for a part.
#[derive(Debug)]
pub struct Wanted {
    /// The part that needs the step.
    pub part: PartKey,
    /// The audience of the part.
    pub key: Arc<AudienceKey>,
    /// The offset after which the log is to be read.
    pub cursor: Offset,
    /// True if the last step for the part has found nothing.
    pub is_barren: bool,
}

impl FanOut {
    /// Returns the next step that the driver has to read, if there is one that may be read now. At most
    /// [`CONCURRENT_READS`](super::CONCURRENT_READS) steps are read at the same time, and at most
    /// [`CONCURRENT_SCANS`](super::CONCURRENT_SCANS) of these are for patterns, and at most
    /// [`CONCURRENT_BARREN_READS`](super::CONCURRENT_BARREN_READS) for parts whose last step has found nothing, and at
    /// most [`CONCURRENT_STRANGERS_READS`](super::CONCURRENT_STRANGERS_READS) for audiences without a token. The driver
    /// answers each step with [`Turn::take_step`], [`Turn::cannot_read`] or [`Turn::end_readers`], even if the part is
    /// gone by then.
    pub fn next_read(&mut self) -> Option<Wanted> {
        while let Some(key) = self.reads.begin() {
            if let Some(index) = self.parts.known(key) {
                let part = self.parts.get_mut(index);
                if let Some(first) = part.readers.values().next() {
                    let cursor = self.members[*first as usize].cursor;
                    return Some(Wanted { part: key, key: part.key.clone(), cursor, is_barren: part.is_barren });
                }
                (part.reading, part.is_barren) = (false, false);
            }
            self.reads.finish(key);
        }
        None
    }

    /// Puts the part into the queue for its next step, if one of its members still needs the log.
    fn read_on(&mut self, key: PartKey) {
        let Some(index) = self.parts.known(key) else { return };
        let part = self.parts.get_mut(index);
        part.reading = !part.readers.is_empty();
        // Whoever needs the log next may find something.
        part.is_barren &= part.reading;
        if part.reading {
            self.reads.push(key, &part.key, part.is_barren);
        }
    }
}

impl<T: Transmit> Turn<'_, T> {
    /// Sends the events of a step to all members whose cursors are within the step, not only to the member for which
    /// the step was read: after a network failure, many members resume at about the same position.
    pub fn take_step(&mut self, key: PartKey, step: &Step) {
        self.core.reads.finish(key);
        if let Some(index) = self.core.parts.known(key) {
            self.core.parts.get_mut(index).is_barren = step.run.is_none();
            self.serve(index, step);
        }
        self.core.read_on(key);
    }

    /// Ends the streams of those members of a part that need the log, because the log cannot be read.
    pub fn cannot_read(&mut self, key: PartKey) {
        self.core.reads.finish(key);
        if let Some(index) = self.core.parts.known(key) {
            for reader in std::mem::take(&mut self.core.parts.get_mut(index).readers).into_values() {
                self.core.depart(reader, Departure::NoLog);
            }
        }
        self.core.read_on(key);
    }

    /// Ends the streams of those members of a part that need the log, and sends them an event with the reason. `place`
    /// returns the ID of a position. Returns the members that have not left yet: the driver must ask for a new
    /// [`deadline`](FanOut::deadline) of each of them.
    pub fn end_readers(
        &mut self,
        key: PartKey,
        reason: EndReason,
        place: &impl Fn(Offset) -> String,
    ) -> Vec<MemberKey> {
        self.core.reads.finish(key);
        let part = self.core.parts.known(key).map(|index| self.core.parts.get(index));
        let mut readers: Vec<_> = part.map_or_else(Vec::new, |part| part.readers.values().copied().collect());
        readers.iter().for_each(|reader| self.end_because(*reader, reason, place));
        self.core.read_on(key);
        readers.retain(|reader| self.core.contains(*reader));
        readers
    }

    fn serve(&mut self, index: PartIndex, step: &Step) {
        let FanOut { members, parts, .. } = &mut *self.core;
        let is_served = |_: &_, key: &mut MemberKey| step.serves(members[*key as usize].cursor);
        let served: Vec<_> = parts.get_mut(index).readers.extract_if(.., is_served).map(|(_, key)| key).collect();
        self.send_step(&served, step);
        for key in served {
            // A member that left or became full during the send is sent nothing more in this call.
            let goes_on =
                self.core.members.get(key as usize).is_some_and(|member| matches!(member.state, State::CatchesUp(_)));
            if goes_on {
                let member = self.core.member_mut(key);
                debug_assert!(member.cursor <= step.cursor, "a member's cursor never goes back");
                member.cursor = step.cursor;
                self.advance(key);
            }
        }
    }

    fn send_step(&mut self, served: &[MemberKey], step: &Step) {
        let Some(run) = &step.run else { return };
        let FanOut { members, unsent, .. } = &mut *self.core;
        for key in served {
            let member = &mut members[*key as usize];
            if !run.behind(member.cursor).is_empty() {
                member.has_spoken(self.moment);
                member.told = run.last();
            }
        }
        let sends = served.iter().filter_map(|key| {
            let slice = &run.bytes()[run.behind(members[*key as usize].cursor)];
            (!slice.is_empty()).then_some(Outgoing::new(*key, slice, run.bytes()))
        });
        self.transmit.send(sends, unsent);
        for (key, taken) in self.take_full() {
            let cursor = self.core.member(key).cursor;
            let (begun, left) = run.cut(run.behind(cursor).start + taken);
            self.core.is_full(key, begun.map_or(cursor, |begun| begun.max(cursor)), left);
        }
    }
}
