//! A part: the members of one audience that belong to one [`FanOut`](super::FanOut), and the events that some of them
//! still need.
use super::member::{MemberKey, RequestNumber};
use crate::{
    audience_key::AudienceKey,
    position::Offset,
    run::Run,
    window::{Window, WindowLimit},
};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// The members of one audience, and the events for them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) key: Arc<AudienceKey>,
    pub(super) window: Window,
    /// The offset up to which all events of the part were sent to those members that have everything and wait for the
    /// next event.
    pub(super) head: Offset,
    /// The offset of the last event that was sent to all members that waited for it; 0 before the first one.
    pub(super) told: Offset,
    /// The time when something was last sent to all members that wait for the next event.
    pub(super) spoke: Instant,
    /// True if the window has events after `head`, which are still to be delivered.
    pub(super) has_news: bool,
    pub(super) news_events: usize,
    pub(super) news_bytes: usize,
    /// The events that are being delivered now; `None` between two deliveries.
    pub(super) run: Option<Run>,
    /// The members that wait for the next event.
    pub(super) waiting: Vec<MemberKey>,
    /// The highest cursor that a waiting member of this part has ever had. If a run begins after this cursor, the whole
    /// run is for every waiting member, and the cursors of the members need not be read.
    pub(super) furthest: Offset,
    /// The members whose cursor is before the window. The keys are the numbers of their requests to read the log, so
    /// the members are in the order of these requests, and a member that leaves is removed without a search.
    pub(super) readers: BTreeMap<RequestNumber, MemberKey>,
    /// The number of the newest request to read the log.
    pub(super) requests: RequestNumber,
    /// True if the log is being read for one of `readers`, or if a read for one of them is in the queue.
    pub(super) reading: bool,
    /// True if the last step that was read for one of `readers` has nothing for the part.
    pub(super) is_barren: bool,
    /// The number of members of the part, whatever their states.
    pub(super) members: u32,
}

impl Part {
    /// Returns a part without members, whose events begin after `head`.
    pub(super) fn new(key: Arc<AudienceKey>, head: Offset, limit: WindowLimit, now: Instant) -> Self {
        Self {
            key,
            window: Window::new(head, limit),
            head,
            told: Offset::ZERO,
            spoke: now,
            has_news: false,
            news_events: 0,
            news_bytes: 0,
            run: None,
            waiting: Vec::new(),
            furthest: Offset::ZERO,
            readers: BTreeMap::new(),
            requests: 0,
            reading: false,
            is_barren: false,
            members: 0,
        }
    }

    /// Removes all events from the window if every member waits for the next event, and so has these events.
    pub(super) fn forget_what_nobody_needs(&mut self) {
        if self.waiting.len() == self.members as usize {
            self.window.clear();
        }
    }
}
