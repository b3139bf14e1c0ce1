//! Stopping: it takes a few seconds, whatever peers do, and whoever is cut knows where to go on.
use super::{
    fixture::*,
    obstructed_log::{ObstructedLog, Use},
};
use fanfare_hub::failure::Failure;
use fanfare_server::{
    auth::{AuthSettings, Authenticator, Key, KeySet, KeySource, SigningKey, TrustedKeys, mint::LegacyToken},
    server::{FINISH_TIMEOUT, STOP_TIMEOUT},
};
use std::{
    panic::resume_unwind,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const STREAMED: &str = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";

async fn stop(server: Fixture) -> Duration {
    let began = Instant::now();
    server.stop().await;
    began.elapsed()
}

#[tokio::test]
async fn a_publisher_whose_stream_is_cut_is_told_how_many_events_were_taken() {
    let server = serve().await;
    let mut watcher = server.subscribe("/topics/a", "").await;
    let mut silent = server.connect().await;
    silent.send(server.request("POST /topics/a", "HTTP/1.1", STREAMED) + "14\r\ndata: 1\n\ndata: 2\n\nda\r\n").await;
    watcher.events(2).await;
    let mut new = server.connect().await;
    new.send(server.request("POST /topics/a", "HTTP/1.1", STREAMED)).await;
    // Its request has come when one that was sent behind it is answered.
    server.publish("/topics/b", "").await;
    let stopped = tokio::spawn(stop(server));
    for (mut publisher, count) in [(silent, 2), (new, 0)] {
        publisher.read_head().await;
        assert!(publisher.head.starts_with("HTTP/1.1 503"), "{}", publisher.head);
        assert_eq!(publisher.header("connection"), Some("close"));
        let body = publisher.end().await;
        assert!(body.contains(&format!(r#""published":{count}"#)) && body.contains("stopping"), "{body}");
    }
    let took = stopped.await.unwrap();
    assert!(took < FINISH_TIMEOUT, "{took:?}");
}

/// The hub has failed: its streams break off, and its publishers are told what was taken.
#[tokio::test]
async fn when_the_hub_fails_publishers_are_answered_and_streams_break_off() {
    let mut server = serve().await;
    let mut watcher = server.connect().await;
    watcher.send(server.request("GET /topics/a", "HTTP/1.1", "")).await;
    watcher.read_head().await;
    let mut publisher = server.connect().await;
    publisher.send(server.request("POST /topics/a", "HTTP/1.1", STREAMED) + "9\r\ndata: 1\n\n\r\n").await;
    watcher.events(1).await;
    let mut late = server.connect().await;
    late.send(server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 10\r\n") + "123").await;
    // Its request has come when one that was sent behind it is answered.
    server.publish("/topics/b", "").await;
    let stopped_time = StoppedTime::begin();
    server.hub.fail(Failure::Delivery);
    publisher.read_head().await;
    assert!(publisher.head.starts_with("HTTP/1.1 503"), "{}", publisher.head);
    let body = publisher.end().await;
    assert!(body.contains(r#""published":1"#), "{body}");
    late.read_head().await;
    assert!(late.head.starts_with("HTTP/1.1 503"), "{}", late.head);
    let rest = watcher.end().await;
    assert!(!rest.ends_with("0\r\n\r\n"), "the body of a stream that breaks off is not complete: {rest:?}");
    drop(stopped_time);
    let ended = tokio::time::timeout(PATIENCE, &mut server.stopped).await.unwrap().unwrap();
    assert!(matches!(ended, Err(Failure::Delivery)), "{ended:?}");
}

/// The request may be of whatever kind.
#[tokio::test]
async fn a_request_whose_body_has_not_come_is_told_that_the_hub_stops() {
    let server = serve().await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let mut open = Vec::new();
    for (target, headers, part) in [
        ("POST /topics/a", "Content-Length: 10\r\n".to_owned(), "123"),
        ("POST /topics/a", "Transfer-Encoding: chunked\r\n".to_owned(), "5\r\n12"),
        ("POST /topics/a", "Content-Type: application/x-ndjson\r\nContent-Length: 10\r\n".to_owned(), "1\n2\n3"),
        ("POST /.well-known/mercure", format!("{form}Content-Length: 30\r\n"), "topic=a&data=x"),
        ("QUERY /.well-known/mercure", format!("{form}Content-Length: 30\r\n"), "topic=a"),
    ] {
        let mut stream = server.connect().await;
        stream.send(server.request(target, "HTTP/1.1", &headers) + part).await;
        open.push((target, stream));
    }
    let mut quick = server.connect().await;
    quick.send(server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 3\r\n") + "ab").await;
    // The requests have come when one that was sent behind them is answered.
    server.publish("/topics/b", "").await;
    let hub = server.hub.clone();
    let stopped = tokio::spawn(stop(server));
    quick.send("c").await;
    quick.read_head().await;
    assert!(quick.head.starts_with("HTTP/1.1 200"), "a body that comes at once is taken: {}", quick.head);
    for (target, mut stream) in open {
        stream.read_head().await;
        assert!(stream.head.starts_with("HTTP/1.1 503"), "{target}: {}", stream.head);
        assert_eq!(stream.header("connection"), Some("close"));
        let body = stream.end().await;
        assert!(body.contains("stopping") && body.contains("nothing of it was published"), "{target}: {body}");
    }
    let took = stopped.await.unwrap();
    assert!(took < FINISH_TIMEOUT, "{took:?}");
    assert_eq!(hub.bounds().head.0, 2);
}

/// Events come without a pause, so that there is always one more to take.
#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_never_pauses_is_told_as_well() {
    let server = serve().await;
    let mut publisher = server.connect().await;
    publisher.send(server.request("POST /topics/a", "HTTP/1.1", STREAMED)).await;
    let (mut reads, mut writes) = tokio::io::split(publisher.socket);
    let chunk = format!("4b00\r\n{}\r\n", "data: 8 bytes.\n\n".repeat(0x4b0));
    let writing = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while writes.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    let mut watcher = server.subscribe("/topics/a", "").await;
    watcher.events(100).await;
    let hub = server.hub.clone();
    let took = stop(server).await;
    assert!(took < FINISH_TIMEOUT, "{took:?}");
    let mut answer = String::new();
    // A reset may follow the answer: the publisher writes on.
    _ = tokio::io::AsyncReadExt::read_to_string(&mut reads, &mut answer).await;
    writing.await.unwrap();
    assert!(answer.contains(&format!(r#""published":{}"#, hub.bounds().head.0)), "{answer}");
}

/// An authorization server that does not answer.
#[derive(Debug)]
struct Hanging(tokio::sync::Notify);

impl KeySource for Hanging {
    fn keys(&self) -> Arc<[Arc<Key>]> {
        Arc::new([])
    }

    fn refresh(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async {
            self.0.notify_one();
            std::future::pending().await
        })
    }
}

#[tokio::test]
async fn keys_that_do_not_come_do_not_hold_it_up() {
    let source = Arc::new(Hanging(tokio::sync::Notify::new()));
    let keys = KeySet::new(Vec::new(), vec![source.clone()]);
    let keys = TrustedKeys { publisher_keys: keys.clone(), subscriber_keys: keys, ..TrustedKeys::default() };
    let hub_url = "https://hub.example/.well-known/mercure".parse().unwrap();
    let settings = AuthSettings { keys: keys.into(), ..AuthSettings::closed(hub_url) };
    let server = serve_as(Authenticator::new(settings), |_| {}).await;
    let key = SigningKey::hs256(b"a secret of at least thirty-two bytes").unwrap();
    let all = || vec!["*".to_owned()];
    let token = LegacyToken { publish: all(), subscribe: all(), payload: None, expires_at: None }.sign(&key);
    let mut open = Vec::new();
    for target in ["GET /topics/a", "POST /topics/a"] {
        let mut stream = server.connect().await;
        stream.send(server.request(target, "HTTP/1.1", &format!("Authorization: Bearer {token}\r\n"))).await;
        tokio::time::timeout(PATIENCE, source.0.notified()).await.expect("the keys are asked for");
        open.push(stream);
    }
    let took = stop(server).await;
    assert!(took < STOP_TIMEOUT, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_over_in_time_whatever_is_open() {
    let server = serve_with(|settings| settings.subscriptions = true).await;
    let get = server.request("GET /healthz", "HTTP/1.1", "");
    let mut open = Vec::new();
    for text in [
        // Nothing, and a part of a head.
        String::new(),
        "GET /".to_owned(),
        get.clone() + "POST /topics/a HTTP/1.1\r\nHost:",
        // Silent between two requests.
        get.clone(),
        // A part of a body.
        server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 10\r\n") + "123",
        server.request("POST /topics/a", "HTTP/1.1", "Transfer-Encoding: chunked\r\n") + "a\r\n12",
        server.request("POST /topics/a", "HTTP/1.1", STREAMED) + "a\r\ndata",
        // Streams, also through hyper.
        server.request("GET /topics/a", "HTTP/1.1", ""),
        server.request("GET /topics/a", "HTTP/1.1", "Content-Length: 3\r\n") + "abc",
        server.request("GET /topics/a?last_event_id=earliest&until=now", "HTTP/1.1", ""),
    ] {
        let mut stream = server.connect_with_a_small_buffer().await;
        stream.send(text).await;
        open.push(stream);
    }
    // Those who read nothing are sent more than they have room for.
    let lines: String = (0..500).map(|number| format!("{number:0>2000}\n")).collect();
    for _ in 0..4 {
        server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", &lines).await;
    }
    let mut replay = server.connect_with_a_small_buffer().await;
    replay.send(server.request("GET /topics/a?last_event_id=earliest&until=now", "HTTP/1.1", "")).await;
    replay.read_head().await;
    let hub = server.hub.clone();
    let took = stop(server).await;
    assert!(took < STOP_TIMEOUT, "{took:?}");
    // Also the end of each subscription was told.
    let (key, start) = (everything(), fanfare_hub::subscription::Start::After("earliest".into()));
    let mut told = hub.open(key, start).await.unwrap().replay(false).await;
    let mut text = String::new();
    while let Some(bytes) = told.next().await.unwrap() {
        text += str::from_utf8(&bytes).unwrap();
    }
    let count = |active: bool| text.matches(&format!(r#""active":{active}"#)).count();
    assert!(count(true) > 0 && count(true) == count(false), "{} came, {} went", count(true), count(false));
}

fn everything() -> fanfare_hub::audience_key::AudienceKey {
    use fanfare_hub::{audience_key::AudienceKey, grant::Matchers, representation::Representation};
    let (matchers, granted) = (Matchers::any(), Matchers::any());
    AudienceKey::new(matchers, granted, Representation::EventStream)
}

/// An error status would close an EventSource for good, and another hub may take the place of this one.
#[tokio::test]
async fn a_subscriber_that_comes_when_the_log_is_closed_may_come_back() {
    let panics = Arc::new(AtomicBool::new(false));
    let told = panics.clone();
    let log = ObstructedLog::new(move |what| match what {
        // As a panic, without its message among the test's output.
        Use::Append if told.load(Ordering::SeqCst) => resume_unwind(Box::new("told to panic")),
        _ => Ok(()),
    });
    let server = serve_over(log, Authenticator::open(), |settings| settings.subscriptions = true).await;
    let watcher = server.subscribe("/topics/a", "").await;
    let get = server.request("GET /topics/a", "HTTP/1.1", "");
    let (first, last) = get.split_at(get.len() - 2);
    let mut late = server.connect().await;
    late.send(first).await;
    // Its head has begun when a request that was sent behind it is answered.
    server.publish("/topics/b", "").await;
    panics.store(true, Ordering::SeqCst);
    assert_eq!(server.post("/topics/b", "", "x").await.status, 503);
    watcher.end().await;
    // That the watcher has left cannot be published.
    tokio::time::sleep(Duration::from_millis(300)).await;
    late.send(last).await;
    let answer = late.end().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 200"), "{answer}");
}
