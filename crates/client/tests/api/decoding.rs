//! The way from bytes to lines: P1 to P8.
use crate::{
    connection::{Connection, Gate},
    fixture::{Expect as _, each, received, run, signals},
    server::Server,
};
use fanfare_client::ManualClock;

#[test]
fn p01_it_is_utf_8_whatever_the_charset() {
    run(async {
        let clock = ManualClock::new();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=windows-1251\r\n\r\n";
        let server = Server::start([Connection::raw(format!("{head}data: ok…й\n\n"))]);
        let mut signals = signals(&server, &clock);
        signals.opened().await;
        assert_eq!(signals.event().await.data, "ok…й");
    });
}

#[test]
fn p02_one_byte_order_mark_at_the_start_is_stripped() {
    each(&[
        (b"\xef\xbb\xbfdata:1\n\ndata:2\n\n", &["1", "2"]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\n", &["2"]),
        (b"\xef\xbbdata:1\n\ndata:2\n\n", &["2"]),
    ]);
}

#[test]
fn p02_each_connection_may_start_with_a_byte_order_mark() {
    run(async {
        let clock = ManualClock::new();
        let stream = |text: &str| Connection::stream().piece(b"\xef").piece(b"\xbb\xbf").piece(text);
        let server = Server::start([stream("data:1\n\n").end(), stream("data:2\n\n")]);
        let mut signals = signals(&server, &clock);
        for expected in ["1", "2"] {
            signals.opened().await;
            assert_eq!(signals.event().await.data, expected);
            if expected == "1" {
                let (_, delay) = signals.reconnecting().await;
                clock.advance(delay);
            }
        }
    });
}

#[test]
fn p03_a_later_byte_order_mark_is_kept() {
    each(&[(b"data:1\n\n\xef\xbb\xbfdata:2\n\ndata:\xef\xbb\xbf3\n\n", &["1", "\u{feff}3"])]);
}

#[test]
fn p04_what_is_not_utf_8_is_replaced() {
    each(&[
        (b"data:a\xffb\n\n", &["a\u{fffd}b"]),
        (b"data:\xe2\x80\n\ndata:\xc0\x80\n\n", &["\u{fffd}", "\u{fffd}\u{fffd}"]),
    ]);
}

#[test]
fn p05_a_character_may_span_chunks() {
    run(async {
        let events = received(&[b"data: \xf0", b"\x9f\x98", b"\x80\n", b"\n"]).await;
        assert_eq!(events[0].data, "😀");
    });
}

#[test]
fn p06_lf_cr_and_crlf_end_a_line_and_nothing_else_does() {
    each(&[
        (b"data:1\ndata:2\rdata:3\r\ndata:4\n\r\n", &["1\n2\n3\n4"]),
        (b"data:1\r\rdata:2\n\ndata:3\r\n\r\n", &["1", "2", "3"]),
        ("data:a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f\n\n".as_bytes(), &["a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f"]),
    ]);
}

#[test]
fn p07_a_cr_at_the_end_of_a_chunk_ends_the_line_now() {
    run(async {
        let (clock, gate) = (ManualClock::new(), Gate::default());
        // The second event comes only after the first was seen: the LF is neither waited for nor a blank line.
        let stream = Connection::stream().piece("data:1\r").piece("\r").wait(&gate).piece("\ndata:2\r\r").wait(&gate);
        let server = Server::start([stream.piece("\n\ndata:3\n\n")]);
        let mut signals = signals(&server, &clock);
        signals.opened().await;
        for expected in ["1", "2", "3"] {
            assert_eq!(signals.event().await.data, expected);
            gate.open();
        }
    });
}

#[test]
fn p07_an_lf_at_the_start_of_another_connection_is_a_line_of_its_own() {
    run(async {
        let clock = ManualClock::new();
        let first = Connection::stream().piece("data:1\r\r").end();
        let server = Server::start([first, Connection::stream().piece("\ndata:2\n\n")]);
        let mut signals = signals(&server, &clock);
        signals.opened().await;
        signals.event().await;
        clock.advance(signals.reconnecting().await.1);
        signals.opened().await;
        assert_eq!(signals.event().await.data, "2");
    });
}

#[test]
fn p08_writes_without_bytes_of_the_stream_are_harmless() {
    run(async {
        let clock = ManualClock::new();
        let connection = Connection::stream().piece("da").write("").piece("ta:1").write("").piece("\n\n").end();
        let server = Server::start([connection]);
        let mut signals = signals(&server, &clock);
        signals.opened().await;
        assert_eq!(signals.event().await.data, "1");
    });
}
