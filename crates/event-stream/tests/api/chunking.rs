//! The property above all others: how a stream is cut never shows.
use crate::{
    reference,
    stream::{read, read_in_place, read_items},
};
use fanfare_event_stream::{EventId, Limits, Parser};
use proptest::prelude::*;

/// A stream made of the pieces that streams are made of, and of some that they should not be.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        4 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r"]).prop_map(|text| text.as_bytes().to_vec()),
        4 => prop::sample::select(vec!["data", "event", "id", "retry", "datas", "Data", "da", "", "\u{feff}", "other-name"])
            .prop_map(|text| text.as_bytes().to_vec()),
        4 => prop::sample::select(vec![":", ": ", ":  ", "::"]).prop_map(|text| text.as_bytes().to_vec()),
        4 => "[a-z0-9…é😀\u{0} \t]{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => "[0-9]{1,24}".prop_map(String::into_bytes),
        1 => "[a-z…]{500,800}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// Cuts `stream` into pieces of the given lengths, over and over.
fn cut<'a>(mut stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &length in lengths.iter().cycle() {
        let (piece, rest) = stream.split_at(length.min(stream.len()));
        pieces.push(piece);
        stream = rest;
        if stream.is_empty() || lengths.iter().all(|&length| length == 0) {
            pieces.push(stream);
            break;
        }
    }
    pieces
}

fn check(stream: &[u8], lengths: &[usize]) {
    let id = EventId::new("start").expect("an ID");
    let expected = reference::read(stream, id.as_str());
    for pieces in [vec![stream], cut(stream, lengths)] {
        let (items, result) = read_items(&mut Parser::new().resuming_from(&id), &pieces);
        assert_eq!((&items, result), (&expected, Ok(())));
        let in_place = read_in_place(&mut Parser::new().resuming_from(&id), &pieces);
        assert_eq!(in_place, (expected.clone(), Ok(())));
        let (events, result) = read(&mut Parser::new().resuming_from(&id), &pieces);
        assert_eq!((reference::Outcome { comments: items.comments, ..events }, result), (expected.clone(), Ok(())));
    }
}

proptest! {
    #[test]
    fn of_anything(stream in prop::collection::vec(any::<u8>(), 0..300), lengths in prop::collection::vec(0_usize..20, 1..6)) {
        check(&stream, &lengths);
    }

    #[test]
    fn of_event_streams(stream in stream(), lengths in prop::collection::vec(0_usize..40, 1..6)) {
        check(&stream, &lengths);
    }

    /// Limits too are reached at the same place, with the same error.
    #[test]
    fn of_streams_beyond_the_limits(
        stream in stream(),
        lengths in prop::collection::vec(0_usize..40, 1..6),
        (max_data_bytes, max_id_bytes, max_type_bytes, max_line_bytes) in (0_usize..20, 0_usize..12, 0_usize..12, 0_usize..20),
    ) {
        let limits = Limits { max_data_bytes, max_id_bytes, max_type_bytes, max_line_bytes };
        for read in [read, read_items, read_in_place] {
            let whole = read(&mut Parser::with_limits(limits), &[&stream]);
            prop_assert_eq!(read(&mut Parser::with_limits(limits), &cut(&stream, &lengths)), whole);
        }
    }
}
