//! Checks that events which were encoded and decoded are the same as before, except that each line end in their data
//! becomes LF. The events have any content, and the bytes are cut at any places.
#![no_main]
use arbitrary::Arbitrary;
use fanfare_event_stream::{Chunk, Event, EventId, EventType, Parser, encode_comment};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    piece_bytes: u8,
    comment: &'a str,
    events: Vec<Fields<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Fields<'a> {
    event_type: Option<&'a str>,
    id: Option<&'a str>,
    retry_ms: Option<u64>,
    data: &'a str,
}

fuzz_target!(|input: Input<'_>| {
    let (mut wire, mut expected) = (Vec::new(), Vec::new());
    for Fields { event_type, id, retry_ms, data } in input.events {
        let mut event = Event {
            event_type: event_type.and_then(|text| EventType::new(text).ok()),
            id: id.and_then(|text| EventId::new(text).ok()),
            retry_ms,
            data: data.to_owned(),
        };
        event.encode_into(&mut wire);
        encode_comment(input.comment, &mut wire);
        event.data = data.replace("\r\n", "\n").replace('\r', "\n");
        event.event_type = event.event_type.filter(|text| !matches!(text.as_str(), "" | "message"));
        expected.push(event);
    }

    let (mut parser, mut decoded) = (Parser::new(), Vec::new());
    for piece in wire.chunks(usize::from(input.piece_bytes).max(1)) {
        let mut chunk = Chunk::new(piece);
        while let Some(event) = parser.next_event(&mut chunk).expect("no limit is reached") {
            decoded.push(event.to_event());
        }
    }
    assert_eq!(decoded, expected);
});
