//! The bytes of a stream, the times at which they arrived, and the events in them.
use super::lines::{Content, lines};
use fanfare_event_stream::{Chunk, Item, Limits, Parser};
use fanfare_hub::notice;
use std::time::Duration;

/// The limit of the parser for data, IDs, types and lines, in bytes. It is larger than a whole recording.
const MAX_FIELD_BYTES: usize = 1 << 30;

/// The longest time from the first to the last byte of a piece. Bytes that the server writes at once may arrive in
/// several reads of the connection: if they arrive within this time, they count as one piece.
const PIECE: Duration = Duration::from_millis(1);

/// A piece of the stream: bytes that arrived at almost the same time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The time at which the piece arrived, counted from the arrival of the response's head.
    pub at: Duration,
    /// The number of bytes of the stream up to the end of this piece.
    pub end: usize,
}

/// An event, as browsers would dispatch it.
#[derive(Debug)]
pub(super) struct Seen {
    /// The index in [`Recording::arrivals`] of the piece whose bytes completed the event.
    pub arrival: usize,
    pub event_type: String,
    /// The ID in the event's own `id` field; `None` if the event has no such field.
    pub id: Option<String>,
    /// The length of the event's data, in bytes.
    pub data_bytes: usize,
}

/// A stream as it arrived. Its size is limited by the caller of [`Recording::push`].
#[derive(Debug)]
pub(super) struct Recording {
    pub bytes: Vec<u8>,
    pub arrivals: Vec<Arrival>,
    /// The events, except those by which a hub of ours tells of the connection: such an event says where the client is,
    /// and so its ID is that of an event before it.
    pub events: Vec<Seen>,
    /// For each comment and each such event, the index in `arrivals` of the piece whose bytes completed it.
    pub comments: Vec<usize>,
    parser: Parser,
}

impl Recording {
    pub(super) fn new() -> Self {
        // The recording stores all bytes anyway, so smaller limits of the parser would save no memory.
        let limits = Limits {
            max_data_bytes: MAX_FIELD_BYTES,
            max_id_bytes: MAX_FIELD_BYTES,
            max_type_bytes: MAX_FIELD_BYTES,
            max_line_bytes: MAX_FIELD_BYTES,
        };
        let parser = Parser::with_limits(limits);
        Self { bytes: Vec::new(), arrivals: Vec::new(), events: Vec::new(), comments: Vec::new(), parser }
    }

    /// Adds bytes that arrived at the time `at`, counted from the arrival of the response's head.
    pub(super) fn push(&mut self, at: Duration, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        let end = self.bytes.len();
        match self.arrivals.last_mut() {
            Some(last) if at.saturating_sub(last.at) < PIECE => last.end = end,
            _ => self.arrivals.push(Arrival { at, end }),
        }
        let arrival = self.arrivals.len() - 1;
        let mut chunk = Chunk::new(bytes);
        // The parser cannot fail, because its limits are larger than the recording.
        while let Ok(Some(item)) = self.parser.next_item(&mut chunk) {
            match item {
                Item::Comment(_) => self.comments.push(arrival),
                Item::Event(event) if notice::is_about_the_connection(event.event_type) => self.comments.push(arrival),
                Item::Block(_) => {}
                Item::Event(event) => self.events.push(Seen {
                    arrival,
                    event_type: event.event_type.to_owned(),
                    id: event.id().map(str::to_owned),
                    data_bytes: event.data.len(),
                }),
            }
        }
    }

    /// Returns the block of fields after the last blank line, which is not yet an event; `None` if there are no fields.
    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        let mut unfinished: Option<Unfinished> = None;
        for line in lines(&self.bytes) {
            match line.content() {
                Content::Blank => unfinished = None,
                Content::Comment => {}
                Content::Field { name, .. } => {
                    let first = || Unfinished { number: line.number, offset: line.offset, data_lines: 0 };
                    unfinished.get_or_insert_with(first).data_lines += usize::from(name == b"data");
                }
            }
        }
        unfinished
    }

    /// Returns the median time between two comments, which is the interval of the server's heartbeat. `None` if fewer
    /// than two comments arrived, or all at once.
    pub(super) fn heartbeat(&self) -> Option<Duration> {
        let times: Vec<_> = self.comments.iter().map(|&arrival| self.arrivals[arrival].at).collect();
        let mut gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| !gap.is_zero()).collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied()
    }
}

/// A block of fields whose blank line has not arrived: the number and the offset of its first line, and the number of
/// its `data` lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfinished {
    pub number: usize,
    pub offset: usize,
    pub data_lines: usize,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Makes a recording of bytes that arrived at these times in milliseconds.
    pub(in super::super) fn recorded(arrivals: &[(u64, &[u8])]) -> Recording {
        let mut recording = Recording::new();
        arrivals.iter().for_each(|(ms, bytes)| recording.push(Duration::from_millis(*ms), bytes));
        recording
    }

    #[test]
    fn events_belong_to_the_arrival_that_completes_them() {
        let recording = recorded(&[(0, b":\n\nid: 1\nda"), (5, b""), (10, b"ta: x\n\ndata\n"), (20, b"\ndata: y")]);
        let events: Vec<_> = recording.events.iter().map(|seen| (seen.arrival, seen.id.as_deref())).collect();
        assert_eq!(events, [(1, Some("1")), (2, None)]);
        assert_eq!(recording.comments, [0]);
        assert_eq!(recording.arrivals.len(), 3);
        assert_eq!(recording.unfinished(), Some(Unfinished { number: 8, offset: 24, data_lines: 1 }));
        assert_eq!(recorded(&[(0, b"data: x\n\n:\n")]).unfinished(), None);
    }

    #[test]
    fn what_comes_together_is_one_piece() {
        let mut recording = Recording::new();
        for (micros, pieces) in [(0, 1), (999, 1), (1_000, 2), (1_999, 2), (3_000, 3)] {
            recording.push(Duration::from_micros(micros), b"data\n\n");
            assert_eq!(recording.arrivals.len(), pieces);
        }
        assert_eq!(recording.arrivals.last().unwrap().end, recording.bytes.len());
        assert_eq!(recording.events.iter().map(|event| event.arrival).collect::<Vec<_>>(), [0, 0, 1, 1, 2]);
    }

    #[test]
    fn heartbeats_have_a_usual_distance() {
        let recording = recorded(&[(0, b":\n"), (15_000, b":\n:\n"), (30_000, b":\n"), (46_000, b":\n")]);
        assert_eq!(recording.heartbeat(), Some(Duration::from_secs(15)));
        assert_eq!(recorded(&[(0, b":\n")]).heartbeat(), None);
    }
}
