//! Cuts a stream into chunks at any places, and checks that the parser returns what a simple reference reader returns
//! for the whole stream, with data as text and with data in place. With any limits, the events and the error are the
//! same as for the uncut stream.
#![no_main]
#[path = "../../tests/reference/mod.rs"]
mod reference;

use arbitrary::Arbitrary;
use fanfare_event_stream::{Chunk, Data, EventId, EventRef, Item, Limits, ParseError, Parser};
use libfuzzer_sys::fuzz_target;
use reference::{Outcome, Seen};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    piece_bytes: [u8; 4],
    limits: [u8; 4],
    stream: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let Input { piece_bytes, limits, stream } = input;
    let pieces = cut(stream, piece_bytes);

    let id = EventId::new("start").expect("an ID");
    let expected = (reference::read(stream, id.as_str()), Ok(()));
    for next in [next, next_in_place] {
        assert_eq!(read(Parser::new().resuming_from(&id), &pieces, next), expected);
    }

    let [max_data_bytes, max_id_bytes, max_type_bytes, max_line_bytes] = limits.map(usize::from);
    let limits = Limits { max_data_bytes, max_id_bytes, max_type_bytes, max_line_bytes };
    for next in [next, next_in_place] {
        assert_eq!(read(Parser::with_limits(limits), &pieces, next), read(Parser::with_limits(limits), &[stream], next));
    }
});

fn cut(mut stream: &[u8], piece_bytes: [u8; 4]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    for bytes in piece_bytes.into_iter().map(usize::from).cycle().take(stream.len() + 4) {
        let (piece, rest) = stream.split_at(bytes.min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces.push(stream);
    pieces
}

enum Told {
    Event(Seen),
    Comment(String),
}

impl From<Item<'_>> for Told {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Comment(text) => Self::Comment(text.to_owned()),
            // The parser was not told to return blocks.
            Item::Block(_) => unreachable!(),
            Item::Event(event) => Self::Event(Seen {
                event_type: event.event_type.to_owned(),
                data: event.data.to_owned(),
                last_event_id: event.last_event_id.to_owned(),
                sets_id: event.sets_id,
                retry_ms: event.retry_ms,
            }),
        }
    }
}

type Next = fn(&mut Parser, &mut Chunk<'_>) -> Result<Option<Told>, ParseError>;

fn next(parser: &mut Parser, chunk: &mut Chunk<'_>) -> Result<Option<Told>, ParseError> {
    Ok(parser.next_item(chunk)?.map(Told::from))
}

fn next_in_place(parser: &mut Parser, chunk: &mut Chunk<'_>) -> Result<Option<Told>, ParseError> {
    // A range counts from the start of the chunk, also if the beginning of the chunk was read before.
    let (rest, read) = (chunk.rest(), chunk.consumed());
    Ok(parser.next_item_in_place(chunk)?.map(|item| match item {
        Item::Comment(text) => Item::Comment(text).into(),
        Item::Block(block) => Item::Block(block).into(),
        Item::Event(EventRef { event_type, data, last_event_id, sets_id, retry_ms }) => {
            let data = match data {
                Data::InChunk(range) => String::from_utf8_lossy(&rest[range.start - read..range.end - read]),
                Data::Joined(text) => text.into(),
            };
            Item::Event(EventRef { event_type, data: &*data, last_event_id, sets_id, retry_ms }).into()
        }
    }))
}

fn read(mut parser: Parser, pieces: &[&[u8]], next: Next) -> (Outcome, Result<(), ParseError>) {
    let mut outcome = Outcome::default();
    let mut result = Ok(());
    'pieces: for piece in pieces {
        let mut chunk = Chunk::new(piece);
        loop {
            match next(&mut parser, &mut chunk) {
                Ok(Some(Told::Comment(text))) => outcome.comments.push(text),
                Ok(Some(Told::Event(event))) => outcome.events.push(event),
                Ok(None) => break,
                Err(error) => {
                    result = Err(error);
                    break 'pieces;
                }
            }
        }
    }
    parser.last_event_id().clone_into(&mut outcome.last_event_id);
    outcome.reconnection_time_ms =
        parser.reconnection_time().map(|time| u64::try_from(time.as_millis()).expect("a u64 of milliseconds"));
    (outcome, result)
}
