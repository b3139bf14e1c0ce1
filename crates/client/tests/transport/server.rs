//! A server that speaks HTTP/1.1 and HTTP/2, and remembers what it was asked.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, Version, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::CertificateDer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// One request.
pub struct Seen {
    /// The number of its connection, from 0.
    pub connection: usize,
    pub method: Method,
    pub uri: Uri,
    pub version: Version,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Answers `/redirect` with one, `/large` with a megabyte, `/stream` with what is sent to `events`, and all else with
/// "ok".
pub struct Server {
    pub address: SocketAddr,
    /// Closed when the body of the stream is dropped.
    pub events: mpsc::Sender<Bytes>,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepts: JoinHandle<()>,
}

#[derive(Clone)]
struct Answers {
    seen: Arc<Mutex<Vec<Seen>>>,
    stream: Arc<Mutex<Option<mpsc::Receiver<Bytes>>>>,
}

impl Server {
    pub async fn plain() -> Self {
        Self::start(None).await
    }

    /// Starts it with a certificate for `localhost` that it has signed itself, and with what it agrees to by ALPN.
    pub async fn secure(protocols: &[&str]) -> (Self, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let certificate = made.cert.der().clone();
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], made.signing_key.into())
            .expect("a key");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        (Self::start(Some(TlsAcceptor::from(Arc::new(config)))).await, certificate)
    }

    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("an address");
        let (events, stream) = mpsc::channel(8);
        let answers = Answers { seen: Arc::default(), stream: Arc::new(Mutex::new(Some(stream))) };
        let seen = answers.seen.clone();
        let accepts = tokio::spawn(async move {
            for connection in 0.. {
                let (socket, _) = listener.accept().await.expect("a connection");
                let (tls, answers) = (tls.clone(), answers.clone());
                tokio::spawn(async move {
                    match tls {
                        None => answers.serve(connection, socket).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                answers.serve(connection, socket).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, events, seen, accepts }
    }

    pub fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn https(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    /// Returns the requests since the last time.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().expect("a test"))
    }

    pub fn seen_one(&self) -> Seen {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "requests");
        seen.remove(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

impl Answers {
    /// Some tests have a peer break off.
    async fn serve(self, connection: usize, socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let service = service_fn(move |request| {
            let this = self.clone();
            async move { Ok::<_, Infallible>(this.answer(connection, request).await) }
        });
        let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
    }

    async fn answer(
        &self,
        connection: usize,
        request: Request<Incoming>,
    ) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let (method, uri, version, headers) = (parts.method, parts.uri, parts.version, parts.headers);
        let path = uri.path().to_owned();
        self.seen.lock().expect("a test").push(Seen { connection, method, uri, version, headers, body });
        match &*path {
            "/redirect" => {
                let response = Response::builder().status(302).header(header::LOCATION, "/elsewhere");
                response.body(whole(Bytes::new())).expect("a response")
            }
            "/large" => Response::new(whole(vec![b'x'; 1 << 20].into())),
            "/stream" => {
                let events = self.stream.lock().expect("a test").take().expect("one stream");
                Response::new(Events(events).boxed_unsync())
            }
            _ => Response::new(whole(Bytes::from_static(b"ok"))),
        }
    }
}

fn whole(bytes: Bytes) -> UnsyncBoxBody<Bytes, Infallible> {
    http_body_util::Full::new(bytes).boxed_unsync()
}

struct Events(mpsc::Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}
