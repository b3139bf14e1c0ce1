//! A transport that sends nothing. Its answer is standard input: an event stream that another program has requested.
use fanfare_client::transport::RequestBody;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use std::{
    convert::Infallible,
    future::{Ready, ready},
    io,
    pin::Pin,
    task::{Context, Poll, ready as poll_ready},
};
use tokio::io::{AsyncRead as _, ReadBuf};
use tower_service::Service;

/// The number of bytes that are read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Answers any request with the bytes of standard input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stdin;

impl Stdin {
    /// The placeholder for the URL of standard input, which has no URL.
    pub(super) const URL: &str = "http://stdin.invalid/";
}

impl Service<Request<RequestBody>> for Stdin {
    type Response = Response<StdinBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
        let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        ready(Ok(response.body(StdinBody(tokio::io::stdin())).expect("a valid header")))
    }
}

/// The body that is read from standard input.
#[derive(Debug)]
pub(super) struct StdinBody(tokio::io::Stdin);

impl Body for StdinBody {
    type Data = hyper::body::Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut bytes = vec![0; CHUNK_BYTES];
        let mut buffer = ReadBuf::new(&mut bytes);
        if let Err(error) = poll_ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer)) {
            return Poll::Ready(Some(Err(error)));
        }
        let read = buffer.filled().len();
        bytes.truncate(read);
        bytes.shrink_to_fit();
        Poll::Ready((read > 0).then(|| Ok(Frame::data(bytes.into()))))
    }
}
