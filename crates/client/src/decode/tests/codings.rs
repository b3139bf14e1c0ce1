//! Each coding decodes to the original bytes, as soon as they were flushed.

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use proptest::prelude::*;

use super::{
    Coding, DecodeError, Stop, Subject,
    encoders::{Chain, Encode, encode, encoder},
    events, header,
};

const NAMES: [&str; 5] = ["gzip", "deflate", "raw", "br", "zstd"];

/// Feeds each flush of `encoder` in pieces of `size` bytes, and expects each event right after its last piece.
fn each_event_in_time(codings: &str, mut encoder: Box<dyn Encode>, size: usize) {
    let mut subject = Subject::new(codings);
    for event in events() {
        for piece in encoder.flush(&event).chunks(size) {
            subject.fed.push(piece);
        }
        let (read, stop) = subject.read();
        assert!(read == event, "{codings}: {} bytes of {} came in time", read.len(), event.len());
        assert!(matches!(stop, Stop::Waits), "{codings}: {stop:?}");
    }
    subject.fed.push(&encoder.end());
    subject.fed.end();
    let (read, stop) = subject.read();
    assert!(read.is_empty() && matches!(stop, Stop::Ended), "{codings}: {read:?} {stop:?}");
}

#[test]
fn an_event_is_given_when_it_was_flushed() {
    for name in NAMES {
        each_event_in_time(header(name), encoder(name), usize::MAX);
    }
}

#[test]
fn an_event_is_given_when_it_was_flushed_and_comes_byte_by_byte() {
    for name in NAMES {
        each_event_in_time(header(name), encoder(name), 1);
    }
}

#[test]
fn four_codings_over_each_other_give_each_event_in_time() {
    for size in [usize::MAX, 1] {
        let chain = ["gzip", "br", "zstd", "deflate"].map(encoder);
        each_event_in_time("gzip, br, zstd, deflate", Box::new(Chain(chain.into())), size);
    }
}

#[test]
fn members_and_frames_may_follow_each_other() {
    for name in ["gzip", "zstd"] {
        let body = [encode(name, b"data: 1\n\n"), encode(name, b""), encode(name, b"data: 2\n\n")].concat();
        for size in [body.len(), 1] {
            let mut subject = Subject::new(name);
            body.chunks(size).for_each(|piece| subject.fed.push(piece));
            subject.fed.end();
            let (read, stop) = subject.read();
            assert_eq!(String::from_utf8_lossy(&read), "data: 1\n\ndata: 2\n\n", "{name}");
            assert!(matches!(stop, Stop::Ended), "{name}: {stop:?}");
        }
    }
}

#[test]
fn a_body_cut_anywhere_gives_what_came_and_is_an_error() {
    for name in NAMES {
        let body = encode(name, b"data: 1\n\ndata: 1\n\ndata: 2\n\n");
        for cut in 1..body.len() {
            let (read, stop) = Subject::whole(header(name), &body[..cut]).read();
            assert!(b"data: 1\n\ndata: 1\n\ndata: 2\n\n".starts_with(&read[..]), "{name}: {read:?}");
            assert!(matches!(stop, Stop::Failed(DecodeError::Truncated { .. })), "{name} at {cut}: {stop:?}");
        }
        // The flushed data is returned, although the end of the body is missing.
        let mut encoder = encoder(name);
        let (read, stop) = Subject::whole(header(name), &encoder.flush(b"data: 1\n\n")).read();
        assert_eq!(read, b"data: 1\n\n", "{name}");
        assert!(matches!(stop, Stop::Failed(DecodeError::Truncated { .. })), "{name}: {stop:?}");
    }
}

#[test]
fn nothing_may_follow_the_end() {
    for name in NAMES {
        let mut body = encode(name, b"data: 1\n\n");
        body.extend(b"more of it");
        let (read, stop) = Subject::whole(header(name), &body).read();
        assert_eq!(read, b"data: 1\n\n", "{name}");
        let Stop::Failed(error) = stop else { panic!("{name}: {stop:?}") };
        match (name, error) {
            // Bytes after a frame are read as the next frame.
            ("zstd", DecodeError::Corrupt { coding: Coding::Zstd, .. }) => {}
            (_, DecodeError::Trailing { coding }) => assert_eq!(coding.to_string(), header(name)),
            (_, error) => panic!("{name}: {error:?}"),
        }
    }
}

#[test]
fn what_is_not_encoded_as_it_says_is_corrupt() {
    for name in ["gzip", "deflate", "br", "zstd"] {
        let mut subject = Subject::whole(name, b"\xff\xff data: not compressed\n\n");
        let (read, stop) = subject.read();
        assert!(read.is_empty(), "{name}: {read:?}");
        assert!(matches!(stop, Stop::Failed(DecodeError::Corrupt { .. })), "{name}: {stop:?}");
        assert!(matches!(subject.read(), (_, Stop::Ended)), "nothing follows an error");
    }
    // A checksum finds an error that the format itself does not show.
    let mut body = encode("gzip", b"data: 1\n\n");
    let checksum = body.len() - 8;
    body[checksum] ^= 1;
    let (_, stop) = Subject::whole("gzip", &body).read();
    assert!(matches!(stop, Stop::Failed(DecodeError::Corrupt { .. })), "{stop:?}");
}

#[test]
fn an_empty_body_is_empty_in_every_coding() {
    for name in ["gzip", "deflate", "br", "zstd", "identity", "gzip, br"] {
        let subject = &mut Subject::new(name);
        subject.fed.push(b"");
        subject.fed.end();
        let (read, stop) = subject.read();
        assert!(read.is_empty() && matches!(stop, Stop::Ended), "{name}: {stop:?}");
    }
}

#[test]
fn without_a_coding_nothing_is_copied() {
    let mut subject = Subject::new("identity");
    let piece = Bytes::from(vec![b'x'; 100_000]);
    subject.fed.push_frame(Some(Ok(Frame::data(piece.clone()))));
    let std::task::Poll::Ready(Some(Ok(frame))) = subject.poll() else { panic!("a piece") };
    let given = frame.into_data().expect("data");
    assert_eq!((given.as_ptr(), given.len()), (piece.as_ptr(), piece.len()));
    assert!(subject.decoded.size_hint().exact().is_none() && !subject.decoded.is_end_stream());
}

#[test]
fn trailers_and_errors_of_the_body_pass() {
    for name in ["identity", "zstd"] {
        let mut subject = Subject::new(name);
        subject.fed.push_frame(Some(Ok(Frame::trailers(HeaderMap::new()))));
        subject.fed.push_frame(Some(Err(std::io::ErrorKind::ConnectionReset.into())));
        let polled = subject.poll();
        assert!(
            matches!(&polled, std::task::Poll::Ready(Some(Ok(frame))) if frame.is_trailers()),
            "{name}: {polled:?}"
        );
        assert!(matches!(subject.read().1, Stop::Failed(DecodeError::Body(_))), "{name}");
        assert!(matches!(subject.read().1, Stop::Ended), "{name}");
    }
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same(
        name in 0..NAMES.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        sizes in proptest::collection::vec(1..200_usize, 1..20),
    ) {
        let name = NAMES[name];
        let encoded = encode(name, &bytes);
        let mut subject = Subject::new(header(name));
        let (mut rest, mut sizes) = (&encoded[..], sizes.iter().cycle());
        while let Some((piece, behind)) = rest.split_at_checked(*sizes.next().expect("a cycle")) {
            subject.fed.push(piece);
            rest = behind;
        }
        subject.fed.push(rest);
        subject.fed.end();
        let (read, stop) = subject.read();
        prop_assert!(matches!(stop, Stop::Ended), "{name}: {stop:?}");
        prop_assert_eq!(read, bytes);
    }

    #[test]
    fn nothing_that_a_stranger_sends_panics(
        name in 0..NAMES.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..500),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let name = NAMES[name];
        let mut encoded = encode(name, &bytes);
        for (index, with) in flips {
            *index.get_mut(&mut encoded[..]) ^= with;
        }
        let _ = Subject::whole(header(name), &encoded).read();
        let _ = Subject::whole(header(name), &bytes).read();
    }
}
