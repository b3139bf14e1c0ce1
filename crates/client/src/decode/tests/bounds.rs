//! The worst bodies that a hostile server can send to a decoder.

use std::task::Poll;

use super::{
    super::pipeline::MAX_PIECE,
    super::zstd::WINDOW_LOG_MAX,
    DecodeError, Stop, Subject,
    encoders::{all, brotli_encoder, encode, zstd_encoder},
};

const BOMB: usize = 64 << 20;

#[test]
fn what_unfolds_to_much_comes_in_bounded_pieces_and_gives_way() {
    let zeros = vec![0; BOMB];
    for name in ["gzip", "deflate", "br", "zstd"] {
        let body = encode(name, &zeros);
        assert!(body.len() < BOMB / 500, "{name}: {} bytes", body.len());
        let mut subject = Subject::whole(name, &body);
        let (mut total, mut pieces_in_a_row) = (0, 0);
        loop {
            match subject.poll() {
                Poll::Ready(Some(Ok(frame))) => {
                    let piece = frame.into_data().expect("data");
                    assert!((1..=MAX_PIECE).contains(&piece.len()), "{name}: a piece of {}", piece.len());
                    total += piece.len();
                    pieces_in_a_row += 1;
                    assert!(pieces_in_a_row <= 64, "{name} never gives way");
                }
                Poll::Pending => pieces_in_a_row = 0,
                Poll::Ready(end) => {
                    assert!(end.is_none(), "{name}: {end:?}");
                    break;
                }
            }
        }
        assert_eq!(total, BOMB, "{name}");
    }
}

#[test]
fn what_unfolds_to_much_and_folds_to_nothing_gives_way() {
    // Stored blocks of no bytes: megabytes of deflate that decode to nothing.
    let nothing = [&[0x78, 0x9c][..], &[0, 0, 0, 0xff, 0xff].repeat(4 << 20)].concat();
    let body = encode("zstd", &nothing);
    assert!(body.len() < 10_000, "{} bytes", body.len());
    let mut subject = Subject::new("deflate, zstd");
    subject.fed.push(&body);
    assert!(matches!(subject.poll(), Poll::Pending) && subject.yields() == 1, "one poll decodes everything");
    let (read, stop) = subject.read();
    assert!(read.is_empty() && matches!(stop, Stop::Waits), "{stop:?}");
    assert!(subject.yields() > 5, "other tasks had their turn {} times", subject.yields());
}

#[test]
fn windows_are_bounded() {
    type Case = (&'static str, Vec<u8>, bool);
    let event = b"data: 1\n\n";
    let cases: [Case; 4] = [
        ("zstd", all(Box::new(zstd_encoder(WINDOW_LOG_MAX)), event), true),
        ("zstd", all(Box::new(zstd_encoder(WINDOW_LOG_MAX + 1)), event), false),
        ("br", all(Box::new(brotli_encoder(24)), event), true),
        ("br", all(Box::new(brotli_encoder(25)), event), false),
    ];
    for (index, (name, body, is_granted)) in cases.into_iter().enumerate() {
        let (read, stop) = Subject::whole(name, &body).read();
        match stop {
            Stop::Ended => assert!(is_granted && read == event, "{name}, case {index}"),
            Stop::Failed(DecodeError::Corrupt { .. }) => assert!(!is_granted, "{name}, case {index}"),
            other => panic!("{name}, case {index}: {other:?}"),
        }
    }
}
