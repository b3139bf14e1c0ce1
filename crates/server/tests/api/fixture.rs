//! A server on a port of its own, and a peer that speaks to it in raw bytes.
use fanfare_hub::{
    Hub, HubLimits,
    log::{MemoryLog, Retention},
};
use fanfare_server::{Server, Settings, auth::Authenticator};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

/// What a test waits for at most.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. It stops when this is dropped.
pub struct Fixture {
    pub address: SocketAddr,
    pub hub: Hub,
    stop: Option<oneshot::Sender<()>>,
    stopped: tokio::task::JoinHandle<()>,
}

/// An open server with default settings.
pub async fn serve() -> Fixture {
    serve_with(|_| {}).await
}

/// An open server with other settings.
pub async fn serve_with(change: impl FnOnce(&mut Settings)) -> Fixture {
    serve_as(Authenticator::open(), change).await
}

/// A server that asks who may do what.
pub async fn serve_as(auth: Authenticator, change: impl FnOnce(&mut Settings)) -> Fixture {
    let log = MemoryLog::new(Retention { age_ms: None, bytes: None, count: None });
    let hub = Hub::start(Arc::new(log), &HubLimits::default()).unwrap();
    let mut settings = Settings::default();
    change(&mut settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, told) = oneshot::channel();
    let server = Server::new(hub.clone(), auth, settings);
    let stopped = tokio::spawn(server.serve(listener, async { drop(told.await) }));
    Fixture { address, hub, stop: Some(stop), stopped }
}

impl Fixture {
    /// Sends one request and reads the whole answer.
    pub async fn send(&self, request: &[u8]) -> Answer {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request).await.unwrap();
        let mut bytes = Vec::new();
        timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.expect("the answer ends").unwrap();
        Answer::read(&bytes)
    }

    pub async fn get(&self, target: &str, headers: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.0\r\nHost: {}\r\n{headers}\r\n", self.address).as_bytes()).await
    }

    pub async fn post(&self, target: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
        let (host, length) = (self.address, body.as_ref().len());
        let head = format!("POST {target} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}\r\n");
        self.send(&[head.as_bytes(), body.as_ref()].concat()).await
    }

    /// Publishes a form to the Mercure endpoint.
    pub async fn form(&self, headers: &str, form: &str) -> Answer {
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
        self.post("/.well-known/mercure", &headers, form).await
    }

    /// Publishes to the topic API and returns the ID.
    pub async fn publish(&self, target: &str, data: &str) -> String {
        let answer = self.post(target, "", data).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body.trim_end().to_owned()
    }

    /// Opens a stream and reads its head and its first bytes.
    pub async fn subscribe(&self, target: &str, headers: &str) -> Stream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {target} HTTP/1.0\r\nHost: {}\r\n{headers}\r\n", self.address);
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Stream { socket, head: String::new(), rest: String::new() };
        let head_and_rest = stream.read_until(|text| text.contains("\r\n\r\n")).await;
        let (head, rest) = head_and_rest.split_once("\r\n\r\n").unwrap();
        (stream.head, stream.rest) = (head.to_owned(), rest.to_owned());
        assert!(stream.head.starts_with("HTTP/1.0 200"), "{}", stream.head);
        stream
    }

    /// Stops the server and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        timeout(PATIENCE, self.stopped).await.expect("the server stops").unwrap();
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let text = str::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        Self { status: head[9..12].parse().unwrap(), head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// An open stream.
pub struct Stream {
    pub head: String,
    socket: TcpStream,
    rest: String,
}

impl Stream {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Reads on until `done` says that the text suffices, and takes all of it.
    pub async fn read_until(&mut self, done: impl Fn(&str) -> bool) -> String {
        let mut bytes = std::mem::take(&mut self.rest).into_bytes();
        loop {
            if let Ok(text) = str::from_utf8(&bytes)
                && done(text)
            {
                return text.to_owned();
            }
            let read = timeout(PATIENCE, self.socket.read_buf(&mut bytes)).await;
            let seen = || String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]).into_owned();
            assert_ne!(read.unwrap_or_else(|_| panic!("nothing comes after {}", seen())).unwrap(), 0, "{}", seen());
        }
    }

    /// Reads `count` events, without comments.
    pub async fn events(&mut self, count: usize) -> Vec<String> {
        let without_comments = |text: &str| text.replace(":\n\n", "");
        let text = self.read_until(|text| without_comments(text).matches("\n\n").count() >= count).await;
        without_comments(&text).split_terminator("\n\n").map(str::to_owned).collect()
    }

    /// Reads to the end of the stream.
    pub async fn end(mut self) -> String {
        let mut bytes = self.rest.into_bytes();
        timeout(PATIENCE, self.socket.read_to_end(&mut bytes)).await.expect("the stream ends").unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

/// The data of each event.
pub fn data(events: &[String]) -> Vec<&str> {
    events.iter().filter_map(|event| event.rsplit("data: ").next()).collect()
}
