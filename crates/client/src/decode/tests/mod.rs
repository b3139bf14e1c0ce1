//! Decoding against the encoders that servers use.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};
use http_body::{Body, Frame};

use super::{Coding, DecodeError, Decoded};

mod bounds;
mod codings;
mod encoders;
mod wire;

/// A body that returns the frames that it was fed, and then waits for more.
#[derive(Clone, Default)]
struct Fed(Arc<Mutex<VecDeque<Item>>>);

/// The result of one poll of a body.
type Item = Option<io::Result<Frame<Bytes>>>;

impl Fed {
    fn push(&self, bytes: &[u8]) {
        self.push_frame(Some(Ok(Frame::data(Bytes::copy_from_slice(bytes)))));
    }

    fn end(&self) {
        self.push_frame(None);
    }

    fn push_frame(&self, frame: Item) {
        self.0.lock().expect("a test").push_back(frame);
    }
}

impl Body for Fed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Item> {
        self.0.lock().expect("a test").pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A body under test, and the source that feeds it.
struct Subject {
    fed: Fed,
    decoded: Decoded<Fed>,
    wakes: Arc<Wakes>,
}

/// The reason why reading stopped.
#[derive(Debug)]
enum Stop {
    Waits,
    Ended,
    Failed(DecodeError),
}

impl Subject {
    fn new(codings: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(codings).expect("a value"));
        let fed = Fed::default();
        let decoded = Decoded::new(fed.clone(), &headers).expect("known codings");
        Self { fed, decoded, wakes: Arc::default() }
    }

    /// Makes a subject that was fed a whole body.
    fn whole(codings: &str, body: &[u8]) -> Self {
        let subject = Self::new(codings);
        subject.fed.push(body);
        subject.fed.end();
        subject
    }

    fn poll(&mut self) -> Poll<Option<Result<Frame<Bytes>, DecodeError>>> {
        let waker = Waker::from(self.wakes.clone());
        Pin::new(&mut self.decoded).poll_frame(&mut Context::from_waker(&waker))
    }

    /// The number of times that the body let other tasks have their turn.
    fn yields(&self) -> usize {
        self.wakes.0.load(Ordering::Relaxed)
    }

    /// Reads everything that is available.
    fn read(&mut self) -> (Vec<u8>, Stop) {
        let mut read = Vec::new();
        loop {
            let yields = self.yields();
            match self.poll() {
                Poll::Ready(Some(Ok(frame))) => read.extend_from_slice(&frame.into_data().expect("data")),
                Poll::Ready(Some(Err(error))) => return (read, Stop::Failed(error)),
                Poll::Ready(None) => return (read, Stop::Ended),
                Poll::Pending if self.yields() > yields => {}
                Poll::Pending => return (read, Stop::Waits),
            }
        }
    }
}

fn header(name: &str) -> &str {
    if name == "raw" { "deflate" } else { name }
}

/// Returns events like those of a real stream. The last one cannot be compressed.
fn events() -> Vec<Vec<u8>> {
    let mut events: Vec<_> = (0..20)
        .map(|index| {
            format!("id: {index}\nevent: price\ndata: {{\"symbol\":\"FNFR\",\"bid\":{}}}\n\n", index * 7919 % 1000)
        })
        .map(String::into_bytes)
        .collect();
    events.push((0..100_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect());
    events.push(b":\n\n".to_vec());
    events
}
