//! A run: encoded events of one audience in the order of the log, in one piece of memory, so that a subscriber that
//! needs several events gets them in one write.
use crate::{
    budget::{Ledger, OverBudget, Room},
    position::Offset,
};
use bytes::{Bytes, BytesMut};
use std::{ops::Range, sync::Arc};

/// Encoded events in the order of the log. Never empty.
#[derive(Clone, Debug)]
pub struct Run {
    bytes: Bytes,
    /// The offset of each event, and the index in `bytes` where the event ends.
    ends: Vec<(Offset, usize)>,
    /// The second piece of the last event, which other audiences share; `None` if the event has one piece.
    rest: Option<Bytes>,
    /// The room that the memory of the run takes; `None` if it is not charged to the budgets.
    room: Option<Room>,
}

/// The bytes of an event that still have to be sent, in order: the rest of its first piece, and its second piece. The
/// two pieces are empty if nothing is left to send.
pub type Left = [Bytes; 2];

impl Run {
    /// Returns a run of these events; `None` if there are none. A single event is not copied. An event in two pieces is
    /// two items with the same offset.
    pub(crate) fn of<'a>(mut events: impl Iterator<Item = &'a (Offset, Bytes)> + Clone) -> Option<Self> {
        let all = events.clone();
        let (offset, first) = events.next()?;
        if events.next().is_none() {
            return Some(Self { bytes: first.clone(), ends: vec![(*offset, first.len())], rest: None, room: None });
        }
        let (count, length) = all.clone().fold((0, 0), |(count, length), (_, event)| (count + 1, length + event.len()));
        let (mut bytes, mut ends) = (BytesMut::with_capacity(length), Vec::with_capacity(count));
        for (offset, event) in all {
            bytes.extend_from_slice(event);
            match ends.last_mut() {
                Some((last, end)) if last == offset => *end = bytes.len(),
                _ => ends.push((*offset, bytes.len())),
            }
        }
        Some(Self { bytes: bytes.freeze(), ends, rest: None, room: None })
    }

    /// Returns a run of one event in two pieces. Neither piece is copied.
    pub(crate) fn of_pieces(offset: Offset, first: Bytes, rest: Bytes) -> Self {
        Self { ends: vec![(offset, first.len())], bytes: first, rest: Some(rest), room: None }
    }

    /// Returns a run of the events that were encoded into `bytes` and end at the indices in `ends`; `None` if there are
    /// none.
    pub(crate) fn encoded(bytes: Vec<u8>, ends: Vec<(Offset, usize)>) -> Option<Self> {
        (!ends.is_empty()).then(|| Self { bytes: bytes.into(), ends, rest: None, room: None })
    }

    /// Charges the memory of the run to the budgets, until the last bytes of the run are dropped.
    pub(crate) fn charged(self, ledger: &Arc<Ledger>, is_anonymous: bool) -> Result<Self, OverBudget> {
        let held = self.bytes.len() + self.ends.capacity() * size_of::<(Offset, usize)>();
        let room = ledger.reserve(held, is_anonymous)?;
        Ok(Self { bytes: room.hold(self.bytes), room: Some(room), ..self })
    }

    /// All bytes of the run, except the [`rest`](Self::rest).
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes that follow [`bytes`](Self::bytes) and belong to the last event: a large piece that is shared with
    /// other audiences. A run that has a shared piece consists of one event.
    #[must_use]
    pub fn rest(&self) -> Option<&Bytes> {
        self.rest.as_ref()
    }

    /// The offset of the first event.
    #[must_use]
    pub fn first(&self) -> Offset {
        self.ends[0].0
    }

    /// The offset of the last event.
    #[must_use]
    pub fn last(&self) -> Offset {
        self.ends[self.ends.len() - 1].0
    }

    /// Returns the range of [`bytes`](Self::bytes) that holds the events after `cursor`; an empty range if there are
    /// none.
    #[must_use]
    pub fn behind(&self, cursor: Offset) -> Range<usize> {
        let passed = self.ends.partition_point(|(offset, _)| *offset <= cursor);
        let start = passed.checked_sub(1).map_or(0, |last| self.ends[last].1);
        start..self.bytes.len()
    }

    /// Returns what is left to send of an event after exactly the [`bytes`](Self::bytes) before `index` were sent. The
    /// first value is the offset of the last event of which a byte was sent; `None` if there is none. The second value
    /// is the bytes of this event that were not sent. They share the run's memory if the run is one event. Otherwise
    /// they are copied, so that the rest of one event does not keep the memory of the whole run.
    #[must_use]
    pub fn cut(&self, index: usize) -> (Option<Offset>, Left) {
        let (begun, left) = self.cut_at(index);
        let left = match &self.room {
            _ if self.ends.len() == 1 => self.bytes.slice(left),
            Some(room) if !left.is_empty() => room.copy(&self.bytes[left]),
            _ => Bytes::copy_from_slice(&self.bytes[left]),
        };
        let rest = self.rest.clone().filter(|_| begun.is_some());
        (begun, [left, rest.unwrap_or_default()])
    }

    fn cut_at(&self, index: usize) -> (Option<Offset>, Range<usize>) {
        let whole = self.ends.partition_point(|(_, end)| *end <= index);
        let begins = whole.checked_sub(1).map_or(0, |last| self.ends[last].1);
        match self.ends.get(whole) {
            Some((offset, end)) if begins < index => (Some(*offset), index..*end),
            _ => (whole.checked_sub(1).map(|last| self.ends[last].0), index..index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        let events = [(3, "aaa"), (5, "bb"), (9, "c")].map(|(offset, text)| (Offset(offset), Bytes::from(text)));
        Run::of(events.iter()).unwrap()
    }

    #[test]
    fn it_has_what_stands_behind_a_cursor() {
        for (cursor, behind) in
            [(0, "aaabbc"), (2, "aaabbc"), (3, "bbc"), (4, "bbc"), (5, "c"), (8, "c"), (9, ""), (20, "")]
        {
            let run = run();
            assert_eq!(&run.bytes()[run.behind(Offset(cursor))], behind.as_bytes(), "behind {cursor}");
        }
    }

    #[test]
    fn a_cut_falls_between_two_events_or_into_one() {
        let cases = [
            (0, None, ""),
            (1, Some(3), "aa"),
            (2, Some(3), "a"),
            (3, Some(3), ""),
            (4, Some(5), "b"),
            (5, Some(5), ""),
            (6, Some(9), ""),
        ];
        for (index, begun, left) in cases {
            let run = run();
            let (offset, [rest, shared]) = run.cut(index);
            assert_eq!((offset, &rest[..]), (begun.map(Offset), left.as_bytes()), "cut at {index}");
            assert!(shared.is_empty());
        }
    }

    #[test]
    fn a_single_event_is_shared_and_none_is_no_run() {
        let event = (Offset(1), Bytes::from("x"));
        assert_eq!(Run::of([event.clone()].iter()).unwrap().bytes().as_ptr(), event.1.as_ptr());
        assert!(Run::of([].iter()).is_none());
        assert!(Run::encoded(Vec::new(), Vec::new()).is_none());
    }

    #[test]
    fn an_event_in_two_pieces_is_cut_like_one() {
        let run = Run::of_pieces(Offset(3), Bytes::from("aaa"), Bytes::from("bb"));
        assert_eq!((run.first(), run.last(), run.rest().unwrap().len()), (Offset(3), Offset(3), 2));
        for (index, begun, left) in [(0, None, ["", ""]), (1, Some(3), ["aa", "bb"]), (3, Some(3), ["", "bb"])] {
            assert_eq!(run.cut(index), (begun.map(Offset), left.map(Bytes::from)), "cut at {index}");
        }
        let pieces = [(3, "aaa"), (5, "b"), (5, "b"), (9, "c")].map(|(at, text)| (Offset(at), Bytes::from(text)));
        let run = Run::of(pieces.iter()).unwrap();
        assert_eq!(run.cut(4), (Some(Offset(5)), [Bytes::from("b"), Bytes::new()]), "copied together");
        assert_eq!(&run.bytes()[run.behind(Offset(4))], b"bbc");
    }
}
