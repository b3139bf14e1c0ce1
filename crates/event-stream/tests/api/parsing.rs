//! One stream goes in: the rules P1 to P24 of reading it (WHATWG HTML, 9.2.5 and 9.2.6).
use crate::stream::{data, outcome, read};
use fanfare_event_stream::{Chunk, Parser};

/// Asserts the data of the events of each stream.
#[track_caller]
fn each(cases: &[(&[u8], &[&str])]) {
    for (stream, expected) in cases {
        assert_eq!(data(stream), *expected, "{:?}", String::from_utf8_lossy(stream));
    }
}

/// P1: always UTF-8.
#[test]
fn text_is_utf8() {
    each(&[("data: ok…\n\n".as_bytes(), &["ok…"]), ("data: é中😀\n\n".as_bytes(), &["é中😀"])]);
}

/// P2: exactly one leading byte order mark is stripped, split or not; with a second one the line is an unknown field.
#[test]
fn one_leading_byte_order_mark_is_stripped() {
    each(&[
        (b"\xef\xbb\xbfdata:1\n\ndata:2\n\n", &["1", "2"]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\n", &["2"]),
        (b"\xef\xbbdata:1\n\ndata:2\n\n", &["2"]),
        (b"\xefdata:1\n\ndata:2\n\n", &["2"]),
        (b"\xef\xbb\n\ndata:2\n\n", &["2"]),
        (b"\xef\xbb\xbf\n\ndata:2\n\n", &["2"]),
        (b"\xef\xbb:\ndata:2\n\n", &["2"]),
    ]);
}

/// P3: a byte order mark anywhere else stays.
#[test]
fn a_later_byte_order_mark_is_kept() {
    each(&[
        ("data:1\n\n\u{feff}data:2\n\ndata:3\n\n".as_bytes(), &["1", "3"]),
        ("data:\u{feff}1\n\n".as_bytes(), &["\u{feff}1"]),
    ]);
}

/// P4: invalid UTF-8 becomes U+FFFD, never an error.
#[test]
fn invalid_utf8_is_replaced() {
    each(&[
        (b"data: a\xffb\n\n", &["a\u{fffd}b"]),
        (b"data: \xe4\xb8\n\n", &["\u{fffd}"]),
        (b"data: \xe4\xb8\r\rdata:\xf0\x9f\r\n\r\n", &["\u{fffd}", "\u{fffd}"]),
        (b"data: \xed\xa0\x80\n\n", &["\u{fffd}\u{fffd}\u{fffd}"]),
        (b"data: ok\ndata: \x80\ndata: ok\n\ndata: ok\n\n", &["ok\n\u{fffd}\nok", "ok"]),
    ]);
    let events = outcome(b"event: \xff\nid: \xfe\ndata:\n\n").events;
    assert_eq!((&*events[0].event_type, &*events[0].last_event_id), ("\u{fffd}", "\u{fffd}"));
}

/// P5: a character may span chunks.
#[test]
fn a_character_may_span_chunks() {
    let pieces: [&[u8]; 4] = [b"data: \xf0", b"\x9f\x98", b"\x80\n", b"\n"];
    assert_eq!(read(&mut Parser::new(), &pieces).0.events[0].data, "😀");
}

/// P6: LF, CR and CRLF end a line, mixed freely; nothing else does.
#[test]
fn line_ends() {
    each(&[
        (b"data:1\ndata:2\rdata:3\r\ndata:4\n\r\n", &["1\n2\n3\n4"]),
        (b"data:1\r\rdata:2\n\ndata:3\r\n\r\n", &["1", "2", "3"]),
        (b"data:1\n\rdata:2\r\n\rdata:3\r\n\n", &["1", "2", "3"]),
        ("data:a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f\n\n".as_bytes(), &["a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f"]),
    ]);
}

/// P7: a CR at the end of a chunk ends the line at once; an LF at the start of the next belongs to it.
#[test]
fn a_cr_at_the_end_of_a_chunk_dispatches_at_once() {
    let mut parser = Parser::new();
    for (piece, expected) in [
        (&b"data:1\r"[..], None),
        (b"\n", None),
        (b"\r", Some("1")),
        // An LF after the CR is no further blank line, nor does an empty chunk between them make it one.
        (b"", None),
        (b"\ndata:2\n", None),
        (b"\r", Some("2")),
        (b"data:3\r\r", Some("3")),
        (b"\n\n", None),
    ] {
        let mut chunk = Chunk::new(piece);
        let event = parser.next_event(&mut chunk).expect("no limit is reached");
        assert_eq!(event.map(|event| event.data.to_owned()).as_deref(), expected, "{piece:?}");
        assert_eq!(chunk.consumed(), piece.len());
    }
}

/// P8: empty chunks do no harm, before, within and after.
#[test]
fn empty_chunks_do_no_harm() {
    let pieces: [&[u8]; 7] = [b"", b"da", b"", b"ta:1", b"", b"\n\n", b""];
    assert_eq!(read(&mut Parser::new(), &pieces).0.events[0].data, "1");
}

/// P9: a blank line dispatches, and only that.
#[test]
fn a_blank_line_dispatches() {
    each(&[(b"data:1\n\n\n\n\ndata:2\n\n", &["1", "2"]), (b"\n\n\n", &[]), (b" \n\n", &[])]);
}

/// P10: a line that starts with a colon is ignored, within a block too, whatever it holds.
#[test]
fn comments_are_ignored() {
    each(&[
        (b":\n\n:x\ndata:1\n:data:2\ndata:3\n: \0\xff\n\n", &["1\n3"]),
        (b"data:1\n:\r\ndata:2\n\n", &["1\n2"]),
        (b":data:1\n\n", &[]),
    ]);
    let long = [b":".repeat(1 << 20).as_slice(), b"\ndata:1\n\n"].concat();
    assert_eq!(read(&mut Parser::new(), &[&long]).0.events.len(), 1);
    assert_eq!(read(&mut Parser::new(), &long.chunks(1000).collect::<Vec<_>>()).0.events.len(), 1);
}

/// P11: the first colon splits; one U+0020 after it does not count, a TAB does.
#[test]
fn the_first_colon_splits_and_one_space_is_stripped() {
    each(&[
        (b"data:a\n\n", &["a"]),
        (b"data: a\n\n", &["a"]),
        (b"data:  a\n\n", &[" a"]),
        (b"data:\ta\n\n", &["\ta"]),
        (b"data: \n\n", &[""]),
        (b"data::a:b\n\n", &[":a:b"]),
        (b"data: : \n\n", &[": "]),
    ]);
}

/// P12: without a colon the whole line is the name and the value is empty.
#[test]
fn a_line_without_colon_is_a_name() {
    each(&[(b"data\n\n", &[""]), (b"data\ndata\n\n", &["\n"]), (b"data:1\ndata\n\n", &["1\n"])]);
    let events = outcome(b"event:a\nid:1\ndata\n\nevent:b\nevent\nid\ndata\n\n").events;
    assert_eq!((&*events[1].event_type, &*events[1].last_event_id, events[1].sets_id), ("message", "", true));
}

/// P13: names are case-sensitive and not trimmed; unknown ones are ignored.
#[test]
fn unknown_fields_are_ignored() {
    each(&[
        (b"Data:1\nDATA:1\n data:1\ndata :1\ndata\0:1\nda-ta:1\ndat:1\ndataa:1\n\xffdata:1\ndata:2\n\n", &["2"]),
        (b"unknown-field-of-some-length:1\nx\ndata:2\n\n", &["2"]),
        (b"iid:1\neventt:1\nretryy:1\ne:1\nr:1\ndata:2\n\n", &["2"]),
    ]);
    let outcome = outcome(b"ID:1\nEvent:a\nRetry:1\ndata:2\n\n");
    assert_eq!((&*outcome.events[0].event_type, &*outcome.last_event_id), ("message", ""));
    assert_eq!(outcome.reconnection_time_ms, None);
}

/// P14: every `data` line adds its value and an LF.
#[test]
fn data_lines_are_joined() {
    each(&[(b"data:1\ndata:2\n\n", &["1\n2"]), (b"data\ndata:2\ndata\n\n", &["\n2\n"])]);
}

/// P15: the last `event` line wins; an empty one means `message`.
#[test]
fn the_event_type_is_the_last_one() {
    for (stream, expected) in [
        (&b"event:a\ndata:\n\n"[..], "a"),
        (b"event: a b \ndata:\n\n", "a b "),
        (b"event:a\nevent:b\ndata:\n\n", "b"),
        (b"event:a\nevent:\ndata:\n\n", "message"),
        (b"event: \ndata:\n\n", "message"),
        (b"data:\nevent:a\n\n", "a"),
        (b"data:\n\n", "message"),
    ] {
        assert_eq!(outcome(stream).events[0].event_type, expected, "{stream:?}");
    }
}

/// P16: `id` replaces the ID, also by nothing; a value with a NUL is ignored as a whole.
#[test]
fn the_id_is_the_last_one_without_nul() {
    for (stream, expected, sets_id) in [
        (&b"id:1\ndata:\n\n"[..], "1", true),
        (b"id:1\nid: 2\ndata:\n\n", "2", true),
        (b"id:1\nid\ndata:\n\n", "", true),
        (b"id:1\nid:\ndata:\n\n", "", true),
        (b"id:1\nid:\0\ndata:\n\n", "1", true),
        (b"id:1\nid:2\0\ndata:\n\n", "1", true),
        (b"id:1\nid:\x002\ndata:\n\n", "1", true),
        (b"id:1\nid:2\x003\ndata:\n\n", "1", true),
        (b"id:2\x003\ndata:\n\n", "", false),
        ("id:…\ndata:\n\n".as_bytes(), "…", true),
    ] {
        let event = outcome(stream).events.remove(0);
        assert_eq!((&*event.last_event_id, event.sets_id), (expected, sets_id), "{stream:?}");
    }
}

/// P17: `retry` is ASCII digits, base ten, leading zeros allowed; anything else is ignored; too large saturates. It is
/// in force from its line on, in a block that is never dispatched too.
#[test]
fn retry_is_digits_and_in_force_at_once() {
    for (value, expected) in [
        ("3000", Some(3000)),
        ("03000", Some(3000)),
        ("0", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", Some(u64::MAX)),
        ("99999999999999999999999999999999", Some(u64::MAX)),
        ("", None),
        ("1000x", None),
        ("+5", None),
        ("-5", None),
        (" 5", None),
        ("5 ", None),
        ("0x5", None),
        ("1_000", None),
        ("1.5", None),
        ("٣", None),
    ] {
        let outcome = outcome(format!("retry: {value}\n").as_bytes());
        assert_eq!(outcome.reconnection_time_ms, expected, "{value:?}");
    }
    let outcome = outcome(b"retry:1\nretry:x\ndata:1\n\ndata:2\n\nretry:3\n\ndata:3\nretry:4\n");
    assert_eq!(outcome.events.iter().map(|event| event.retry_ms).collect::<Vec<_>>(), [Some(1), None]);
    assert_eq!(outcome.reconnection_time_ms, Some(4));
}

/// P18: every blank line makes the ID the last event ID, without data too.
#[test]
fn every_blank_line_commits_the_id() {
    assert_eq!(outcome(b"id:1\n\n").last_event_id, "1");
    assert_eq!(outcome(b"id:1\n").last_event_id, "");
    let outcome = outcome(b"id:1\n\ndata:a\n\n");
    assert_eq!((&*outcome.events[0].last_event_id, outcome.events[0].sets_id), ("1", false));
}

/// P19: a block without data is no event, and its type is forgotten.
#[test]
fn a_block_without_data_is_forgotten() {
    let outcome = outcome(b"event:x\n\ndata:y\n\n");
    assert_eq!((outcome.events.len(), &*outcome.events[0].event_type), (1, "message"));
}

/// P20: one trailing LF of the data is stripped.
#[test]
fn one_trailing_line_end_is_stripped() {
    each(&[(b"data\n\n", &[""]), (b"data\ndata\n\n", &["\n"]), (b"data:a\ndata\ndata\n\n", &["a\n\n"])]);
}

/// P21: after an event its data and type are forgotten, not its ID.
#[test]
fn data_and_type_do_not_outlive_the_event() {
    let events = outcome(b"event:x\nid:1\nretry:5\ndata:a\ndata:b\n\ndata:c\n\n").events;
    let second = &events[1];
    assert_eq!((&*second.event_type, &*second.data, &*second.last_event_id), ("message", "c", "1"));
    assert_eq!((second.sets_id, second.retry_ms), (false, None));
}

/// P22: the ID persists to later events.
#[test]
fn the_id_persists() {
    let ids = |stream: &[u8]| outcome(stream).events.into_iter().map(|event| event.last_event_id).collect::<Vec<_>>();
    assert_eq!(ids(b"id:1\ndata:a\n\ndata:b\n\nid\ndata:c\n\ndata:d\n\n"), ["1", "1", "", ""]);
}

/// P23: at the end of the stream the begun block is discarded, its ID too.
#[test]
fn the_end_discards_the_begun_block() {
    let outcome = outcome(b"id:1\ndata:a\n\nid:2\ndata:b\n");
    assert_eq!((outcome.events.len(), &*outcome.last_event_id), (1, "1"));
}

/// P24: NUL in data is kept.
#[test]
fn nul_in_data_is_kept() {
    each(&[(b"data:\0\n\n", &["\0"]), (b"data: a\0b\ndata:\0\n\n", &["a\0b\n\0"])]);
}
