//! The way from the mailbox to the sockets of those who stand at the head: one send each, of bytes that all of them
//! share. What comes together goes out together, so a shard that has much to do writes more at a time, not later.
use super::{
    Shard, Turn,
    member::Member,
    part::{Part, RUN_BYTES},
};
use crate::delivery::engine::Send;
use bytes::Bytes;
use fanfare_hub::mailbox::{Events, MAILBOX_BATCHES, PartKey};
use std::ops::Range;

impl Shard {
    /// Takes the batches that have come, and delivers them.
    pub(super) fn take_letters(&mut self) -> Turn {
        let mut turn = Turn::Again;
        // No more than fit the mailbox: a publisher that is quicker than this thread shall not keep it from all else.
        for _ in 0..MAILBOX_BATCHES {
            let Some(letter) = self.mailbox.take_letter() else {
                turn = Turn::Wait;
                break;
            };
            for (key, events) in letter {
                self.take_events(key, &events);
            }
        }
        self.deliver();
        turn
    }

    fn take_events(&mut self, key: PartKey, events: &Events) {
        // An event of two pieces takes two items.
        for pieces in events.chunk_by(|(one, _), (next, _)| one == next) {
            // It may have gone while these events came.
            let Some(index) = self.parts.known(key) else { return };
            let part = self.parts.get(index);
            let bytes = pieces.iter().map(|(_, piece)| piece.len()).sum();
            if part.has_news && !part.has_room_for(bytes, &self.window) {
                self.deliver();
            }
            // Or with its last member, by this delivery.
            let Some(index) = self.parts.known(key) else { return };
            let part = self.parts.get_mut(index);
            if !std::mem::replace(&mut part.has_news, true) {
                self.news.push(key);
            }
            pieces.iter().for_each(|(offset, piece)| part.push(*offset, piece));
        }
    }

    /// Sends to all who wait what their parts have taken in since the last time.
    fn deliver(&mut self) {
        let news = std::mem::take(&mut self.news);
        for key in &news {
            if let Some(index) = self.parts.known(*key) {
                let part = self.parts.get_mut(index);
                part.run = part.window.read(part.head, RUN_BYTES);
            }
        }
        self.send_runs(&news);
        self.settle();
        self.send_rests(&news);
        for key in &news {
            if let Some(index) = self.parts.known(*key) {
                self.parts.get_mut(index).has_delivered(self.now);
            }
        }
        self.news = news;
        self.news.clear();
    }

    fn send_runs(&mut self, news: &[PartKey]) {
        let Self { engine, members, parts, unsent, .. } = self;
        let parts = news.iter().filter_map(|key| parts.known(*key)).map(|index| parts.get(index));
        let sends = parts.flat_map(|part| {
            part.waiting.iter().filter_map(|key| {
                let member = &members[*key as usize];
                let bytes = &part.run.as_ref()?.bytes()[due(part, member)];
                (!bytes.is_empty()).then_some(Send { key: *key, socket: &member.socket, bytes })
            })
        });
        engine.send(sends, unsent);
    }

    /// Deals with those whose socket did not take the run of their part.
    fn settle(&mut self) {
        for (key, sent) in self.take_full() {
            let member = self.member(key);
            let part = self.parts.get(member.part);
            let Some(run) = &part.run else { continue };
            let start = due(part, member).start;
            let (begun, left) = run.cut(start + sent);
            // An offset from before the run says nothing new of the member.
            let cursor = begun.unwrap_or(part.head).max(member.cursor).max(part.head);
            self.is_full(key, cursor, left);
        }
    }

    /// Sends the second piece of an event to those who have got the first one.
    fn send_rests(&mut self, news: &[PartKey]) {
        for key in news {
            let Some(part) = self.parts.known(*key).map(|index| self.parts.get(index)) else { continue };
            let Some((offset, rest)) = part.run.as_ref().and_then(|run| Some((run.last(), run.rest()?.clone()))) else {
                continue;
            };
            let waiting = part.waiting.iter().copied();
            let begun: Vec<_> = waiting.filter(|key| self.members[*key as usize].cursor < offset).collect();
            for key in begun {
                self.is_full(key, offset, [rest.clone(), Bytes::new()]);
                self.advance(key);
            }
        }
    }
}

/// The bytes of its part's run that a member is to get. One that has come while the log was ahead of the router has
/// read some of it there.
fn due(part: &Part, member: &Member) -> Range<usize> {
    let Some(run) = &part.run else { return 0..0 };
    if member.cursor < run.first() { 0..run.bytes().len() } else { run.behind(member.cursor) }
}
