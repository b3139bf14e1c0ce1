//! A stream, cut anywhere, comes to what the reference reader makes of it whole; and under any limits to the same
//! events and the same error as uncut.
#![no_main]
#[path = "../../tests/reference/mod.rs"]
mod reference;

use arbitrary::Arbitrary;
use fanfare_event_stream::{Chunk, EventId, Item, Limits, ParseError, Parser};
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
    let (outcome, result) = read(Parser::new().resuming_from(&id), &pieces);
    assert_eq!((outcome, result), (reference::read(stream, id.as_str()), Ok(())));

    let [max_data_bytes, max_id_bytes, max_type_bytes, max_line_bytes] = limits.map(usize::from);
    let limits = Limits { max_data_bytes, max_id_bytes, max_type_bytes, max_line_bytes };
    assert_eq!(read(Parser::with_limits(limits), &pieces), read(Parser::with_limits(limits), &[stream]));
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

fn read(mut parser: Parser, pieces: &[&[u8]]) -> (Outcome, Result<(), ParseError>) {
    let mut outcome = Outcome::default();
    let mut result = Ok(());
    'pieces: for piece in pieces {
        let mut chunk = Chunk::new(piece);
        loop {
            match parser.next_item(&mut chunk) {
                Ok(Some(Item::Comment(text))) => outcome.comments.push(text.to_owned()),
                // Not asked for.
                Ok(Some(Item::Block(_))) => unreachable!(),
                Ok(Some(Item::Event(event))) => outcome.events.push(Seen {
                    event_type: event.event_type.to_owned(),
                    data: event.data.to_owned(),
                    last_event_id: event.last_event_id.to_owned(),
                    sets_id: event.sets_id,
                    retry_ms: event.retry_ms,
                }),
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
