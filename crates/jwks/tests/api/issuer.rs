//! An authorization server's key endpoint, which says what the test has put there.
use fanfare_jwks::{Addresses, Client, JwksSource, JwksUrl, Timing};
use fanfare_server::auth::{KeyRules, KeySource as _};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
    time::timeout,
};

/// The longest time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server whose answer can be changed; gone with the test.
pub(crate) struct Issuer {
    pub(crate) url: String,
    answer: Arc<Mutex<Vec<u8>>>,
    requests: watch::Receiver<Vec<String>>,
    task: AbortHandle,
}

impl Issuer {
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(answer.into()));
        let (sender, requests) = watch::channel(Vec::new());
        let shared = Arc::clone(&answer);
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let head = read_head(&mut stream).await;
                let answer = shared.lock().unwrap().clone();
                sender.send_modify(|heads: &mut Vec<String>| heads.push(head));
                // Whoever asked may have heard enough.
                let _ = stream.write_all(&answer).await;
            }
        });
        Self { url, answer, requests, task: task.abort_handle() }
    }

    pub(crate) fn answer(&self, answer: impl Into<Vec<u8>>) {
        *self.answer.lock().unwrap() = answer.into();
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }

    /// Waits until so many requests came.
    pub(crate) async fn asked(&mut self, times: usize) {
        let come = self.requests.wait_for(|heads| heads.len() >= times);
        timeout(PATIENCE, come).await.expect("the requests in time").unwrap();
    }

    /// Starts a source of its keys.
    pub(crate) fn source(&self, timing: Timing) -> JwksSource {
        let url: JwksUrl = self.url.parse().unwrap();
        JwksSource::start(url, KeyRules::default(), Client::new(Addresses::Private), timing)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

/// Nothing here waits for these: tests ask when they want a fetch.
pub(crate) fn timing() -> Timing {
    let mut timing = Timing::default();
    timing.min_refetch_interval = Duration::ZERO;
    timing
}

/// An answer with this status, headers and body.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

/// An answer with a set of keys under these names.
pub(crate) fn set(kids: &[&str], headers: &str) -> String {
    let key = |kid: &&str| -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    };
    http("200 OK", headers, &json!({"keys": kids.iter().map(key).collect::<Vec<_>>()}).to_string())
}

/// The names of the keys that a source has.
pub(crate) fn kids(source: &JwksSource) -> Vec<String> {
    source.keys().iter().map(|key| key.id().unwrap_or_default().to_owned()).collect()
}
