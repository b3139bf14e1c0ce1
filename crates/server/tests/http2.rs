//! Connections with HTTP/2: many streams on one connection, and peers that misuse it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use bytes::Bytes;
use fanfare_hub::{
    Hub, HubLimits,
    log::{MemoryLog, Retention},
    topic::Topic,
    update::{Update, UpdateFields},
};
use fanfare_server::{
    Server, Settings,
    auth::Authenticator,
    connection::http2::{MAX_STREAMS, PING_INTERVAL},
    settings::Delivery,
};
use h2::client::{Builder, SendRequest};
use http::Request;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// The longest time that a test waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// The number of bytes that a client takes for one stream that it does not read.
const STREAM_WINDOW_BYTES: u32 = 2 << 20;

/// A running server.
struct Served {
    address: SocketAddr,
    hub: Hub,
    stop: Option<oneshot::Sender<()>>,
    stopped: JoinHandle<()>,
}

impl Served {
    async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let hub = Hub::start(Arc::new(MemoryLog::new(Retention::default())), &HubLimits::default()).unwrap();
        let mut settings = Settings::default();
        settings.delivery = Delivery::Auto;
        change(&mut settings);
        let server = Server::new(hub.clone(), Authenticator::open(), settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, told) = oneshot::channel::<()>();
        let serving = server.serve(listener, async { drop(told.await) });
        let stopped = tokio::spawn(async { serving.await.unwrap() });
        Self { address, hub, stop: Some(stop), stopped }
    }

    /// Connects with HTTP/2, by prior knowledge. The task ends when the connection has ended.
    async fn connect(&self) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
        // With the usual window of 64 KiB, one stream that is not read would hold up the others. Browsers have large ones.
        let mut builder = Builder::new();
        builder.initial_window_size(STREAM_WINDOW_BYTES).initial_connection_window_size(64 << 20);
        let socket = TcpStream::connect(self.address).await.unwrap();
        let (client, connection) = builder.handshake(socket).await.unwrap();
        (client, tokio::spawn(connection))
    }

    fn request(&self, method: &str, target: &str) -> Request<()> {
        let uri = format!("http://{}{target}", self.address);
        Request::builder().method(method).uri(uri).body(()).unwrap()
    }

    async fn publish(&self, data: &str) {
        let fields = UpdateFields { topics: vec![Topic::new("a").unwrap()], data: data.into(), ..Default::default() };
        self.hub.publish(vec![Update::new(fields).unwrap()]).await.unwrap();
    }

    /// Opens a stream of the topic `a`.
    async fn subscribe(&self, client: &mut SendRequest<Bytes>) -> Stream {
        let mut ready = timeout(PATIENCE, client.clone().ready()).await.expect("there is room").unwrap();
        let (answer, _) = ready.send_request(self.request("GET", "/topics/a"), true).unwrap();
        let answer = timeout(PATIENCE, answer).await.expect("it is answered").unwrap();
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("connection"), "{:?}", answer.headers());
        Stream { body: answer.into_body(), text: String::new() }
    }
}

struct Stream {
    body: h2::RecvStream,
    text: String,
}

impl Stream {
    /// Reads until the text has come, and forgets what was before.
    async fn read_until(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            let data = timeout(PATIENCE, self.body.data()).await.unwrap_or_else(|_| panic!("no {wanted}"));
            let data = data.unwrap_or_else(|| panic!("it ends after {}", self.text)).unwrap();
            self.body.flow_control().release_capacity(data.len()).unwrap();
            self.text.push_str(str::from_utf8(&data).unwrap());
        }
        self.text.clear();
    }

    /// Reads to the end of the stream, which the server must have meant.
    async fn end(mut self) -> String {
        while let Some(data) = timeout(PATIENCE, self.body.data()).await.expect("it ends") {
            self.text.push_str(str::from_utf8(&data.unwrap()).unwrap());
        }
        self.text
    }
}

/// T11, T16
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_many_streams_and_further_ones_wait() {
    let server = Served::start(|_| {}).await;
    let (mut client, _connection) = server.connect().await;
    let mut streams = Vec::new();
    for _ in 0..MAX_STREAMS - 1 {
        streams.push(server.subscribe(&mut client).await);
    }
    for number in 0..10 {
        let mut ready = client.clone().ready().await.unwrap();
        let (answer, mut body) = ready.send_request(server.request("POST", "/topics/a"), false).unwrap();
        body.send_data(format!("event {number}").into(), true).unwrap();
        assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap().status(), 200);
    }
    for stream in &mut streams {
        stream.read_until("data: event 9\n\n").await;
    }
    streams.push(server.subscribe(&mut client).await);
    let waits = timeout(Duration::from_millis(300), client.clone().ready()).await;
    // The client knows the limit, and does not even ask.
    let mut next = match waits {
        Ok(ready) => ready.unwrap(),
        Err(_) => {
            drop(streams.pop());
            timeout(PATIENCE, client.clone().ready()).await.expect("there is room again").unwrap()
        }
    };
    let (answer, _) = next.send_request(server.request("GET", "/healthz"), true).unwrap();
    let mut answer = Box::pin(answer);
    if streams.len() == MAX_STREAMS as usize {
        assert!(timeout(Duration::from_millis(300), &mut answer).await.is_err(), "it waits");
        drop(streams.pop());
    }
    assert_eq!(timeout(PATIENCE, answer).await.expect("there is room again").unwrap().status(), 200);
}

/// Each event comes once and in order, whatever else is on the connection.
#[tokio::test(flavor = "multi_thread")]
async fn streams_of_one_connection_are_in_order() {
    let server = Served::start(|_| {}).await;
    let (mut client, _connection) = server.connect().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(server.subscribe(&mut client).await);
    }
    let publish = async {
        for number in 0..300 {
            server.publish(&format!("{number} {}", "x".repeat(number % 7 * 1_000))).await;
        }
    };
    let read = async {
        for stream in &mut streams {
            while !stream.text.contains("data: 299 ") || !stream.text.ends_with("\n\n") {
                let data = timeout(PATIENCE, stream.body.data()).await.expect("it goes on").unwrap().unwrap();
                stream.body.flow_control().release_capacity(data.len()).unwrap();
                stream.text.push_str(str::from_utf8(&data).unwrap());
            }
            let data = stream.text.lines().filter_map(|line| line.strip_prefix("data: "));
            let numbers = data.filter_map(|data| data.split_once(' ')?.0.parse::<usize>().ok());
            assert!(numbers.eq(0..300), "{}", stream.text.len());
        }
    };
    tokio::join!(publish, read);
}

/// T13: a stream whose reader does not read holds up no other, and gets everything when it reads again.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_not_read_holds_up_no_other() {
    let server = Served::start(|_| {}).await;
    let (mut client, _connection) = server.connect().await;
    let (mut stalled, mut other) = (server.subscribe(&mut client).await, server.subscribe(&mut client).await);
    for number in 0..200 {
        server.publish(&format!("{number} {}", "x".repeat(20_000))).await;
        other.read_until(&format!("data: {number} ")).await;
    }
    stalled.read_until("data: 199 ").await;
}

/// T16: a network may divide the first bytes anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_bytes_may_come_in_pieces() {
    let server = Served::start(|_| {}).await;
    let mut beginning = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    beginning.extend(frame(SETTINGS, 0, 0, &[]));
    for at in 1..beginning.len() {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        socket.write_all(&beginning[..at]).await.unwrap();
        sleep(Duration::from_millis(30)).await;
        socket.write_all(&beginning[at..]).await.unwrap();
        let mut first = [0; 9];
        socket.read_exact(&mut first).await.unwrap();
        assert_eq!(first[3], SETTINGS, "divided after {at} bytes: {}", String::from_utf8_lossy(&first));
    }
}

/// A request may cross the message that an idle connection ends. It is answered, however long this takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_crosses_the_end_of_an_idle_connection_is_answered() {
    let server = Served::start(|settings| {
        settings.keep_alive_timeout = Duration::from_secs(1);
        settings.head_timeout = Duration::from_secs(1);
    })
    .await;
    let mut raw = Raw::over(TcpStream::connect(server.address).await.unwrap()).await;
    raw.wait_for(|frame| frame.kind == GOAWAY).await;
    raw.write(&headers(1, "/topics/a", true)).await;
    raw.wait_for(|frame| frame.kind == DATA).await;
    sleep(Duration::from_secs(3)).await;
    server.publish("later").await;
    raw.wait_for(|frame| frame.kind == DATA && frame.payload.windows(11).any(|part| part == b"data: later")).await;
}

/// T15
#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_the_streams_and_then_the_connection() {
    let mut server = Served::start(|_| {}).await;
    let (mut client, connection) = server.connect().await;
    let mut stream = server.subscribe(&mut client).await;
    server.publish("last").await;
    stream.read_until("data: last\n\n").await;
    drop(server.stop.take());
    stream.end().await;
    timeout(PATIENCE, connection).await.expect("the connection ends").unwrap().expect("without an error");
    timeout(PATIENCE, server.stopped).await.expect("the server stops").unwrap();
}

/// T14
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_has_vanished_is_noticed() {
    let server = Served::start(|settings| settings.max_subscribers = 1).await;
    let socket = TcpStream::connect(server.address).await.unwrap();
    let mut raw = Raw::over(socket).await;
    raw.write(&headers(1, "/topics/a", true)).await;
    raw.wait_for(|frame| frame.kind == DATA).await;
    // From now on, nothing is read, and no ping is answered.
    let began = Instant::now();
    let (client, _connection) = server.connect().await;
    loop {
        let mut ready = client.clone().ready().await.unwrap();
        let (answer, _) = ready.send_request(server.request("GET", "/topics/a"), true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        let first = timeout(Duration::from_secs(1), async {
            let mut text = Vec::new();
            while let Some(data) = body.data().await {
                text.extend_from_slice(&data.unwrap());
                if text.windows(13).any(|part| part == b"fanfare.start") {
                    return true;
                }
            }
            false
        });
        if first.await == Ok(true) {
            break;
        }
        assert!(began.elapsed() < 3 * PING_INTERVAL, "its place is never free");
        sleep(Duration::from_millis(500)).await;
    }
    assert!(began.elapsed() > PING_INTERVAL, "it had its time");
    drop(client);
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const ENHANCE_YOUR_CALM: u8 = 11;

/// A frame ([RFC 9113, 4.1](https://www.rfc-editor.org/rfc/rfc9113#section-4.1)).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The frame that begins a request, without or with an end of its body.
fn headers(stream: u32, path: &str, is_whole: bool) -> Vec<u8> {
    let literal = |index: u8, text: &str| [&[index, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let method = if is_whole { 0x82 } else { 0x83 };
    let block = [&[method, 0x86][..], &literal(0x04, path), &literal(0x01, "localhost")].concat();
    frame(HEADERS, if is_whole { 0x05 } else { 0x04 }, stream, &block)
}

struct Frame {
    kind: u8,
    payload: Vec<u8>,
}

/// A connection on which a test writes frames by itself.
struct Raw(TcpStream);

impl Raw {
    async fn over(mut socket: TcpStream) -> Self {
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        socket.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
        Self(socket)
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind: head[3], payload })
    }

    async fn wait_for(&mut self, wanted: impl Fn(&Frame) -> bool) -> Frame {
        let read = async {
            loop {
                let frame = self.next().await.expect("the connection goes on");
                if wanted(&frame) {
                    return frame;
                }
            }
        };
        timeout(PATIENCE, read).await.expect("the frame comes")
    }
}

/// Returns the bytes of a flood with this number.
type Flood = dyn Fn(u32) -> Vec<u8> + Sync;

/// T12
#[tokio::test(flavor = "multi_thread")]
async fn floods_are_cut() {
    let server = Served::start(|_| {}).await;
    let (client, _connection) = server.connect().await;
    let resets = |number: u32| {
        let stream = 2 * number + 1;
        [headers(stream, "/healthz", true), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    };
    let continuations = |number: u32| {
        if number == 0 {
            frame(HEADERS, 0x01, 1, &[0x82])
        } else {
            frame(CONTINUATION, 0, 1, &[0x40, 1, b'a', 1, b'b'])
        }
    };
    let settings = |_| frame(SETTINGS, 0, 0, &[]);
    let pings = |_| frame(PING, 0, 0, &[0; 8]);
    let empty = |number: u32| if number == 0 { headers(1, "/topics/a", false) } else { frame(DATA, 0, 1, &[]) };
    let unknown = |number: u32| frame(0x77, 0, number % 5, &[1; 3]);
    let floods: [(&str, &Flood); 6] = [
        ("resets", &resets),
        ("continuations", &continuations),
        ("settings", &settings),
        ("pings", &pings),
        ("empty data", &empty),
        ("unknown", &unknown),
    ];
    for (what, flood) in floods {
        let raw = Raw::over(TcpStream::connect(server.address).await.unwrap()).await;
        let (reads, mut writes) = raw.0.into_split();
        let bytes: Vec<u8> = (0..10_000).flat_map(flood).collect();
        let began = Instant::now();
        let writing = async move {
            _ = writes.write_all(&bytes).await;
            writes
        };
        let reading = async {
            let mut raw = reads;
            let mut bytes = Vec::new();
            _ = timeout(Duration::from_secs(20), raw.read_to_end(&mut bytes))
                .await
                .unwrap_or_else(|_| panic!("{what}: not cut"));
            bytes
        };
        let (_writes, answer) = tokio::join!(writing, reading);
        let mut rest = &answer[..];
        let mut calm = false;
        while rest.len() >= 9 {
            let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
            calm |= rest[3] == GOAWAY && rest.get(16) == Some(&ENHANCE_YOUR_CALM);
            rest = rest.get(9 + length..).unwrap_or_default();
        }
        assert!(calm || answer.is_empty() || what == "continuations", "{what}: it is told why");
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        // Others notice nothing.
        let mut ready = client.clone().ready().await.unwrap();
        let (answer, _) = ready.send_request(server.request("GET", "/healthz"), true).unwrap();
        assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap().status(), 200, "{what}");
    }
}
