//! SIGTERM: the process is gone before Docker would kill it, whatever peers, upstreams and pipes do.
use crate::{
    hub::Hub,
    peer::{Publisher, Subscriber},
};
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Docker gives 10 s.
const IN_TIME: Duration = Duration::from_millis(9_500);

#[test]
fn it_is_gone_in_time_whatever_is_open() {
    // Accepts, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let relay = format!("http://{}/events=upstream", silent.local_addr().unwrap());
    let hub = Hub::start(&["--relay", &relay, "--subscriptions"]);
    let host = "Host: localhost\r\n";
    let streamed = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";
    let mut open: Vec<TcpStream> = [
        String::new(),
        "GET /".to_owned(),
        format!("GET /healthz HTTP/1.1\r\n{host}\r\n"),
        format!("GET /healthz HTTP/1.1\r\n{host}\r\nPOST /topics/a HTTP/1.1\r\n"),
        format!("POST /topics/a HTTP/1.1\r\n{host}Content-Length: 100\r\n\r\nhello"),
        format!("GET /topics/a HTTP/1.1\r\n{host}\r\n"),
        format!("GET /topics/a HTTP/1.1\r\n{host}Content-Length: 1\r\n\r\nx"),
        format!("GET /topics/a?last_event_id=earliest&until=now HTTP/1.1\r\n{host}\r\n"),
        format!("POST /topics/b HTTP/1.1\r\n{host}{streamed}\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n"),
    ]
    .into_iter()
    .map(|text| {
        let mut socket = TcpStream::connect(hub.address).unwrap();
        socket.write_all(text.as_bytes()).unwrap();
        socket
    })
    .collect();
    assert_eq!(Subscriber::connect(hub.address, "b", Some("earliest")).unwrap().receive_count(2).len(), 2);
    // More than those who read nothing have room for.
    let mut publisher = Publisher::connect(hub.address).unwrap();
    let lines: String = (0..500).map(|number| format!("{number:0>2000}\n")).collect();
    for _ in 0..10 {
        publisher.publish("a", "application/x-ndjson", &lines).unwrap();
    }
    let mut streaming = open.pop().unwrap();
    let (code, took) = hub.terminate(IN_TIME);
    println!("gone after {took:?} with {code:?}");
    assert_eq!(code, Some(0));
    let mut answer = String::new();
    streaming.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(r#""published":2"#), "{answer}");
}

/// The reader of its log has gone away without a word, and everything in the hub that has something to say waits.
#[test]
fn it_is_gone_in_time_although_nobody_takes_its_log() {
    let (_reader, mut log) = UnixStream::pair().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--memory", "--log-level", "trace"]);
    let stderr = OwnedFd::from(log.try_clone().unwrap());
    let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    crate::hub::address(child.stdout.as_mut().unwrap());
    // From now on, there is no room for another line.
    log.set_nonblocking(true).unwrap();
    while log.write(&[b'.'; 4_096]).is_ok() {}
    log.set_nonblocking(false).unwrap();
    for _ in 0..10 {
        signal(&child, "HUP");
        thread::sleep(Duration::from_millis(20));
    }
    let (_, took) = terminate(&mut child, IN_TIME);
    println!("gone after {took:?}");
}

/// The process ends only after its log, whoever held it last.
#[test]
fn its_log_is_closed_before_it_is_gone() {
    let mut hub = Hub::start(&[]);
    for round in 0..20 {
        let mut publisher = Publisher::connect(hub.address).unwrap();
        publisher.publish("a", "text/plain", "hello").unwrap();
        let mut subscriber = Subscriber::connect(hub.address, "a", Some("earliest")).unwrap();
        assert_eq!(subscriber.receive_count(round + 1).len(), round + 1);
        assert!(hub.stop(), "stopped {round} times before");
        hub.restart();
    }
}

/// Subscribers without a shard still read the log when the hub is asked to end: by QUERY, and all of them with
/// `--delivery hyper`.
#[test]
fn its_log_is_closed_although_subscribers_catch_up() {
    let query = |address| {
        let form = "topic=/none/%7Bx%7D&last-event-id=earliest";
        let mut socket = TcpStream::connect(address).unwrap();
        let head = "QUERY /.well-known/mercure HTTP/1.1\r\nHost: localhost\r\n\
            Content-Type: application/x-www-form-urlencoded\r\n";
        write!(socket, "{head}Content-Length: {}\r\n\r\n{form}", form.len()).unwrap();
        socket
    };
    let get = |address| {
        let mut socket = TcpStream::connect(address).unwrap();
        let path = "/.well-known/mercure?topic=/none/%7Bx%7D&last-event-id=earliest";
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        socket
    };
    let lines: String = (0..10_000).map(|number| format!("{number:0>100}\n")).collect();
    for (delivery, subscribe) in [("auto", &query as &dyn Fn(_) -> _), ("hyper", &get)] {
        let mut hub = Hub::start(&["--delivery", delivery]);
        let mut publisher = Publisher::connect(hub.address).unwrap();
        (0..5).for_each(|_| drop(publisher.publish("a", "application/x-ndjson", &lines).unwrap()));
        for round in 0..4 {
            // The end of the log is recorded again only if something was published.
            Publisher::connect(hub.address).unwrap().publish("a", "text/plain", "hello").unwrap();
            let open: [TcpStream; 4] = std::array::from_fn(|_| subscribe(hub.address));
            assert!(open.iter().all(|mut socket| socket.read(&mut [0; 1]).unwrap() == 1));
            thread::sleep(Duration::from_millis(20 * round));
            assert!(hub.stop(), "{delivery}: stopped {round} times before");
            hub.restart();
        }
    }
}

/// Sends SIGTERM and waits for the end. Kills, and fails, when that takes too long.
pub fn terminate(child: &mut Child, in_time: Duration) -> (Option<i32>, Duration) {
    signal(child, "TERM");
    let began = Instant::now();
    while began.elapsed() < in_time {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("still there after {in_time:?}");
}

fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

/// A client that takes the end of the body for the end of the stream can tell the one from the other: only a hub that
/// is told to stop sends a last chunk.
#[test]
fn only_a_hub_that_is_told_to_stop_ends_its_streams() {
    let mut hub = Hub::start(&[]);
    for is_killed in [false, true] {
        let mut socket = TcpStream::connect(hub.address).unwrap();
        socket.set_read_timeout(Some(IN_TIME)).unwrap();
        socket.write_all(b"GET /topics/a HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let (mut text, mut chunk) = (String::new(), [0; 4_096]);
        while !text.contains("fanfare.start") || !text.ends_with("\n\n\r\n") {
            let read = socket.read(&mut chunk).unwrap();
            assert_ne!(read, 0, "{text}");
            text.push_str(str::from_utf8(&chunk[..read]).unwrap());
        }
        assert!(text.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked\r\n"), "{text}");
        if is_killed {
            hub.kill();
        } else {
            hub.stop();
        }
        let mut rest = Vec::new();
        // The socket of a process that was killed may be reset.
        _ = socket.read_to_end(&mut rest);
        assert_eq!(rest, if is_killed { &b""[..] } else { b"0\r\n\r\n" });
        hub.restart();
    }
}
