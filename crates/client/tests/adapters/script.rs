//! A server without a network: a transport that answers as it is told.
use bytes::Bytes;
use fanfare_client::{Builder, EventSource, Reconnect, transport::RequestBody};
use http::{HeaderMap, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Frame;
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future as _,
    future::{Ready, ready},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use tower_service::Service;

/// The answer to a request. After the last: 204.
pub enum Answer {
    Status(u16),
    /// An event stream that ends behind this.
    Events(&'static str),
    /// An event stream in these pieces that stays open.
    Open(&'static [&'static str]),
    /// The same, and each piece comes so long after the one before.
    Every(Duration, &'static [&'static str]),
}

#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    requests: Vec<HeaderMap>,
    dropped: usize,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let state = State { answers: answers.into_iter().collect(), ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// An event source that gets these answers, and reconnects after 1 s.
    pub fn source(&self) -> EventSource {
        self.builder().build().unwrap()
    }

    pub fn builder(&self) -> Builder {
        EventSource::builder("http://script.example/")
            .transport(self.clone())
            .reconnect(Reconnect::spec().reconnection_time(Duration::from_secs(1)).max_delay(Duration::from_secs(1)))
    }

    /// The `Last-Event-ID` of each request.
    pub fn last_event_ids(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let id = |headers: &HeaderMap| headers.get("last-event-id").map_or("", |id| id.to_str().unwrap()).to_owned();
        state.requests.iter().map(id).collect()
    }

    /// The number of responses that are no longer read.
    pub fn dropped(&self) -> usize {
        self.0.lock().unwrap().dropped
    }
}

impl Service<Request<RequestBody>> for Script {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let mut state = self.0.lock().unwrap();
        state.requests.push(request.headers().clone());
        let mut status = StatusCode::OK;
        let (pieces, ends, every): (&[&'static str], _, _) = match state.answers.pop_front() {
            Some(Answer::Status(code)) => {
                status = StatusCode::from_u16(code).unwrap();
                (&[], true, None)
            }
            Some(Answer::Events(text)) => (&[text], true, None),
            Some(Answer::Open(pieces)) => (pieces, false, None),
            Some(Answer::Every(pause, pieces)) => (pieces, false, Some(pause)),
            None => {
                status = StatusCode::NO_CONTENT;
                (&[], true, None)
            }
        };
        let body = Body { pieces: pieces.iter().copied().collect(), ends, every, pause: None, script: self.clone() };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, "text/event-stream".parse().unwrap());
        ready(Ok(response))
    }
}

pub struct Body {
    pieces: VecDeque<&'static str>,
    ends: bool,
    every: Option<Duration>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
    script: Script,
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(every) = self.every {
            let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(every)));
            std::task::ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece.into())))),
            None if self.ends => Poll::Ready(None),
            None => {
                self.every = None;
                Poll::Pending
            }
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.script.0.lock().unwrap().dropped += 1;
    }
}
