//! A window: the newest encoded events of an audience, as far as its members may still need them. A member whose cursor
//! is before the window reads the log.
use crate::{position::Offset, run::Run};
use bytes::Bytes;
use std::collections::VecDeque;

/// The limit of the window of one part. Audiences that see the same topics of an update share the bytes of its encoded
/// event, so all windows together may take less memory than the sum of their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowLimit {
    /// The greatest number of encoded events that a window keeps; an event in two pieces counts as two events. Each
    /// event costs about 40 bytes of memory besides the bytes that are sent.
    pub events: usize,
    /// The greatest number of bytes of encoded events that a window keeps. It keeps the newest event even if that event
    /// alone has more bytes.
    pub bytes: usize,
}

impl Default for WindowLimit {
    fn default() -> Self {
        Self { events: 1_024, bytes: 1 << 20 }
    }
}

/// Every encoded event for one audience after one position of the log, up to the last event that the router has sent.
#[derive(Debug)]
pub struct Window {
    /// The offset after which the window has every event for the audience. A member with a lower cursor has to read the
    /// log.
    begins_after: Offset,
    events: VecDeque<(Offset, Bytes)>,
    bytes: usize,
    limit: WindowLimit,
}

impl Window {
    /// Returns an empty window that begins after `begins_after`.
    #[must_use]
    pub fn new(begins_after: Offset, limit: WindowLimit) -> Self {
        Self { begins_after, events: VecDeque::new(), bytes: 0, limit }
    }

    /// The offset after which the window has every event for the audience. A member with a lower cursor has to read the
    /// log.
    #[must_use]
    pub fn begins_after(&self) -> Offset {
        self.begins_after
    }

    /// Raises the beginning of the window to `offset`, unless it is higher already.
    pub(crate) fn begin(&mut self, offset: Offset) {
        self.begins_after = self.begins_after.max(offset);
    }

    /// Adds the next event, or the second piece of the newest event. Then removes the oldest events until the window is
    /// within its own limit again, and within `limit`.
    pub(crate) fn push_within(&mut self, limit: &WindowLimit, offset: Offset, event: Bytes) {
        debug_assert!(
            self.events.back().is_none_or(|(last, _)| *last <= offset),
            "events come in the order of the log"
        );
        self.bytes += event.len();
        self.events.push_back((offset, event));
        let (most_events, most_bytes) = (limit.events.min(self.limit.events), limit.bytes.min(self.limit.bytes));
        while (self.events.len() > most_events || self.bytes > most_bytes)
            && self.events.front().is_some_and(|(oldest, _)| *oldest != offset)
        {
            self.pop();
        }
    }

    /// Adds the next event, or the second piece of the newest event. Then removes the oldest events until the window is
    /// within its limit again.
    pub fn push(&mut self, offset: Offset, event: Bytes) {
        let limit = self.limit;
        self.push_within(&limit, offset, event);
    }

    /// Removes the oldest event, with all its pieces.
    fn pop(&mut self) {
        while let Some((offset, event)) = self.events.pop_front() {
            self.bytes -= event.len();
            self.begin(offset);
            if self.events.front().is_none_or(|(next, _)| *next != offset) {
                break;
            }
        }
    }

    /// Removes all events, because no member needs them, and releases the memory.
    pub fn clear(&mut self) {
        if let Some((offset, _)) = self.events.back() {
            self.begin(*offset);
        }
        self.events = VecDeque::new();
        self.bytes = 0;
    }

    /// Returns the events after `cursor`, as many as fit into `most_bytes`, and at least one; `None` if no event is
    /// after `cursor`. An event in two pieces is joined with the other events if it fits into `most_bytes`; if it does
    /// not, it is a run by itself.
    #[must_use]
    pub fn read(&self, cursor: Offset, most_bytes: usize) -> Option<Run> {
        let first = self.events.partition_point(|(offset, _)| *offset <= cursor);
        // The loop has examined `count` items, which have `bytes` bytes together. `last` describes the event of the
        // newest examined item: the number of items before this event, and its offset.
        let (mut count, mut bytes, mut last) = (0, 0, (0, cursor));
        for (offset, event) in self.events.range(first..) {
            let begins = *offset != last.1;
            if begins {
                last = (count, *offset);
            }
            bytes += event.len();
            if bytes > most_bytes {
                // The first event is returned even if it is too large.
                match (last.0, begins) {
                    (0, true) => {}
                    (0, false) => {
                        let [(_, first), (_, rest)] = [&self.events[first], &self.events[first + 1]];
                        return Some(Run::of_pieces(*offset, first.clone(), rest.clone()));
                    }
                    (whole, _) => {
                        count = whole;
                        break;
                    }
                }
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
        assert_eq!(read(13, 4), Some((b"bb".to_vec(), 15)), "an event that does not fit waits");
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
        assert_eq!(window.begins_after(), Offset(10), "the window never held an event");
        window.push(Offset(20), Bytes::from_static(b"x"));
        window.clear();
        assert_eq!((window.begins_after(), window.read(Offset(10), 9).is_none()), (Offset(20), true));
    }

    #[test]
    fn an_event_of_two_pieces_is_one_event() {
        let pieces = [(11, "a"), (12, "bb"), (12, "BB"), (13, "c"), (14, "dd"), (14, "DD")];
        let filled = |events, bytes| {
            let mut window = window(events, bytes);
            pieces.iter().for_each(|(offset, text)| window.push(Offset(*offset), Bytes::from_static(text.as_bytes())));
            window
        };
        let plenty = filled(8, 100);
        let read = |cursor, most| {
            let run = plenty.read(Offset(cursor), most)?;
            let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
            Some((text(run.bytes()), run.rest().map(text), run.last().0))
        };
        let whole = |text: &str, last| Some((text.to_owned(), None, last));
        assert_eq!(read(10, 100), whole("abbBBcddDD", 14));
        assert_eq!(read(11, 4), whole("bbBB", 12), "together, if it fits");
        assert_eq!(read(10, 4), whole("a", 11), "never a half of the event");
        assert_eq!(read(10, 2), whole("a", 11));
        assert_eq!(read(12, 4), whole("c", 13));
        for most in [0, 1, 2, 3] {
            assert_eq!(read(11, most), Some(("bb".to_owned(), Some("BB".to_owned()), 12)), "at most {most}");
            assert_eq!(read(13, most), Some(("dd".to_owned(), Some("DD".to_owned()), 14)), "at most {most}");
        }
        assert_eq!(read(14, 100), None);
        // The oldest event is removed with all its pieces, and the newest event is kept with all its pieces.
        for (events, bytes, begins_after) in
            [(5, 100, 11), (4, 100, 12), (3, 100, 12), (8, 4, 13), (8, 0, 13), (1, 9, 13)]
        {
            let window = filled(events, bytes);
            assert_eq!(window.begins_after(), Offset(begins_after), "{events} {bytes}");
            let held: usize = window.events.iter().map(|(_, event)| event.len()).sum();
            assert_eq!(window.bytes, held);
        }
    }
}
