//! Peers that read nothing more and are not gone either, peers that have vanished, and peers that only read slowly.
use super::fixture::*;
use socket2::{SockFilter, SockRef};
use std::time::{Duration, Instant};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpSocket,
    time::{sleep, timeout},
};

/// The time after which a peer that takes nothing is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// The same where a peer reads. It reads much more often than it has to, so it is in time on a busy machine, too.
const LONG_WRITE_TIMEOUT: Duration = Duration::from_secs(3);
/// The bytes that a slow peer reads at a time, 20 times a second: 50 KB/s. The system asks for more bytes when it has
/// sent 64 KiB, so there is more than a second between two writes.
const SLOW_PIECE: usize = 2_500;
/// A slow peer needs 6 s for so many bytes.
const LARGE: usize = 300_000;
const REPLAY: &str = "GET /topics/a?until=now&last_event_id=earliest";

/// A server with one place for a subscriber, which gives up peers soon.
async fn serve_one(change: impl FnOnce(&mut fanfare_server::Settings)) -> Fixture {
    serve_with(|settings| {
        settings.max_subscribers = 1;
        settings.write_timeout = WRITE_TIMEOUT;
        change(settings);
    })
    .await
}

/// Asks as a peer that has less room than a piece of an answer needs.
async fn ask(server: &Fixture, target: &str, headers: &str) -> Stream {
    ask_with(server, target, headers, "").await
}

async fn ask_with(server: &Fixture, target: &str, headers: &str, body: &str) -> Stream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(32 << 10).unwrap();
    let mut stream = Stream::over(socket.connect(server.address).await.unwrap()).await;
    stream.send(server.request(target, "HTTP/1.1", headers) + body).await;
    stream.read_head().await;
    assert!(stream.head.starts_with("HTTP/1.1 200"), "{}", stream.head);
    stream
}

/// Reads `piece` bytes after each `pause`, until `end` has come.
async fn read_slowly(stream: &mut Stream, piece: usize, pause: Duration, end: &str) -> usize {
    let (mut bytes, mut count) = (Vec::new(), 0);
    loop {
        let mut room = vec![0; piece];
        let mut filled = 0;
        while filled < piece {
            let read = timeout(PATIENCE, stream.socket.read(&mut room[filled..])).await.expect("more comes");
            let read = read.unwrap_or_else(|error| panic!("{error} after {} bytes", count + filled));
            assert_ne!(read, 0, "the end after {} bytes", count + filled);
            filled += read;
            bytes.extend_from_slice(&room[filled - read..filled]);
            if String::from_utf8_lossy(&bytes).contains(end) {
                return count + filled;
            }
            bytes.drain(..bytes.len().saturating_sub(end.len()));
        }
        count += filled;
        sleep(pause).await;
    }
}

/// From now on the system throws away what comes for this peer, as if the network were gone.
fn vanish(stream: &Stream) {
    const RETURN: u16 = 0x06;
    SockRef::from(stream.socket.tcp()).attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)]).unwrap();
}

/// Waits until the server has reset the connection.
async fn is_reset(stream: &Stream) {
    let began = Instant::now();
    while stream.socket.tcp().take_error().unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "the connection stays");
        sleep(Duration::from_millis(20)).await;
    }
}

/// It is given up when it has taken nothing for the write timeout, and whoever reads is not.
#[tokio::test(flavor = "multi_thread")]
async fn it_loses_its_place() {
    let server = serve_one(|settings| {
        settings.max_subscribers = 2;
        settings.write_timeout = LONG_WRITE_TIMEOUT;
    })
    .await;
    let mut reads = server.subscribe("/topics/a", "").await;
    let mut stalls = server.connect_with_a_small_buffer().await;
    stalls.send(server.request("GET /topics/a", "HTTP/1.0", "")).await;
    stalls.read_head().await;

    let began = Instant::now();
    let lines: String = (0..500).map(|number| format!("{number:0>2000}\n")).collect();
    server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", lines).await;
    reads.events(500).await;
    let _another = server.wait_for_the_place().await;
    is_reset(&stalls).await;
    assert!(began.elapsed() >= LONG_WRITE_TIMEOUT / 2, "not before it had its time");
    server.publish("/topics/a", "on").await;
    assert_eq!(data(&reads.events(1).await), ["on"]);
}

/// Heartbeats may be much rarer than the write timeout.
#[tokio::test(flavor = "multi_thread")]
async fn it_loses_its_place_between_two_heartbeats() {
    let server = serve_one(|settings| settings.heartbeat_interval = Duration::from_secs(3_600)).await;
    let _stalls = ask(&server, "GET /topics/a", "").await;
    server.publish("/topics/a", &"x".repeat(LARGE)).await;
    server.wait_for_the_place().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_loses_its_place_during_a_replay() {
    let server = serve_one(|_| {}).await;
    server.publish("/topics/a", &"x".repeat(LARGE)).await;
    let stalls = ask(&server, REPLAY, "").await;
    server.wait_for_the_place().await;
    is_reset(&stalls).await;
}

/// The system has taken the whole answer, but cannot send it.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_answer_does_not_wait_for_it() {
    let server = serve_one(|_| {}).await;
    server.publish("/topics/a", &"x".repeat(100_000)).await;
    for headers in ["", "Connection: close\r\n"] {
        let stalls = ask(&server, REPLAY, headers).await;
        is_reset(&stalls).await;
    }
}

/// Only a heartbeat, or only an event, is on its way to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_has_vanished_loses_its_place() {
    for (heartbeat_interval, event) in [(200, None), (3_600_000, Some("small"))] {
        let server =
            serve_one(|settings| settings.heartbeat_interval = Duration::from_millis(heartbeat_interval)).await;
        // A stream whose request has a body stays with hyper.
        for (headers, body) in [("", ""), ("Content-Length: 1\r\n", "x")] {
            let vanished = ask_with(&server, "GET /topics/a", headers, body).await;
            let began = Instant::now();
            vanish(&vanished);
            if let Some(event) = event {
                server.publish("/topics/a", event).await;
            }
            server.wait_for_the_place().await.end_of_both().await;
            assert!(began.elapsed() >= WRITE_TIMEOUT / 2, "not before it had its time");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_slowly_but_steadily_gets_everything() {
    let server = serve_one(|settings| settings.write_timeout = LONG_WRITE_TIMEOUT).await;
    let mut slow = ask(&server, "GET /topics/a", "").await;
    server.publish("/topics/a", &format!("{}the end", "x".repeat(LARGE))).await;
    let began = Instant::now();
    assert!(read_slowly(&mut slow, SLOW_PIECE, Duration::from_millis(50), "the end\n\n").await > LARGE);
    assert!(began.elapsed() > LONG_WRITE_TIMEOUT.mul_f64(1.5));
}

/// The peer takes something before its time is over, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_seldom_but_in_time_gets_everything() {
    let server = serve_one(|settings| {
        settings.write_timeout = LONG_WRITE_TIMEOUT;
        settings.heartbeat_interval = Duration::from_millis(500);
    })
    .await;
    let mut slow = ask(&server, "GET /topics/a", "").await;
    server.publish("/topics/a", &format!("{}the end", "x".repeat(LARGE))).await;
    assert!(read_slowly(&mut slow, LARGE / 6, LONG_WRITE_TIMEOUT.mul_f64(0.4), "the end\n\n").await > LARGE);
}

/// Also the last bytes of an answer, which the server has given to the system long before they are read.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_an_answer_slowly_gets_all_of_it() {
    let server = serve_one(|settings| {
        settings.write_timeout = LONG_WRITE_TIMEOUT;
        settings.keep_alive_timeout = WRITE_TIMEOUT;
    })
    .await;
    server.publish("/topics/a", &"x".repeat(LARGE)).await;
    for headers in ["", "Connection: close\r\n"] {
        let mut slow = ask(&server, REPLAY, headers).await;
        let began = Instant::now();
        read_slowly(&mut slow, SLOW_PIECE, Duration::from_millis(50), "\r\n0\r\n\r\n").await;
        assert!(began.elapsed() > LONG_WRITE_TIMEOUT.mul_f64(1.5), "{headers}");
    }
}
