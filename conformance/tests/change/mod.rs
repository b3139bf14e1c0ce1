//! A hub that deviates from another: it hands on what it is asked and what it is answered, with a change.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use axum::{Router, body::Body, extract::State};
use fanfare_conformance::Target;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Frame},
    header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::sync::Arc;
use tokio::{net::TcpListener, task::AbortHandle};
use url::form_urlencoded;

/// What the hub is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
}

/// A change of an answer to what was asked. The body of a stream is empty here.
pub type OfAnswers = Arc<dyn Fn(&Ask, &mut Head, &mut String) + Send + Sync>;

/// A change on the way.
#[derive(Clone)]
pub struct Change {
    /// Of what is asked.
    pub asks: Arc<dyn Fn(&mut Ask) + Send + Sync>,
    /// Of the answer, which sees what was asked before that was changed.
    pub answers: OfAnswers,
    /// Of each part of a stream. The hub under the change writes whole events.
    pub chunks: fn(String) -> String,
    /// True if the suite is told an allowed origin.
    pub has_cors_origin: bool,
    /// True if the suite finds out the audience by itself.
    pub is_default_audience: bool,
}

impl Default for Change {
    fn default() -> Self {
        Self {
            asks: Arc::new(|_| {}),
            answers: Arc::new(|_, _, _| {}),
            chunks: |text| text,
            has_cors_origin: true,
            is_default_audience: true,
        }
    }
}

impl Change {
    pub fn asks(change: impl Fn(&mut Ask) + Send + Sync + 'static) -> Self {
        Self { asks: Arc::new(change), ..Self::default() }
    }

    pub fn answers(change: impl Fn(&Ask, &mut Head, &mut String) + Send + Sync + 'static) -> Self {
        Self { answers: Arc::new(change), ..Self::default() }
    }
}

impl Ask {
    /// The query string and the form.
    pub fn fields(&self) -> String {
        format!("{}&{}", self.uri.query().unwrap_or_default(), String::from_utf8_lossy(&self.body))
    }

    /// Takes fields out of the query string and the form.
    pub fn drop_fields(&mut self, names: &[&str]) {
        let without = |text: &[u8]| {
            let fields = form_urlencoded::parse(text).filter(|(name, _)| !names.contains(&name.as_ref()));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
        };
        let query = without(self.uri.query().unwrap_or_default().as_bytes());
        self.uri = format!("{}?{query}", self.uri.path()).parse().unwrap();
        if self.method == Method::QUERY {
            self.body = without(&self.body).into();
        }
    }
}

/// A hub with a change.
pub struct Changed {
    pub target: Target,
    task: AbortHandle,
}

impl Drop for Changed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Way = Arc<(Change, Uri, Client<HttpConnector, Full<Bytes>>)>;

impl Changed {
    /// Stands before the hub `of`.
    pub async fn start(of: &Target, change: Change) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut target = of.clone();
        target.hub.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        target.cors_origin = target.cors_origin.filter(|_| change.has_cors_origin);
        target.audience = Some(of.hub.to_string()).filter(|_| !change.is_default_audience);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let way: Way = Arc::new((change, of.hub.as_str().parse().unwrap(), client));
        let routes = Router::new().fallback(hand_on).with_state(way);
        let task = tokio::spawn(async move { axum::serve(listener, routes).await }).abort_handle();
        Self { target, task }
    }
}

async fn hand_on(State(way): State<Way>, request: Request<Body>) -> Response<Body> {
    let (change, hub, client) = &*way;
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let asked = Ask { method: head.method, uri: head.uri, headers: head.headers, body };
    let mut ask = asked.clone();
    (change.asks)(&mut ask);
    let target = ask.uri.path_and_query().map_or("/", |target| target.as_str());
    let uri = format!("http://{}{target}", hub.authority().unwrap());
    let mut request = Request::builder().method(ask.method).uri(uri).body(Full::new(ask.body)).unwrap();
    *request.headers_mut() = ask.headers;
    for name in [HOST, CONTENT_LENGTH] {
        request.headers_mut().remove(name);
    }
    let (head, body) = client.request(request).await.unwrap().into_parts();
    let is_stream = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
    let mut head = Head { status: head.status, headers: head.headers };
    let mut text = String::new();
    let body = if is_stream {
        (change.answers)(&asked, &mut head, &mut text);
        let chunks = change.chunks;
        Body::new(body.map_frame(move |frame| match frame.into_data() {
            Ok(bytes) => Frame::data(Bytes::from(chunks(String::from_utf8_lossy(&bytes).into_owned()))),
            Err(frame) => frame,
        }))
    } else {
        text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        (change.answers)(&asked, &mut head, &mut text);
        Body::from(text)
    };
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    let mut answer = Response::new(if head.status == 200 || !is_stream { body } else { Body::empty() });
    (*answer.status_mut(), *answer.headers_mut()) = (head.status, head.headers);
    answer
}
