//! Encoding and decoding: one undoes the other.
use fanfare_event_stream::{Chunk, Event, EventId, EventType, Parser, encode_comment};
use proptest::prelude::*;

/// Any event that is its own canonical form: LF for line ends, no type for `message`.
fn event() -> impl Strategy<Value = Event> {
    let text = "[a-z: \t\n\u{0}\u{feff}…é😀]{0,40}";
    let event_type = "[a-z: \u{0}\u{feff}…]{1,12}".prop_filter("`message` is no type", |text| text != "message");
    (prop::option::of(event_type), prop::option::of("[a-z: \u{c}\u{feff}…]{0,12}"), any::<Option<u64>>(), text)
        .prop_map(|(event_type, id, retry_ms, data)| Event {
            event_type: event_type.map(|text| EventType::new(text).expect("a type")),
            id: id.map(|text| EventId::new(text).expect("an ID")),
            retry_ms,
            data,
        })
}

proptest! {
    #[test]
    fn events_survive(events in prop::collection::vec(event(), 0..8), comment in "[a-z\r\n:]{0,9}", cut in 1_usize..50) {
        let mut wire = Vec::new();
        for event in &events {
            event.encode_into(&mut wire);
            encode_comment(&comment, &mut wire);
        }
        for pieces in [vec![&*wire], wire.chunks(cut).collect()] {
            let (mut parser, mut decoded) = (Parser::new(), Vec::new());
            for piece in pieces {
                let mut chunk = Chunk::new(piece);
                while let Some(event) = parser.next_event(&mut chunk)? {
                    decoded.push(event.to_event());
                }
            }
            prop_assert_eq!(&decoded, &events);
        }
    }

    /// Every line end in data comes back as LF.
    #[test]
    fn line_ends_become_lf(data in "[ab\r\n]{0,30}") {
        let mut wire = Vec::new();
        Event { data: data.clone(), ..Event::default() }.encode_into(&mut wire);
        let mut parser = Parser::new();
        let mut chunk = Chunk::new(&wire);
        let decoded = parser.next_event(&mut chunk)?.map(|event| event.data.to_owned());
        prop_assert_eq!(decoded, Some(data.replace("\r\n", "\n").replace('\r', "\n")));
    }
}
