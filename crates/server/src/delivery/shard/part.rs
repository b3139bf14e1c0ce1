//! A part: those members of an audience who are in this shard, and the wire events that some of them still need.
use super::keys::{MemberKey, PartIndex};
use bytes::Bytes;
use fanfare_hub::{
    WindowLimit, audience_key::AudienceKey, mailbox::PartKey, position::Offset, run::Run, window::Window,
};
use slab::Slab;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Instant,
};

/// The most bytes of several events that go out in one write.
pub(super) const RUN_BYTES: usize = 64 << 10;

/// The part of one audience.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) key: Arc<AudienceKey>,
    generation: u32,
    pub(super) window: Window,
    /// Everything up to here was sent to all who wait.
    pub(super) head: Offset,
    /// The time of that.
    pub(super) spoke: Instant,
    /// True if there are events behind the head.
    pub(super) has_news: bool,
    news_events: usize,
    news_bytes: usize,
    /// The events that are being delivered.
    pub(super) run: Option<Run>,
    /// The members at the head.
    pub(super) waiting: Vec<MemberKey>,
    /// The members before the window, in the order in which they asked for the log.
    pub(super) readers: VecDeque<MemberKey>,
    /// True if the log is being read for one of them, or will be.
    pub(super) reading: bool,
    /// The number of members in all.
    pub(super) members: u32,
}

impl Part {
    /// Takes in the next event.
    pub(super) fn push(&mut self, offset: Offset, event: &Bytes) {
        self.news_events += 1;
        self.news_bytes += event.len();
        self.window.push(offset, event.clone());
    }

    /// True if another event of so many bytes still fits one run with those that are to be delivered, and drives none
    /// of them out of the window.
    pub(super) fn has_room_for(&self, bytes: usize, limit: &WindowLimit) -> bool {
        // It may come in two pieces.
        self.news_events + 1 < limit.events && self.news_bytes + bytes <= RUN_BYTES.min(limit.bytes)
    }

    /// The run was sent to all who wait.
    pub(super) fn has_delivered(&mut self, now: Instant) {
        if let Some(run) = self.run.take() {
            self.head = run.last();
            self.spoke = now;
        }
        (self.has_news, self.news_events, self.news_bytes) = (false, 0, 0);
        self.forget_what_nobody_needs();
    }

    /// Forgets the events if all members have them.
    pub(super) fn forget_what_nobody_needs(&mut self) {
        if self.waiting.len() == self.members as usize {
            self.window.clear();
        }
    }
}

/// All parts of a shard.
#[derive(Debug, Default)]
pub(super) struct Parts {
    parts: Slab<Part>,
    by_key: HashMap<Arc<AudienceKey>, PartIndex>,
    /// The number of parts that there have ever been. What was meant for one that is gone is recognised by it.
    generation: u32,
}

impl Parts {
    /// The part of this audience, if there is one.
    pub(super) fn find(&self, key: &AudienceKey) -> Option<PartIndex> {
        self.by_key.get(key).copied()
    }

    /// Makes one. `follow` has its events come, and gives the offset behind which they do.
    pub(super) fn add(
        &mut self,
        key: Arc<AudienceKey>,
        limit: WindowLimit,
        now: Instant,
        follow: impl FnOnce(PartKey) -> Offset,
    ) -> PartIndex {
        self.generation = self.generation.wrapping_add(1);
        let index = u32::try_from(self.parts.vacant_key()).expect("there are no more parts than open files");
        let head = follow(PartKey { index, generation: self.generation });
        let part = Part {
            key: key.clone(),
            generation: self.generation,
            window: Window::new(head, limit),
            head,
            spoke: now,
            has_news: false,
            news_events: 0,
            news_bytes: 0,
            run: None,
            waiting: Vec::new(),
            readers: VecDeque::new(),
            reading: false,
            members: 0,
        };
        self.parts.insert(part);
        self.by_key.insert(key, index);
        index
    }

    /// Takes out a part that has no members.
    pub(super) fn remove(&mut self, index: PartIndex) -> (Arc<AudienceKey>, PartKey) {
        let Part { key, generation, .. } = self.parts.remove(index as usize);
        self.by_key.remove(&key);
        // What a wave of subscribers has left behind is given back once they are gone.
        if self.parts.is_empty() {
            (self.parts, self.by_key) = Default::default();
        }
        (key, PartKey { index, generation })
    }

    pub(super) fn get(&self, index: PartIndex) -> &Part {
        &self.parts[index as usize]
    }

    pub(super) fn get_mut(&mut self, index: PartIndex) -> &mut Part {
        &mut self.parts[index as usize]
    }

    /// The part that somebody else knows by this key; `None` if it is gone.
    pub(super) fn known(&self, key: PartKey) -> Option<PartIndex> {
        let part = self.parts.get(key.index as usize)?;
        (part.generation == key.generation).then_some(key.index)
    }

    /// The key by which others know this part.
    pub(super) fn key_of(&self, index: PartIndex) -> PartKey {
        PartKey { index, generation: self.get(index).generation }
    }
}
