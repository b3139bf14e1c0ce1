//! Requests to the hub under test, and their answers.
use crate::{
    outcome::{Fault, check, check_eq},
    stream::Stream,
};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Method, Request,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderName, HeaderValue, LINK},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};
use url::{Url, form_urlencoded};

/// The longest time that the suite waits for something that the hub should send.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer that the suite reads, in bytes.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// An HTTP client that keeps its connections between requests.
pub type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Returns a client for hubs with `http` and with `https` URLs.
///
/// # Errors
/// If the hub's URL is an `https` URL and the system's trusted certificates cannot be read.
pub fn client(hub: &Url) -> io::Result<Http> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let connector = if hub.scheme() == "https" {
        HttpsConnectorBuilder::new().with_provider_and_native_roots(provider)?
    } else {
        let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.map_err(io::Error::other)?.with_root_certificates(rustls::RootCertStore::empty());
        HttpsConnectorBuilder::new().with_tls_config(tls.with_no_client_auth())
    };
    Ok(Client::builder(TokioExecutor::new()).build(connector.https_or_http().enable_http1().wrap_connector(tcp)))
}

/// A request that is being built.
#[derive(Debug)]
pub struct Ask<'a> {
    http: &'a Http,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The hub's answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The status code of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The body of the answer. Empty if the answer is an event stream, because a stream has no end.
    pub body: String,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(http: &'a Http, method: Method, url: Url) -> Self {
        Self { http, method, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// Adds fields to the query string.
    #[must_use]
    pub fn query(mut self, fields: &[(&str, &str)]) -> Self {
        if !fields.is_empty() {
            self.url.query_pairs_mut().extend_pairs(fields);
        }
        self
    }

    /// Sets the query string to this text, which is already encoded.
    #[must_use]
    pub fn raw_query(mut self, query: &str) -> Self {
        self.url.set_query(Some(query));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("the suite writes no control characters");
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    /// Adds a token as most clients do, in the header `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sets the body to a form with these fields.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.raw_form(form)
    }

    /// Sets the body to a form that is already encoded.
    #[must_use]
    pub fn raw_form(mut self, form: impl Into<Vec<u8>>) -> Self {
        self.body = form.into();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self
    }

    /// Sets a body of any content type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self
    }

    async fn answer(self) -> Result<hyper::Response<Incoming>, Fault> {
        let what = format!("{} {}", self.method, self.url);
        let mut request = Request::builder().method(self.method).uri(self.url.as_str());
        *request.headers_mut().expect("a URL makes a URI") = self.headers;
        let request = request.body(Full::from(self.body)).expect("a URL makes a URI");
        match timeout(PATIENCE, self.http.request(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Fault::Broken(format!("{what}: no answer: {error}"))),
            Err(_) => Err(Fault::Broken(format!("{what}: no answer within {PATIENCE:?}"))),
        }
    }

    /// Sends the request and returns the status of the answer, even if the hub answers before it has received the whole
    /// body. A client that reads only after it has written the whole body would see a closed connection instead of that
    /// answer.
    ///
    /// # Errors
    /// [`Fault::Broken`] if there is no answer.
    pub async fn status_while_sending(self) -> Result<u16, Fault> {
        let (Some(host), Some(port), "http") =
            (self.url.host_str(), self.url.port_or_known_default(), self.url.scheme())
        else {
            return Ok(self.send().await?.status);
        };
        let (method, target, length) = (&self.method, &self.url[url::Position::BeforePath..], self.body.len());
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {length}\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
        let broken = |what: &dyn std::fmt::Display| Fault::Broken(format!("{method} {target}: {what}"));
        let mut socket = TcpStream::connect((host, port)).await.map_err(|error| broken(&error))?;
        let (read, mut write) = socket.split();
        let sending = async {
            for part in [head.as_bytes(), b"\r\n", &self.body] {
                if write.write_all(part).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let mut line = String::new();
        let mut answer = BufReader::new(read);
        tokio::select! {
            read = timeout(PATIENCE, answer.read_line(&mut line)) => match read {
                Ok(Ok(_)) => line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| broken(&line)),
                Ok(Err(error)) => Err(broken(&error)),
                Err(late) => Err(broken(&late)),
            },
            () = sending => unreachable!("it waits for the answer"),
        }
    }

    /// Sends the request and reads the answer. If the answer is an event stream, only its head is read.
    ///
    /// # Errors
    /// [`Fault::Broken`] if there is no complete answer.
    pub async fn send(self) -> Result<Answer, Fault> {
        let (head, body) = self.answer().await?.into_parts();
        let is_stream = head.status == 200 && is_event_stream(&head.headers);
        let body = if is_stream {
            String::new()
        } else {
            match timeout(PATIENCE, Limited::new(body, MAX_ANSWER_BYTES).collect()).await {
                Ok(Ok(body)) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
                Ok(Err(error)) => return Err(Fault::Broken(format!("an answer breaks off: {error}"))),
                Err(_) => return Err(Fault::Broken("an answer does not end".into())),
            }
        };
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Sends the request, and expects an event stream as the answer.
    ///
    /// # Errors
    /// [`Fault::Broken`] if the answer is not an event stream.
    pub async fn open(self) -> Result<Stream, Fault> {
        let what = format!("{} {}", self.method, self.url);
        match self.open_if_allowed().await? {
            Ok(stream) => Ok(stream),
            Err(status) => Err(Fault::Broken(format!("status of {what}: {status}, and should be 200"))),
        }
    }

    /// Sends the request of a subscriber that the hub may refuse because of its token. Returns the stream, or the
    /// status of the refusal.
    ///
    /// # Errors
    /// [`Fault::Broken`] if there is neither a stream nor a refusal.
    pub async fn open_if_allowed(self) -> Result<Result<Stream, u16>, Fault> {
        let what = format!("{} {}", self.method, self.url);
        let (head, body) = self.answer().await?.into_parts();
        if (400..500).contains(&head.status.as_u16()) {
            return Ok(Err(head.status.as_u16()));
        }
        check_eq!(head.status.as_u16(), 200, "status of {what}");
        check!(
            is_event_stream(&head.headers),
            "{what} is not an event stream, but {:?}",
            head.headers.get(CONTENT_TYPE)
        );
        Ok(Ok(Stream::new(head.headers, body)))
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let essence = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    essence.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
}

impl Answer {
    /// Returns the value of a header; `None` if the answer does not have the header, or if its value is not ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A `Link` header: its target and its attributes.
#[derive(Debug)]
pub struct Link {
    /// The URL that the link leads to.
    pub target: String,
    attributes: Vec<(String, String)>,
}

impl Link {
    /// Returns the value of an attribute of the link.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.as_str())
    }
}

/// Returns the links of an answer, one for each header.
#[must_use]
pub fn links(answer: &Answer) -> Vec<Link> {
    let links = answer.headers.get_all(LINK).iter().filter_map(|value| {
        let (target, rest) = value.to_str().ok()?.strip_prefix('<')?.split_once('>')?;
        let attribute = |part: &str| {
            let (name, value) = part.trim().split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned()))
        };
        Some(Link { target: target.to_owned(), attributes: rest.split(';').filter_map(attribute).collect() })
    });
    links.collect()
}
