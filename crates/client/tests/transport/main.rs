//! Transports against servers and proxies on this machine.

mod exchange;
mod failures;
mod http2;
mod http2_kept;
mod kept;
mod pool;
mod proxies;
mod scripted;
mod server;
mod tls;

use bytes::Bytes;
use fanfare_client::{
    BoxError,
    transport::{HyperTransport, HyperTransportBuilder, Proxy, RequestBody},
};
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpSocket;
use tower_service::Service;

/// Returns a transport without the proxies that the environment of the tests may name.
fn direct() -> HyperTransportBuilder {
    HyperTransport::builder().proxy(Proxy::None)
}

fn get(url: &str) -> Request<RequestBody> {
    Request::get(url).body(RequestBody::default()).expect("a request")
}

/// Returns a port at which nobody listens, and the socket that keeps it so.
fn closed_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let port = socket.local_addr().expect("an address").port();
    (socket, port)
}

/// Sends and reads all of what comes.
async fn fetch<S, B>(transport: &mut S, request: Request<RequestBody>) -> Result<Response<Bytes>, BoxError>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    std::future::poll_fn(|context| transport.poll_ready(context)).await.map_err(Into::into)?;
    let (parts, body) = transport.call(request).await.map_err(Into::into)?.into_parts();
    let body = body.collect().await.map_err(Into::into)?.to_bytes();
    Ok(Response::from_parts(parts, body))
}
