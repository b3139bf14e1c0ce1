//! A scenario: the stream that is sent, and the pieces in which it is sent.
use super::checksum::Checksum;
use crate::sample::json;
use std::fmt;

/// A stream that every contender reads.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The kind of the stream's events.
    pub events: Events,
    /// The way in which the end of the body is marked.
    pub framing: Framing,
    /// The size of one write. With chunked framing, each write is one chunk.
    pub piece: Piece,
    /// The number of events to send. It is rounded up to whole [`Block`]s.
    pub count: usize,
}

/// The kind of the events of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// Events with 100 bytes of data and nothing else.
    Json,
    /// Events with a type and an ID, as a hub sends them.
    Hub,
    /// Events like the output of a language model: an event type, and a JSON object around one word.
    Deltas,
    /// Events with ten lines of data.
    Lines,
    /// Events with 16 KiB of data.
    Large,
    /// Events like [`Events::Json`], each after a comment.
    Comments,
}

/// The way in which the end of a body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The body ends when the server closes the connection.
    Close,
    /// The body is sent in chunks.
    Chunked,
}

/// The part of the stream that the server writes to the socket at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This many bytes in each write, even if a write ends within an event.
    Bytes(usize),
    /// One event in each write.
    Event,
}

/// The block that a server writes repeatedly.
#[derive(Debug)]
pub struct Block {
    /// The data of each event in the block.
    pub data: Vec<String>,
    /// The bytes of the block, in chunks if the framing requires them.
    pub bytes: Vec<u8>,
    /// The index at which each write ends.
    pub ends: Vec<usize>,
}

const LARGE_WRITE: Piece = Piece::Bytes(64 << 10);
/// The size of the writes of servers that copy through a buffer. It is also the largest write of hyper.
const BUFFER: Piece = Piece::Bytes(16 << 10);
/// The payload of a full Ethernet segment.
const SEGMENT: Piece = Piece::Bytes(1_448);
/// The size of a block: large enough that work done once per block does not matter.
const BLOCK_BYTES: usize = 512 << 10;

/// All scenarios. The counts are chosen so that each turn takes some hundred milliseconds of CPU time.
pub const SCENARIOS: [Scenario; 16] = [
    Scenario { events: Events::Json, framing: Framing::Close, piece: LARGE_WRITE, count: 1_000_000 },
    Scenario { events: Events::Json, framing: Framing::Chunked, piece: BUFFER, count: 1_000_000 },
    Scenario { events: Events::Json, framing: Framing::Close, piece: SEGMENT, count: 1_000_000 },
    Scenario { events: Events::Json, framing: Framing::Chunked, piece: SEGMENT, count: 1_000_000 },
    Scenario { events: Events::Hub, framing: Framing::Close, piece: LARGE_WRITE, count: 1_000_000 },
    Scenario { events: Events::Hub, framing: Framing::Chunked, piece: BUFFER, count: 1_000_000 },
    Scenario { events: Events::Deltas, framing: Framing::Close, piece: LARGE_WRITE, count: 1_000_000 },
    Scenario { events: Events::Deltas, framing: Framing::Chunked, piece: BUFFER, count: 1_000_000 },
    Scenario { events: Events::Deltas, framing: Framing::Close, piece: Piece::Event, count: 150_000 },
    Scenario { events: Events::Deltas, framing: Framing::Chunked, piece: Piece::Event, count: 150_000 },
    Scenario { events: Events::Lines, framing: Framing::Close, piece: LARGE_WRITE, count: 200_000 },
    Scenario { events: Events::Lines, framing: Framing::Chunked, piece: BUFFER, count: 200_000 },
    Scenario { events: Events::Large, framing: Framing::Close, piece: LARGE_WRITE, count: 40_000 },
    Scenario { events: Events::Large, framing: Framing::Chunked, piece: BUFFER, count: 40_000 },
    Scenario { events: Events::Comments, framing: Framing::Close, piece: LARGE_WRITE, count: 1_000_000 },
    Scenario { events: Events::Comments, framing: Framing::Chunked, piece: BUFFER, count: 1_000_000 },
];

impl Scenario {
    /// Returns the block that is sent repeatedly.
    #[must_use]
    pub fn block(&self) -> Block {
        let (mut data, mut stream, mut event_ends) = (Vec::new(), Vec::new(), Vec::new());
        while data.len() < self.count && stream.len() < BLOCK_BYTES {
            let (fields, of_event) = self.events.event(data.len());
            stream.extend_from_slice(fields.as_bytes());
            of_event.split('\n').for_each(|line| stream.extend_from_slice(format!("data: {line}\n").as_bytes()));
            stream.push(b'\n');
            data.push(of_event);
            event_ends.push(stream.len());
        }
        let ends: Vec<usize> = match self.piece {
            Piece::Event => event_ends,
            Piece::Bytes(bytes) => (bytes..stream.len()).step_by(bytes).chain([stream.len()]).collect(),
        };
        match self.framing {
            Framing::Close => Block { data, bytes: stream, ends },
            Framing::Chunked => {
                let (bytes, ends) = chunked(&stream, &ends);
                Block { data, bytes, ends }
            }
        }
    }

    /// Returns the number of times that the block is sent.
    #[must_use]
    pub fn blocks(&self, block: &Block) -> usize {
        self.count.div_ceil(block.data.len().max(1))
    }

    /// Returns the number of events that are sent, and the checksum of their data.
    #[must_use]
    pub fn expected(&self) -> (usize, u64) {
        let (block, mut checksum) = (self.block(), Checksum::default());
        let blocks = self.blocks(&block);
        (0..blocks).for_each(|_| block.data.iter().for_each(|data| checksum.add(data)));
        (blocks * block.data.len(), checksum.value())
    }
}

/// Returns `stream` with each piece as a chunk ([RFC 9112, 7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1)),
/// and the indexes at which the chunks end. `ends` are the indexes at which the pieces end.
fn chunked(stream: &[u8], ends: &[usize]) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut chunk_ends, mut start) = (Vec::new(), Vec::new(), 0);
    for end in ends {
        bytes.extend_from_slice(format!("{:x}\r\n", end - start).as_bytes());
        bytes.extend_from_slice(&stream[start..*end]);
        bytes.extend_from_slice(b"\r\n");
        chunk_ends.push(bytes.len());
        start = *end;
    }
    (bytes, chunk_ends)
}

impl Events {
    /// Returns the lines before the data of event number `seed`, and its data.
    fn event(self, seed: usize) -> (String, String) {
        match self {
            Self::Json => (String::new(), json(seed, 100)),
            Self::Hub => (format!("event: delta\nid: #4-{}\n", 100_000 + seed), json(seed, 100)),
            Self::Deltas => {
                let word = ["the", "quick", "brown", "fox", "jumps", "over"][seed % 6];
                let delta = format!(r#"{{"type":"text_delta","text":" {word}"}}"#);
                let data = format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#);
                ("event: content_block_delta\n".into(), data)
            }
            Self::Lines => {
                let lines: Vec<String> = (0..10).map(|line| json(seed + line, 100).split_off(40)).collect();
                (String::new(), lines.join("\n"))
            }
            Self::Large => (String::new(), json(seed, 16 << 10)),
            Self::Comments => (": heartbeat\n\n".into(), json(seed, 100)),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}, {}", self.events, self.framing, self.piece)
    }
}

impl fmt::Display for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Json => "100 B of JSON",
            Self::Hub => "type, id, 100 B",
            Self::Deltas => "LLM deltas",
            Self::Lines => "10 data lines",
            Self::Large => "16 KiB",
            Self::Comments => "comment, 100 B",
        })
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Close => "until close",
            Self::Chunked => "chunked",
        })
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event => formatter.write_str("one event a write"),
            Self::Bytes(bytes) if bytes.is_multiple_of(1 << 10) => write!(formatter, "{} KiB a write", bytes >> 10),
            Self::Bytes(bytes) => write!(formatter, "{bytes} B a write"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanfare_event_stream::{Chunk, Parser};

    #[test]
    fn a_stream_holds_the_data_that_is_expected() {
        for scenario in SCENARIOS {
            let scenario = Scenario { framing: Framing::Close, count: 20, ..scenario };
            let (block, mut parser, mut data) = (scenario.block(), Parser::new(), Vec::new());
            let mut chunk = Chunk::new(&block.bytes);
            while let Some(event) = parser.next_event(&mut chunk).unwrap() {
                data.push(event.data.to_owned());
            }
            assert_eq!(data, block.data, "{scenario}");
            assert_eq!((block.ends.last(), data.len()), (Some(&block.bytes.len()), 20), "{scenario}");
        }
    }

    #[test]
    fn chunks_carry_their_size() {
        assert_eq!(chunked(b"0123456789a", &[10, 11]), (b"a\r\n0123456789\r\n1\r\na\r\n".to_vec(), vec![15, 21]));
    }
}
