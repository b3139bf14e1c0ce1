//! Requests to the service.
use super::soon;
use bytes::Bytes;
use fanfare_client::transport::{HyperTransport, Proxy};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Sends a request and returns its answer. The connection is then closed.
pub async fn send(method: Method, url: &str, body: impl Into<Bytes>) -> Answer {
    let request = Request::builder().method(method).uri(url).body(Full::new(body.into())).unwrap();
    let answered = async {
        let response = HyperTransport::builder().proxy(Proxy::None).build().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    };
    soon("answer", answered).await
}
