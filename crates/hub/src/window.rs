//! A bounded run of wire events: what an audience's members may still need. Whoever falls out of it reads the log.
use crate::{position::Offset, run::Run};
use bytes::Bytes;
use std::collections::VecDeque;

/// How much a window keeps, per audience. The bytes are shared by all audiences that see the same of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowLimit {
    /// The most wire events. Costs about 40 bytes each.
    pub events: usize,
    /// The most bytes of wire events. The newest event stays, however large it is.
    pub bytes: usize,
}

impl Default for WindowLimit {
    fn default() -> Self {
        Self { events: 1_024, bytes: 1 << 20 }
    }
}

/// Every matching wire event behind one place of the log, as far as the router has come.
#[derive(Debug)]
pub struct Window {
    /// Everything that matches and stands behind this offset is here. A cursor before it has to read the log.
    begins_after: Offset,
    events: VecDeque<(Offset, Bytes)>,
    bytes: usize,
    limit: WindowLimit,
}

impl Window {
    /// An empty window that begins behind `begins_after`.
    #[must_use]
    pub fn new(begins_after: Offset, limit: WindowLimit) -> Self {
        Self { begins_after, events: VecDeque::new(), bytes: 0, limit }
    }

    /// The offset behind which everything that matches is here. A cursor before it has to read the log.
    #[must_use]
    pub fn begins_after(&self) -> Offset {
        self.begins_after
    }

    /// Lets the window begin no earlier than behind `offset`.
    pub(crate) fn begin(&mut self, offset: Offset) {
        self.begins_after = self.begins_after.max(offset);
    }

    /// Adds the next event, and forgets the oldest ones if there is no room.
    pub fn push(&mut self, offset: Offset, event: Bytes) {
        self.bytes += event.len();
        self.events.push_back((offset, event));
        while self.events.len() > 1 && (self.events.len() > self.limit.events || self.bytes > self.limit.bytes) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((offset, event)) = self.events.pop_front() {
            self.bytes -= event.len();
            self.begin(offset);
        }
    }

    /// Forgets everything, because nobody needs it any more, and gives the memory back.
    pub fn clear(&mut self) {
        if let Some((offset, _)) = self.events.back() {
            self.begin(*offset);
        }
        self.events = VecDeque::new();
        self.bytes = 0;
    }

    /// What stands behind `cursor`, as much as fits `most_bytes` (at least one event); `None` if nothing does.
    #[must_use]
    pub fn read(&self, cursor: Offset, most_bytes: usize) -> Option<Run> {
        let first = self.events.partition_point(|(offset, _)| *offset <= cursor);
        let (mut count, mut bytes) = (0, 0);
        for (_, event) in self.events.range(first..) {
            bytes += event.len();
            if count > 0 && bytes > most_bytes {
                break;
            }
            count += 1;
        }
        Run::of(self.events.range(first..first + count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(events: usize, bytes: usize) -> Window {
        Window::new(Offset(10), WindowLimit { events, bytes })
    }

    #[test]
    fn a_cursor_gets_everything_behind_it_in_one_run() {
        let mut window = window(8, 100);
        for (offset, event) in [(12, "a"), (15, "bb"), (16, "ccc")] {
            window.push(Offset(offset), Bytes::from_static(event.as_bytes()));
        }
        let read = |cursor, most| window.read(Offset(cursor), most).map(|run| (run.bytes().to_vec(), run.last().0));
        assert_eq!(read(10, 100), Some((b"abbccc".to_vec(), 16)));
        assert_eq!(read(12, 100), Some((b"bbccc".to_vec(), 16)));
        assert_eq!(read(13, 4), Some((b"bb".to_vec(), 15)), "what does not fit waits");
        assert_eq!(read(10, 0), Some((b"a".to_vec(), 12)), "at least one event");
        assert_eq!(read(16, 100), None);
    }

    #[test]
    fn the_oldest_goes_when_a_limit_is_exceeded() {
        let mut by_count = window(2, 100);
        let mut by_bytes = window(100, 4);
        for offset in 11..=13 {
            by_count.push(Offset(offset), Bytes::from_static(b"xx"));
            by_bytes.push(Offset(offset), Bytes::from_static(b"xx"));
        }
        assert_eq!(by_count.begins_after(), Offset(11));
        assert_eq!(by_bytes.begins_after(), Offset(11));
        by_bytes.push(Offset(14), Bytes::from_static(b"larger than the limit"));
        assert_eq!(by_bytes.begins_after(), Offset(13), "the newest stays");
    }

    #[test]
    fn a_cleared_window_begins_behind_its_last_event() {
        let mut window = window(8, 100);
        window.clear();
        assert_eq!(window.begins_after(), Offset(10), "it never held anything");
        window.push(Offset(20), Bytes::from_static(b"x"));
        window.clear();
        assert_eq!((window.begins_after(), window.read(Offset(10), 9).is_none()), (Offset(20), true));
    }
}
