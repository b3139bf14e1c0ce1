//! A server on a port of its own, and a peer that speaks to it in raw bytes.
use super::socket::{self, Socket};
use crate::DELIVERY;
use fanfare_hub::{
    Hub, HubLimits,
    failure::Failure,
    log::{Log, MemoryLog, Retention},
};
use fanfare_server::{Server, Settings, auth::Authenticator, listener::Listener, settings::Delivery};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};

/// The longest time that a test waits.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. It stops when this is dropped.
pub struct Fixture {
    pub address: SocketAddr,
    pub hub: Hub,
    stop: Option<oneshot::Sender<()>>,
    pub stopped: tokio::task::JoinHandle<Result<(), Failure>>,
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
    serve_over(Arc::new(memory_log()), auth, change).await
}

/// A log that keeps everything.
pub fn memory_log() -> MemoryLog {
    MemoryLog::new(Retention::default())
}

/// A server over a log of one's own.
pub async fn serve_over(log: Arc<dyn Log>, auth: Authenticator, change: impl FnOnce(&mut Settings)) -> Fixture {
    serve_within(&HubLimits::default(), log, auth, change).await
}

/// A server whose hub has other limits.
pub async fn serve_within(
    limits: &HubLimits,
    log: Arc<dyn Log>,
    auth: Authenticator,
    change: impl FnOnce(&mut Settings),
) -> Fixture {
    let hub = Hub::start(log, limits).unwrap();
    let mut settings = Settings::default();
    settings.delivery = DELIVERY;
    // Most tests are about what is published, and read it without the places in between. `start_event.rs` has these.
    settings.start_event = false;
    change(&mut settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = Listener::new(listener).with_tls(socket::tls());
    let (stop, told) = oneshot::channel();
    let server = Server::new(hub.clone(), auth, settings).unwrap();
    let stopped = tokio::spawn(server.serve(listener, async { drop(told.await) }));
    Fixture { address, hub, stop: Some(stop), stopped }
}

impl Fixture {
    /// Sends one request and reads the whole answer.
    pub async fn send(&self, request: &[u8]) -> Answer {
        let mut socket = self.connect().await.socket;
        socket.write_all(request).await.unwrap();
        let mut bytes = Vec::new();
        timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.expect("the answer ends").unwrap();
        Answer::read(&bytes)
    }

    /// All that comes on a connection on which these bytes are sent, and no more.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect().await.socket;
        socket.write_all(bytes).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answers = Vec::new();
        timeout(PATIENCE, socket.read_to_end(&mut answers)).await.expect("the answers end").unwrap();
        String::from_utf8_lossy(&answers).into_owned()
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

    /// Connects, and says nothing yet.
    pub async fn connect(&self) -> Stream {
        Stream::over(TcpStream::connect(self.address).await.unwrap()).await
    }

    /// Connects as a peer for which the system takes little that it does not read.
    pub async fn connect_with_a_small_buffer(&self) -> Stream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        Stream::over(socket.connect(self.address).await.unwrap()).await
    }

    /// The text of a request without a body.
    pub fn request(&self, method_and_target: &str, version: &str, headers: &str) -> String {
        format!("{method_and_target} {version}\r\nHost: {}\r\n{headers}\r\n", self.address)
    }

    /// Opens a stream and reads its head and its first bytes.
    pub async fn subscribe(&self, target: &str, headers: &str) -> Stream {
        let mut stream = self.connect().await;
        stream.send(self.request(&format!("GET {target}"), "HTTP/1.0", headers)).await;
        stream.read_head().await;
        assert!(stream.head.starts_with("HTTP/1.0 200"), "{}", stream.head);
        // An answer that is no stream has a length.
        if stream.header("content-length").is_none() {
            assert_eq!(stream.is_handed_over(), DELIVERY != Delivery::Hyper, "{}", stream.head);
        }
        stream
    }

    /// Waits until the only place is free, which it is as soon as the server has noticed that a subscriber has gone.
    pub async fn wait_for_the_place(&self) -> Stream {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let mut stream = self.subscribe("/topics/a", "").await;
            if stream.read_until(|text| !text.is_empty()).await == ":\n" {
                return stream;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the place is never free again");
    }

    /// Stops the server and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        timeout(PATIENCE, self.stopped).await.expect("the server stops").unwrap().expect("the hub has not failed");
    }
}

/// Time that stands still in the test's runtime, in which the server runs too, until this is dropped. However busy the
/// machine is, the server gives up nothing meanwhile.
pub struct StoppedTime {
    _until: std::sync::mpsc::Sender<()>,
}

impl StoppedTime {
    /// # Panics
    /// If the runtime has several threads.
    pub fn begin() -> Self {
        tokio::time::pause();
        let (_until, ended) = std::sync::mpsc::channel();
        // Stopped time jumps to the next alarm when nothing else is left to do, but not while such a task runs.
        tokio::task::spawn_blocking(move || ended.recv());
        Self { _until }
    }
}

impl Drop for StoppedTime {
    fn drop(&mut self) {
        tokio::time::resume();
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

    /// The events of the answer, except the one that tells its end.
    pub fn updates(&self) -> Vec<String> {
        let events = self.body.split_terminator("\n\n").map(str::to_owned);
        events.filter(|event| !event.starts_with("event: fanfare.end\n")).collect()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// An open stream.
pub struct Stream {
    pub head: String,
    pub socket: Socket,
    rest: String,
}

impl Stream {
    /// A connection on which nothing was read yet.
    pub async fn over(socket: TcpStream) -> Self {
        Self { socket: Socket::over(socket).await, head: String::new(), rest: String::new() }
    }

    pub async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.socket.write_all(text.as_ref()).await.unwrap();
        self.socket.flush().await.unwrap();
    }

    /// Ends what is sent on the connection; it can still be read from.
    pub async fn finish_sending(&mut self) {
        self.socket.shutdown().await.unwrap();
    }

    /// Puts back what was read too much.
    pub fn unread(&mut self, text: &str) {
        self.rest.insert_str(0, text);
    }

    /// Reads the head of an answer.
    pub async fn read_head(&mut self) {
        let head_and_rest = self.read_until(|text| text.contains("\r\n\r\n")).await;
        let (head, rest) = head_and_rest.split_once("\r\n\r\n").unwrap();
        (self.head, self.rest) = (head.to_owned(), rest.to_owned());
    }

    /// True if the answer whose head was read last did not come through hyper, whose last field is the date.
    pub fn is_handed_over(&self) -> bool {
        self.head.ends_with("connection: close")
    }

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
        let without_comments =
            |text: &str| text.split_inclusive('\n').filter(|line| *line != ":\n").collect::<String>();
        let text = self.read_until(|text| without_comments(text).matches("\n\n").count() >= count).await;
        without_comments(&text).split_terminator("\n\n").map(str::to_owned).collect()
    }

    /// Ends what is sent, and reads to the end.
    pub async fn end_of_both(mut self) {
        self.finish_sending().await;
        self.end().await;
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
