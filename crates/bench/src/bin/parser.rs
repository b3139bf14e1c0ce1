//! The speed of parsing event streams: our parser and the crates `sse-core` and `eventsource-stream`, in one process,
//! in turns.
//!
//! The benchmark drives each parser as directly as its API allows. For our parser it calls `next_event` on each chunk.
//! In one variant it reads the borrowed event; in the other variant it copies the event into an owned one, which the
//! other two crates always do. For `sse-core` it calls `SseDecoder::next` on each chunk. `eventsource-stream` is only a
//! `Stream`. It wraps a stream of chunks that is always ready, and the benchmark polls it with a waker that does
//! nothing, so that no runtime is involved. Every event goes through `black_box`. Each parser reads one long stream,
//! which repeats the input, so the start of a connection and first allocations are not measured.
//!
//! In a turn, a parser reads the stream several times. The fastest of these passes is the result of the turn, because
//! other work of the machine only makes a pass slower. The result of all turns is their median; in each turn the stream
//! is at another place in memory. Run it with `cargo run --release -p fanfare-bench --bin parser`. If a part of an
//! input's name is given, only this input is read (`-- "1 MiB"`). If a part of a parser's name is given as well, only
//! this parser is measured (`-- "1 MiB" owned`, under a profiler).
use core::{
    cell::Cell,
    convert::Infallible,
    hint::black_box,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use eventsource_stream::EventStream;
use fanfare_bench::sample::json;
use fanfare_event_stream::{Chunk, Parser};
use futures_core::Stream;
use sse_core::{SseDecoder, SseEvent};
use std::{
    num::NonZeroUsize,
    rc::Rc,
    time::{Duration, Instant},
};

const TURNS: usize = 15;
const PAGE_BYTES: usize = 4096;
/// The least time for which each parser reads the stream repeatedly in one turn.
const TURN: Duration = Duration::from_millis(12);
/// The least length of a stream of small events, in bytes. Such a stream fits into a processor's second-level cache, as
/// a chunk does that was just read from a socket.
const STREAM_BYTES: usize = 512 << 10;
const LARGE_EVENT_BYTES: usize = 1 << 20;
const LARGE_EVENTS: usize = 4;
/// The payload of a full Ethernet segment.
const SEGMENT_BYTES: usize = 1448;
const READ_BYTES: usize = 16 << 10;

/// An input of the benchmark: a stream, and the indexes at which its events end.
struct Input {
    name: &'static str,
    stream: Vec<u8>,
    event_ends: Vec<usize>,
}

impl Input {
    fn new(name: &'static str, mut event: impl FnMut(usize) -> String, count: Option<usize>) -> Self {
        let (mut stream, mut event_ends) = (Vec::new(), Vec::new());
        while count.map_or(stream.len() < STREAM_BYTES, |count| event_ends.len() < count) {
            stream.extend_from_slice(event(event_ends.len()).as_bytes());
            event_ends.push(stream.len());
        }
        Self { name, stream, event_ends }
    }

    /// Cuts `stream`, which is a copy of the input's stream, into pieces.
    fn cut<'s>(&self, stream: &'s [u8], cut: Cut) -> Vec<&'s [u8]> {
        let starts = [0].into_iter().chain(self.event_ends.iter().copied());
        match cut {
            Cut::Events => starts.zip(&self.event_ends).map(|(start, &end)| &stream[start..end]).collect(),
            Cut::Bytes(bytes) => stream.chunks(bytes).collect(),
        }
    }
}

/// The way in which a stream is cut into pieces.
#[derive(Clone, Copy)]
enum Cut {
    Events,
    Bytes(usize),
}

const CUTS: [(&str, Cut); 3] =
    [("one event", Cut::Events), ("1,448 B", Cut::Bytes(SEGMENT_BYTES)), ("16 KB", Cut::Bytes(READ_BYTES))];

/// Returns copies of a stream that start at different places within a page of memory. The speed of copying memory
/// differs by up to a sixth, depending on the distance between source and destination modulo the page size. So with
/// only one place, chance would favour one parser.
fn placements(stream: &[u8]) -> Vec<Vec<u8>> {
    (0..TURNS).map(|turn| [&vec![0; turn * PAGE_BYTES / TURNS], stream].concat()).collect()
}

fn inputs() -> [Input; 6] {
    let lines = |seed: usize| {
        (0..50).map(|line| format!("data: {}\n", json(seed + line, 100).split_at(60).0)).collect::<String>()
    };
    let chinese =
        |seed: usize| "事件流一行接一行地到达浏览器".chars().cycle().skip(seed % 14).take(30).collect::<String>();
    [
        Input::new("100 B of JSON", |seed| format!("data: {}\n\n", json(seed, 100)), None),
        Input::new("10 KB", |seed| format!("data: {}\n\n", json(seed, 10_000)), None),
        Input::new("50 data lines", |seed| lines(seed) + "\n", None),
        Input::new("1 MiB", |seed| format!("data: {}\n\n", json(seed, LARGE_EVENT_BYTES)), Some(LARGE_EVENTS)),
        Input::new("type, id, 100 B", |seed| format!("event: delta\nid: {seed}\ndata: {}\n\n", json(seed, 100)), None),
        Input::new("90 B of Chinese", |seed| format!("data: {}\n\n", chinese(seed)), None),
    ]
}

/// A function that reads the next pieces of one endless stream, and returns the number of events and of bytes of data
/// in them.
type Parse<'p> = Box<dyn FnMut(&'p [&'p [u8]]) -> (usize, usize) + 'p>;

const NAMES: [&str; 4] = ["fanfare", "fanfare owned", "sse-core", "eventsource-stream"];

/// Returns one parser for each name, at the start of a stream.
fn contenders<'p>() -> [Parse<'p>; NAMES.len()] {
    [fanfare(), fanfare_owned(), sse_core(), eventsource_stream()]
}

fn fanfare<'p>() -> Parse<'p> {
    let mut parser = Parser::new();
    Box::new(move |pieces| {
        let (mut events, mut bytes) = (0, 0);
        for piece in pieces {
            let mut chunk = Chunk::new(piece);
            while let Some(event) = parser.next_event(&mut chunk).expect("no limit is reached") {
                let event = black_box(event);
                (events, bytes) = (events + 1, bytes + event.data.len());
            }
        }
        (events, bytes)
    })
}

fn fanfare_owned<'p>() -> Parse<'p> {
    let mut parser = Parser::new();
    Box::new(move |pieces| {
        let (mut events, mut bytes) = (0, 0);
        for piece in pieces {
            let mut chunk = Chunk::new(piece);
            while let Some(event) = parser.next_event(&mut chunk).expect("no limit is reached") {
                let event = black_box(event.to_event());
                (events, bytes) = (events + 1, bytes + event.data.len());
            }
        }
        (events, bytes)
    })
}

fn sse_core<'p>() -> Parse<'p> {
    // The limit (16 MiB) is the default limit of our parser: the default limit of `sse-core` would refuse the largest
    // events.
    let mut decoder = SseDecoder::with_limit(NonZeroUsize::new(16 << 20).expect("not zero"));
    Box::new(move |pieces| {
        let (mut events, mut bytes) = (0, 0);
        for piece in pieces {
            let mut rest = *piece;
            while let Some(event) = decoder.next(&mut rest) {
                if let SseEvent::Message(event) = black_box(event.expect("no limit is reached")) {
                    (events, bytes) = (events + 1, bytes + event.data.len());
                }
            }
        }
        (events, bytes)
    })
}

/// A stream whose next chunk is ready as long as there are pieces, and that is pending when there are none.
#[derive(Clone, Default)]
struct Ready<'p>(Rc<Cell<&'p [&'p [u8]]>>);

impl<'p> Stream for Ready<'p> {
    type Item = Result<&'p [u8], Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some((piece, rest)) = self.0.get().split_first() else { return Poll::Pending };
        self.0.set(rest);
        Poll::Ready(Some(Ok(piece)))
    }
}

fn eventsource_stream<'p>() -> Parse<'p> {
    let ready = Ready::default();
    let mut stream = Box::pin(EventStream::new(ready.clone()));
    Box::new(move |pieces| {
        let (mut events, mut bytes) = (0, 0);
        ready.0.set(pieces);
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(event)) = stream.as_mut().poll_next(&mut context) {
            let event = black_box(event.expect("the stream is valid"));
            (events, bytes) = (events + 1, bytes + event.data.len());
        }
        (events, bytes)
    })
}

/// The results of the parsers on one input that is cut in one way.
struct Outcome {
    /// The speed of each parser in GB/s: the median of the results of all turns.
    speeds: [f64; NAMES.len()],
    /// The speed of our parser as a multiple of the faster of the other two, for each turn, sorted.
    leads: [f64; TURNS],
}

/// Measures each contender whose name contains `only`, on one input that is cut in one way.
fn measure(input: &Input, cut: Cut, only: &str) -> Outcome {
    let placements = placements(&input.stream);
    let turns =
        placements.iter().map(|copy| input.cut(&copy[copy.len() - input.stream.len()..], cut)).collect::<Vec<_>>();
    let expected = fanfare()(&turns[0]);
    let mut contenders = contenders();
    let mut speeds = [[0.0; TURNS]; NAMES.len()];
    for (turn, pieces) in turns.iter().enumerate() {
        for ((name, parse), speeds) in NAMES.iter().zip(&mut contenders).zip(&mut speeds) {
            let begun = Instant::now();
            while name.contains(only) && begun.elapsed() < TURN {
                let start = Instant::now();
                let read = parse(black_box(pieces));
                // The unit is bytes per nanosecond. Both numbers are far below 2^53, up to which a float holds every
                // integer exactly.
                let speed = input.stream.len() as f64 / start.elapsed().as_nanos() as f64;
                speeds[turn] = speed.max(speeds[turn]);
                assert_eq!(read, expected, "{name}");
            }
        }
    }
    let [ours, _, others @ ..] = speeds;
    let mut leads = core::array::from_fn(|turn| ours[turn] / others[0][turn].max(others[1][turn]));
    leads.sort_by(f64::total_cmp);
    let median = |mut of_turns: [f64; TURNS]| {
        of_turns.sort_by(f64::total_cmp);
        of_turns[TURNS / 2]
    };
    Outcome { speeds: speeds.map(median), leads }
}

fn main() {
    let mut only = std::env::args().skip(1);
    let (only_event, only_contender) = (only.next().unwrap_or_default(), only.next().unwrap_or_default());
    // One input is enough to see that everything works.
    let only_event = if only_event == "--smoke" { inputs()[0].name.to_owned() } else { only_event };
    println!(
        "GB/s of event stream, median of {TURNS} turns; the ratio of fanfare to the faster of the other crates, and \
         the number of turns in which fanfare was faster\n"
    );
    print!("{:<16} {:<10}", "event", "chunk");
    NAMES.iter().for_each(|name| print!(" {name:>19}"));
    println!(" {:>7} {:>6}", "ahead", "turns");
    let mut rows = Vec::new();
    for input in inputs().iter().filter(|input| input.name.contains(&only_event)) {
        for (cut_name, cut) in CUTS {
            let Outcome { speeds, leads } = measure(input, cut, &only_contender);
            let (ahead, turns) = (leads[TURNS / 2], leads.iter().filter(|&&lead| lead > 1.0).count());
            print!("{:<16} {cut_name:<10}", input.name);
            speeds.iter().for_each(|speed| print!(" {speed:>19.2}"));
            println!(" {ahead:>6.2}x {turns:>6}");
            let columns = NAMES.iter().zip(speeds).map(|(name, speed)| format!(r#","{name}":{speed:.3}"#));
            let columns = columns.collect::<String>() + &format!(r#","ahead":{ahead:.3},"turns_ahead":{turns}"#);
            rows.push(format!(r#"{{"event":"{}","chunk":"{cut_name}"{columns}}}"#, input.name));
        }
    }
    assert!(!rows.is_empty(), "no event is named {only_event:?}");
    println!("\n{{\"benchmark\":\"parser\",\"unit\":\"GB/s\",\"turns\":{TURNS},\"rows\":[{}]}}", rows.join(","));
}
