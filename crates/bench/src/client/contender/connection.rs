//! A connection of hyper for one request, in its simplest form.
use super::next::BoxError;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::net::TcpStream;
use tower_service::Service;

/// A service that opens a connection for each request.
#[derive(Clone, Copy)]
pub(super) struct Connections;

impl Service<Request<Full<Bytes>>> for Connections {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        Box::pin(send(request))
    }
}

async fn send(mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, BoxError> {
    let authority = request.uri().authority().ok_or("the URL has no host")?.to_string();
    let path = request.uri().path().parse()?;
    let socket = TcpStream::connect(&authority).await?;
    socket.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    *request.uri_mut() = path;
    request.headers_mut().insert(header::HOST, authority.parse()?);
    Ok(sender.send_request(request).await?)
}
