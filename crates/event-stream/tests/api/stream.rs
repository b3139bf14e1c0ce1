//! Feeding a parser and writing down what it says.
use crate::reference::{Outcome, Seen};
use fanfare_event_stream::{Chunk, Data, EventRef, Item, ParseError, Parser};

impl From<EventRef<'_>> for Seen {
    fn from(event: EventRef<'_>) -> Self {
        Self {
            event_type: event.event_type.to_owned(),
            data: event.data.to_owned(),
            last_event_id: event.last_event_id.to_owned(),
            sets_id: event.sets_id,
            retry_ms: event.retry_ms,
        }
    }
}

/// Returns what `parser` makes of `pieces`, up to the first error.
pub(crate) fn read(parser: &mut Parser, pieces: &[&[u8]]) -> (Outcome, Result<(), ParseError>) {
    let mut outcome = Outcome::default();
    let mut result = Ok(());
    'pieces: for piece in pieces {
        let mut chunk = Chunk::new(piece);
        loop {
            match parser.next_event(&mut chunk) {
                Ok(Some(event)) => outcome.events.push(event.into()),
                Ok(None) => break,
                Err(error) => {
                    result = Err(error);
                    break 'pieces;
                }
            }
        }
        assert!(chunk.rest().is_empty(), "the parser left {:?}", chunk.rest());
    }
    outcome.last_event_id = parser.last_event_id().to_owned();
    outcome.reconnection_time_ms = millis(parser);
    (outcome, result)
}

/// Does what [`read`] does, but with comments, and stopping after every item to go on with a new chunk of the rest.
pub(crate) fn read_items(parser: &mut Parser, pieces: &[&[u8]]) -> (Outcome, Result<(), ParseError>) {
    read_by(parser, pieces, |parser, chunk| Ok(parser.next_item(chunk)?.map(Told::from)))
}

/// Does what [`read_items`] does, but takes data from where it is in the chunk.
pub(crate) fn read_in_place(parser: &mut Parser, pieces: &[&[u8]]) -> (Outcome, Result<(), ParseError>) {
    read_by(parser, pieces, |parser, chunk| {
        let bytes = chunk.rest();
        Ok(parser.next_item_in_place(chunk)?.map(|item| match item {
            Item::Event(EventRef { event_type, data, last_event_id, sets_id, retry_ms }) => {
                let data = match data {
                    Data::InChunk(range) => String::from_utf8_lossy(&bytes[range]),
                    Data::Joined(text) => text.into(),
                };
                Item::Event(EventRef { event_type, data: &*data, last_event_id, sets_id, retry_ms }).into()
            }
            Item::Comment(text) => Item::Comment(text).into(),
            Item::Block(block) => Item::Block(block).into(),
        }))
    })
}

enum Told {
    Event(Seen),
    Comment(String),
}

impl From<Item<'_>> for Told {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Event(event) => Self::Event(event.into()),
            Item::Comment(text) => Self::Comment(text.to_owned()),
            Item::Block(block) => panic!("{block:?} was not asked for"),
        }
    }
}

fn read_by(
    parser: &mut Parser,
    pieces: &[&[u8]],
    mut next: impl FnMut(&mut Parser, &mut Chunk<'_>) -> Result<Option<Told>, ParseError>,
) -> (Outcome, Result<(), ParseError>) {
    let mut outcome = Outcome::default();
    let mut result = Ok(());
    'pieces: for mut rest in pieces.iter().copied() {
        loop {
            let mut chunk = Chunk::new(rest);
            match next(parser, &mut chunk) {
                Ok(Some(Told::Event(event))) => outcome.events.push(event),
                Ok(Some(Told::Comment(text))) => outcome.comments.push(text),
                Ok(None) => break,
                Err(error) => {
                    result = Err(error);
                    break 'pieces;
                }
            }
            rest = chunk.rest();
        }
    }
    outcome.last_event_id = parser.last_event_id().to_owned();
    outcome.reconnection_time_ms = millis(parser);
    (outcome, result)
}

fn millis(parser: &Parser) -> Option<u64> {
    parser.reconnection_time().map(|time| u64::try_from(time.as_millis()).expect("a u64 of milliseconds"))
}

/// Ways to cut `stream`: not at all, after every byte, with empty pieces between, in two at every place.
pub(crate) fn cuts(stream: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut cuts: Vec<Vec<&[u8]>> = vec![vec![stream], stream.chunks(1).collect(), stream.chunks(3).collect()];
    cuts.push(stream.chunks(2).flat_map(|piece| [piece, b""]).collect());
    cuts.extend((0..stream.len()).map(|at| vec![&stream[..at], &stream[at..]]));
    cuts
}

/// Returns what a new parser makes of `stream`, having made sure that cutting it changes nothing.
#[track_caller]
pub(crate) fn outcome(stream: &[u8]) -> Outcome {
    let expected = read(&mut Parser::new(), &[stream]).0;
    for pieces in cuts(stream) {
        assert_eq!(read(&mut Parser::new(), &pieces).0, expected, "{stream:?} cut as {pieces:?}");
    }
    expected
}

/// The data of each event of `stream`.
#[track_caller]
pub(crate) fn data(stream: impl AsRef<[u8]>) -> Vec<String> {
    outcome(stream.as_ref()).events.into_iter().map(|event| event.data).collect()
}
