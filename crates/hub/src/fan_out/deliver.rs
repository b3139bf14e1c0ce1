//! The delivery of events to the members that wait for them: one send per member, of bytes that all members share.
//! Events that arrive together are sent together: a driver that is busy makes fewer and larger sends, and its queue
//! does not grow.
use super::{FanOut, Outgoing, RUN_BYTES, Transmit, Turn, member::Member, part::Part};
use crate::{
    bundle::{Events, PartKey},
    position::Offset,
    window::WindowLimit,
};
use bytes::Bytes;
use std::time::Instant;

/// The greatest number of events in the windows of all parts of one state machine, as long as each window may have at
/// least [`LEAST_WINDOW_EVENTS`]. An event takes 40 bytes in each window, besides the bytes that are sent.
pub const MAX_WINDOW_EVENTS: usize = 1 << 17;
/// The number of events that each part's window may have, however many parts there are.
pub const LEAST_WINDOW_EVENTS: usize = 8;
/// The greatest number of bytes of the events in the windows of all parts of one state machine, as long as each window
/// may have at least [`LEAST_WINDOW_BYTES`], or one event. Bytes that several windows share count in each of them.
pub const MAX_WINDOW_BYTES: usize = 256 << 20;
/// The number of bytes that each part's window may have, however many parts there are.
pub const LEAST_WINDOW_BYTES: usize = 64 << 10;
// The events that wait to be delivered as one run are in the window.
const _: () = assert!(LEAST_WINDOW_BYTES >= RUN_BYTES);

impl<T: Transmit> Turn<'_, T> {
    /// Stores the events of one batch for a part, until [`deliver`](Self::deliver) sends them. If the part has stored
    /// events, and they would be too many or too large to be sent together with a new event, this call first delivers
    /// all stored events.
    pub fn take_events(&mut self, key: PartKey, events: &Events) {
        // An event that is sent in two pieces has two items with the same offset.
        for pieces in events.chunk_by(|(one, _), (next, _)| one == next) {
            // The part may be gone before its events arrive. In this case nobody needs the events.
            let Some(index) = self.core.parts.known(key) else { return };
            let limit = self.core.window_limit();
            let part = self.core.parts.get(index);
            let bytes = pieces.iter().map(|(_, piece)| piece.len()).sum();
            if part.has_news && !part.has_room_for(bytes, &limit) {
                self.deliver();
            }
            // `deliver` may have removed the part's last member, and with it the part.
            let Some(index) = self.core.parts.known(key) else { return };
            let part = self.core.parts.get_mut(index);
            if !std::mem::replace(&mut part.has_news, true) {
                self.core.news.push(key);
            }
            pieces.iter().for_each(|(offset, piece)| part.push(&limit, *offset, piece));
        }
    }

    /// Sends the stored events of all parts to the members that wait for them.
    pub fn deliver(&mut self) {
        let news = std::mem::take(&mut self.core.news);
        for key in &news {
            if let Some(index) = self.core.parts.known(*key) {
                self.core.parts.get_mut(index).begin_run();
            }
        }
        self.send_runs(&news);
        self.settle_runs();
        self.send_rests(&news);
        for key in &news {
            if let Some(index) = self.core.parts.known(*key) {
                self.core.parts.get_mut(index).end_run(self.now);
            }
        }
        self.core.news = news;
        self.core.news.clear();
    }

    fn send_runs(&mut self, news: &[PartKey]) {
        let FanOut { members, parts, unsent, .. } = &mut *self.core;
        let members = &*members;
        let parts = news.iter().filter_map(|key| parts.known(*key)).map(|index| parts.get(index));
        let sends = parts.filter_map(|part| Some((part, part.run.as_ref()?))).flat_map(|(part, run)| {
            let (shared, whole) = (run.bytes(), &run.bytes()[..]);
            // Normally the cursors of all waiting members are before the first event of the run. Then each member gets
            // the whole run, and the members' cursors need not be read. Otherwise, some members have already got the
            // first events of the run from the log.
            let all_are_behind = part.furthest < run.first();
            part.waiting.iter().filter_map(move |key| {
                let slice = if all_are_behind { whole } else { &whole[begin(part, &members[*key as usize])..] };
                (!slice.is_empty()).then_some(Outgoing::new(*key, slice, shared))
            })
        });
        self.transmit.send(sends, unsent);
    }

    /// Notes, for each member that did not take all bytes of its part's run, which bytes still have to be sent to it.
    /// Removes the members whose connections are gone.
    fn settle_runs(&mut self) {
        for (key, taken) in self.take_full() {
            let member = self.core.member(key);
            let part = self.core.parts.get(member.part);
            let Some(run) = &part.run else { continue };
            let (begun, left) = run.cut(begin(part, member) + taken);
            // If no byte of the run was sent to the member, the member stays at the position that it had reached. This
            // may be a higher offset than that of the last event of its part: the member may have been told of it.
            let reached = self.core.reached(key);
            let cursor = begun.map_or(reached, |begun| begun.max(reached));
            self.core.is_full(key, cursor, left);
        }
    }

    /// Sends the second piece of an event to the members that have got the first piece.
    fn send_rests(&mut self, news: &[PartKey]) {
        for key in news {
            let Some(part) = self.core.parts.known(*key).map(|index| self.core.parts.get(index)) else { continue };
            let Some((offset, rest)) = rest(part) else { continue };
            let waiting = part.waiting.iter().copied();
            let begun: Vec<_> = waiting.filter(|key| self.core.member(*key).cursor < offset).collect();
            for key in begun {
                self.core.is_full(key, offset, [rest.clone(), Bytes::new()]);
                self.advance(key);
            }
        }
    }
}

impl FanOut {
    /// Returns the limit of each part's window. The more parts there are, the less each window keeps. Within a turn, the
    /// number of parts does not grow.
    fn window_limit(&self) -> WindowLimit {
        let parts = self.parts.len().max(1);
        let events = (MAX_WINDOW_EVENTS / parts).max(LEAST_WINDOW_EVENTS);
        let bytes = (MAX_WINDOW_BYTES / parts).max(LEAST_WINDOW_BYTES);
        WindowLimit { events: events.min(self.window.events), bytes: bytes.min(self.window.bytes) }
    }
}

impl Part {
    /// Stores the next event, or the second piece of the newest event.
    fn push(&mut self, limit: &WindowLimit, offset: Offset, event: &Bytes) {
        self.news_events += 1;
        self.news_bytes += event.len();
        self.window.push_within(limit, offset, event.clone());
    }

    /// True if another event of `bytes` bytes can be delivered together with the events that wait to be delivered: all
    /// of them fit into one run, which is sent as one piece, and the window of the newest events has room for them.
    fn has_room_for(&self, bytes: usize, limit: &WindowLimit) -> bool {
        // The event may have two pieces, so the window must have room for two items.
        self.news_events + 1 < limit.events && self.news_bytes + bytes <= RUN_BYTES.min(limit.bytes)
    }

    /// Begins to deliver the events of the window after `head`, as one run.
    fn begin_run(&mut self) {
        self.run = self.window.read(self.head, RUN_BYTES);
    }

    /// Moves the head of the part to the end of the run, which was sent to all waiting members.
    fn end_run(&mut self, now: Instant) {
        if let Some(run) = self.run.take() {
            (self.head, self.told) = (run.last(), run.last());
            self.spoke = now;
        }
        (self.has_news, self.news_events, self.news_bytes) = (false, 0, 0);
        self.forget_what_nobody_needs();
    }
}

/// The index in the part's run where the bytes for this member begin. It is not 0 if the member has got the first
/// events of the run from the log already, because it read the log before the router sent these events.
fn begin(part: &Part, member: &Member) -> usize {
    match &part.run {
        Some(run) if member.cursor >= run.first() => run.behind(member.cursor).start,
        _ => 0,
    }
}

/// The offset and the second piece of the last event of the part's run, if it has a second piece.
fn rest(part: &Part) -> Option<(Offset, Bytes)> {
    let run = part.run.as_ref()?;
    Some((run.last(), run.rest()?.clone()))
}
