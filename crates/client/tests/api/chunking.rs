//! P8: how a stream is cut never shows, neither by chunks nor by packets nor by connections.
use crate::{
    connection::{Connection, chunk},
    fixture::{received_from, run},
    log::Log,
};
use fanfare_event_stream::{Chunk, Parser};
use proptest::prelude::*;

/// Event type, data and last event ID of an event; whether it sets the ID; the reconnection time that it sets.
type Told = ([String; 3], bool, Option<u64>);

/// A stream made of the pieces that streams are made of, and of some that they should not be.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |text: &'static str| text.as_bytes().to_vec();
    let token = prop_oneof![
        4 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r"]).prop_map(bytes),
        4 => prop::sample::select(vec!["data", "event", "id", "retry", "Data", "", "\u{feff}", "other"]).prop_map(bytes),
        4 => prop::sample::select(vec![":", ": ", ":  "]).prop_map(bytes),
        4 => "[a-z0-9…é😀\u{0} \t]{0,12}".prop_map(String::into_bytes),
        4 => "(id: ?[0-9]{1,3}\n)?data: [a-z…]{0,20}\n\n".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => "[a-z…]{500,800}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// Cuts `bytes` into pieces of the given lengths, over and over.
fn cut<'a>(mut bytes: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    lengths.iter().cycle().map_while(move |&length| {
        let (piece, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Returns what the parser makes of a stream as a whole.
fn parsed(stream: &[u8]) -> Vec<Told> {
    let (mut parser, mut chunk, mut events) = (Parser::new(), Chunk::new(stream), Vec::new());
    while let Some(event) = parser.next_event(&mut chunk).expect("no limit is reached") {
        let texts = [event.event_type, event.data, event.last_event_id].map(str::to_owned);
        events.push((texts, event.sets_id, event.retry_ms));
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p08_cutting_never_shows(
        stream in stream(),
        chunks in prop::collection::vec(prop_oneof![1_usize..40, 40_usize..400], 1..6),
        packets in prop::collection::vec(prop_oneof![1_usize..60, 60_usize..2_000], 1..6),
    ) {
        let body: Vec<u8> = cut(&stream, &chunks).flat_map(chunk).collect();
        let connection = cut(&body, &packets).fold(Connection::stream(), |connection, packet| connection.write(packet));
        let events = run(received_from(connection.end()));
        let told: Vec<Told> = events
            .into_iter()
            .map(|event| {
                let (sets_id, retry_ms) = (event.sets_id(), event.retry_ms());
                ([event.event_type, event.data, event.last_event_id].map(String::from), sets_id, retry_ms)
            })
            .collect();
        prop_assert_eq!(told, parsed(&stream));
    }

    #[test]
    fn p08_connections_that_break_anywhere_lose_and_repeat_nothing(
        data in prop::collection::vec("[a-z…\n]{0,20}", 0..12),
        cuts in prop::collection::vec(0_usize..80, 0..8),
    ) {
        Log::new(data).check(&cuts);
    }
}
