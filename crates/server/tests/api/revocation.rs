//! Keys and issuers that are taken away while their streams are open.
use super::{
    fixture::*,
    tokens::{self, HUB, ISSUER, authenticator, bearer, key},
};
use fanfare_server::auth::{Key, KeySet, KeySource, KeyStore, TrustedIssuer, TrustedKeys};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt as _,
    time::{sleep, timeout},
};

/// A set of keys that are made anew in each call.
fn keys(numbers: &[u8]) -> KeySet {
    numbers.iter().map(|number| key(*number).verification()).collect()
}

fn issuer(numbers: &[u8], audience: Option<&str>) -> TrustedIssuer {
    TrustedIssuer { audience: audience.map(str::to_owned), ..TrustedIssuer::new(ISSUER, keys(numbers)) }
}

fn trusted(subscribers: KeySet, issuers: Vec<TrustedIssuer>) -> TrustedKeys {
    TrustedKeys { publisher_keys: keys(&[0]), subscriber_keys: subscribers, issuers }
}

async fn serve_trusting(trusted: TrustedKeys) -> (Fixture, KeyStore) {
    let store = KeyStore::from(trusted);
    (tokens::serve_trusting(true, store.clone()).await, store)
}

fn legacy(number: u8) -> String {
    bearer(&tokens::legacy(&["*"], &["*"]).sign(&key(number)))
}

fn modern(number: u8) -> String {
    bearer(&tokens::modern(&["a"], &["a"]).sign(&key(number)))
}

const ENDED: &str = "data: {\"reason\":\"token-revoked\"}\n\n";

/// Waits until the stream ends, and checks what it says at last: why it ends, and the place where it does.
async fn ends_at(stream: Stream, id: &str) {
    let text = stream.end().await;
    let last = text.strip_suffix(ENDED).unwrap_or_else(|| panic!("no reason in {text:?}"));
    assert!(last.ends_with(&format!("event: fanfare.end\nid: {id}\n")), "{last:?} does not end at {id}");
}

#[tokio::test]
async fn streams_end_when_their_key_or_issuer_is_taken_away() {
    let (server, store) = serve_trusting(trusted(keys(&[1, 2]), vec![issuer(&[3, 4], None)])).await;
    let mut streams = Vec::new();
    for headers in [legacy(1), legacy(2), modern(3), modern(4), String::new()] {
        streams.push((server.subscribe("/topics/a", &headers).await, headers));
    }
    let publish = async |data: &str| {
        let form = format!("topic=a&data={data}");
        assert_eq!(server.form(&legacy(0), &form).await.status, 200);
        server.hub.id_behind(server.hub.bounds().head)
    };
    let first = publish("one").await;
    for (stream, _) in &mut streams {
        assert_eq!(data(&stream.events(1).await), ["one"]);
    }
    let mut staying = Vec::new();
    // First two keys, then the issuer, then the last key.
    for (now, is_gone) in [
        (trusted(keys(&[2]), vec![issuer(&[4], None)]), [true, false, true, false, false]),
        (trusted(keys(&[2]), vec![]), [false, false, false, true, false]),
        (trusted(KeySet::default(), vec![issuer(&[2], None)]), [false, true, false, false, false]),
    ] {
        store.replace(now);
        let mut going = Vec::new();
        for (number, slot) in staying.drain(..).chain(streams.drain(..).enumerate()).collect::<Vec<_>>() {
            if is_gone[number] { going.push(slot) } else { staying.push((number, slot)) }
        }
        for (stream, headers) in going {
            ends_at(stream, &first).await;
            assert_eq!(server.get("/topics/a", &headers).await.status, 401, "the token is refused now");
        }
    }
    publish("two").await;
    let [(4, (stream, _))] = &mut staying[..] else { panic!("only the one without a token stays") };
    assert_eq!(data(&stream.events(1).await), ["two"]);
    // A key that is trusted again lets in again.
    store.replace(trusted(keys(&[1]), vec![]));
    let mut again = server.subscribe("/topics/a", &legacy(1)).await;
    publish("three").await;
    assert_eq!(data(&again.events(1).await), ["three"]);
}

/// The keys are read again whenever their file is touched: equal keys are the same keys, wherever they stand.
#[tokio::test]
async fn streams_stay_when_their_key_does() {
    let (server, store) = serve_trusting(trusted(keys(&[1, 7]), vec![issuer(&[3], None)])).await;
    assert_eq!(server.form(&legacy(0), "topic=a&data=x").await.status, 200);
    let first = server.hub.id_behind(server.hub.bounds().head);
    let mut stays = [server.subscribe("/topics/a", &legacy(1)).await, server.subscribe("/topics/a", &modern(3)).await];
    let (probe, goes) =
        (server.subscribe("/topics/b", &legacy(7)).await, server.subscribe("/topics/a", &modern(3)).await);
    let named = KeySet::from_iter([key(5).verification(), key(1).named("another name").verification()]);
    store.replace(trusted(named, vec![issuer(&[6, 3], None)]));
    // When this stream has ended, the hub has looked at all of them.
    ends_at(probe, &first).await;
    assert_eq!(server.form(&legacy(0), "topic=a&data=y").await.status, 200);
    for stream in &mut stays {
        assert_eq!(data(&stream.events(1).await), ["y"]);
    }
    // The hub's own audience, written out.
    store.replace(trusted(keys(&[1]), vec![issuer(&[3], Some(HUB))]));
    tokio::time::sleep(2 * fanfare_server::server::REVOCATION_INTERVAL).await;
    assert_eq!(server.form(&legacy(0), "topic=a&data=z").await.status, 200);
    let third = server.hub.id_behind(server.hub.bounds().head);
    for stream in &mut stays {
        assert_eq!(data(&stream.events(1).await), ["z"]);
    }
    // Tokens for another audience are another matter, although the key is the same.
    store.replace(trusted(keys(&[1]), vec![issuer(&[3], Some("https://other.example"))]));
    ends_at(goes, &third).await;
}

/// A set of keys that was never fetched keeps no stream of a key that was not in such a set.
#[tokio::test]
async fn a_source_without_keys_yet_holds_no_key_of_others() {
    #[derive(Debug)]
    struct NeverFetched;
    impl KeySource for NeverFetched {
        fn keys(&self) -> Arc<[Arc<Key>]> {
            Arc::default()
        }
        fn may_have(&self, _: &Key) -> bool {
            true
        }
        fn refresh(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
            Box::pin(std::future::ready(false))
        }
    }
    let with = |numbers: &[u8]| {
        let fixed = numbers.iter().map(|number| key(*number).verification()).collect();
        trusted(KeySet::new(fixed, vec![Arc::new(NeverFetched)]), vec![])
    };
    let (server, store) = serve_trusting(with(&[1])).await;
    assert_eq!(server.form(&legacy(0), "topic=a&data=x").await.status, 200);
    let stream = server.subscribe("/topics/a", &legacy(1)).await;
    store.replace(with(&[2]));
    ends_at(stream, &server.hub.id_behind(server.hub.bounds().head)).await;
}

/// A source that lets the test say which keys it has, and whether they are too old to be used.
#[derive(Debug)]
struct Source(Mutex<(Vec<Arc<Key>>, bool)>);

impl KeySource for Source {
    fn keys(&self) -> Arc<[Arc<Key>]> {
        let (keys, are_too_old) = &*self.0.lock().unwrap();
        if *are_too_old { Arc::default() } else { keys.clone().into() }
    }
    fn may_have(&self, key: &Key) -> bool {
        self.0.lock().unwrap().0.iter().any(|known| known.is_same(key))
    }
    fn refresh(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(std::future::ready(false))
    }
}

#[tokio::test]
async fn a_source_that_is_away_ends_nothing_and_one_that_has_lost_a_key_does() {
    let source = Arc::new(Source(Mutex::new((vec![Arc::new(key(1).verification())], false))));
    let with = |fixed: &[u8]| {
        let fixed = fixed.iter().map(|number| key(*number).verification()).collect();
        trusted(KeySet::new(fixed, vec![source.clone()]), vec![])
    };
    let (server, store) = serve_trusting(with(&[2])).await;
    assert_eq!(server.form(&legacy(0), "topic=a&data=x").await.status, 200);
    let first = server.hub.id_behind(server.hub.bounds().head);
    let mut stream = server.subscribe("/topics/a", &legacy(1)).await;
    let probe = server.subscribe("/topics/a", &legacy(2)).await;
    source.0.lock().unwrap().1 = true;
    assert_eq!(server.get("/topics/a", &legacy(1)).await.status, 401);
    // When this stream has ended, the hub has looked at all of them.
    store.replace(with(&[]));
    ends_at(probe, &first).await;
    assert_eq!(server.form(&legacy(0), "topic=a&data=y").await.status, 200);
    assert_eq!(data(&stream.events(1).await), ["y"]);
    *source.0.lock().unwrap() = (vec![], false);
    ends_at(stream, &server.hub.id_behind(server.hub.bounds().head)).await;
}

/// A program may run several servers that share what they know about tokens.
#[tokio::test]
async fn the_streams_of_every_server_end() {
    let store = KeyStore::from(trusted(keys(&[1, 2]), vec![]));
    let auth = authenticator(true, store.clone());
    let servers = [serve_as(auth.clone(), |_| {}).await, serve_as(auth, |_| {}).await];
    let mut streams = Vec::new();
    for server in &servers {
        assert_eq!(server.form(&legacy(0), "topic=a&data=x").await.status, 200);
        let id = server.hub.id_behind(server.hub.bounds().head);
        for number in [1, 2] {
            streams.push((number, id.clone(), server.subscribe("/topics/a", &legacy(number)).await));
        }
    }
    for (number, left) in [(1, keys(&[2])), (2, keys(&[3]))] {
        store.replace(trusted(left, vec![]));
        let (going, staying): (Vec<_>, Vec<_>) = streams.into_iter().partition(|(signer, ..)| *signer == number);
        streams = staying;
        assert_eq!(going.len(), servers.len());
        for (_, id, stream) in going {
            ends_at(stream, &id).await;
        }
    }
}

#[tokio::test]
async fn a_long_rewind_ends_at_the_place_that_it_has_reached() {
    let (server, store) = serve_trusting(trusted(keys(&[1, 2]), vec![])).await;
    let probe = server.subscribe("/topics/b", &legacy(1)).await;
    let lines = "data: ".to_owned() + &"x".repeat(50_000) + "\n\n";
    let headers = format!("Content-Type: text/event-stream\r\n{}", legacy(0));
    assert_eq!(server.post("/topics/a", &headers, lines.repeat(400)).await.status, 200);
    let mut stream = server.connect_with_a_small_buffer().await;
    stream.send(server.request("GET /topics/a?last=400", "HTTP/1.0", &legacy(1))).await;
    stream.read_head().await;
    store.replace(trusted(keys(&[2]), vec![]));
    // When this stream has ended, the hub has looked at all of them.
    probe.end().await;
    let text = stream.end().await;
    let ids: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert!(text.ends_with(ENDED) && ids.len() < 400, "{} events", ids.len());
    assert_eq!(ids[ids.len() - 1], ids[ids.len() - 2], "the end has the place of the last event");
}

/// It reads 30 KB/s, so it needs some seconds for what the system has for it already. The same token would be refused, so
/// it has to learn the reason.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_slowly_is_told_the_reason() {
    let (server, store) = serve_trusting(trusted(keys(&[1]), vec![])).await;
    let mut slow = server.connect_with_a_small_buffer().await;
    slow.send(server.request("GET /topics/a", "HTTP/1.0", &legacy(1))).await;
    slow.read_head().await;
    let lines = format!("{}\n", "x".repeat(1_000)).repeat(500);
    let headers = format!("Content-Type: application/x-ndjson\r\n{}", legacy(0));
    assert_eq!(server.post("/topics/a", &headers, lines).await.status, 200);
    let mut bytes = slow.read_until(|text| text.len() > 10_000).await.into_bytes();
    store.replace(trusted(keys(&[2]), vec![]));
    let mut piece = [0; 2_500];
    while let read @ 1.. = timeout(PATIENCE, slow.socket.read(&mut piece)).await.expect("it ends").unwrap() {
        bytes.extend_from_slice(&piece[..read]);
        sleep(Duration::from_millis(80)).await;
    }
    let text = String::from_utf8(bytes).unwrap();
    let ids: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert!(text.ends_with(ENDED), "{} events, and then {:?}", ids.len(), &text[text.len() - 100..]);
    assert_eq!(ids[ids.len() - 1], ids[ids.len() - 2], "the end has the place of the last event");
}

#[tokio::test]
async fn a_publishers_stream_ends_too() {
    let (server, store) = serve_trusting(trusted(keys(&[1]), vec![])).await;
    let mut publisher = server.connect().await;
    let headers = format!("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n{}", legacy(0));
    publisher.send(server.request("POST /topics/a", "HTTP/1.1", &headers)).await;
    publisher.send("9\r\ndata: 1\n\n\r\n").await;
    let mut reader = server.subscribe("/topics/a?last_event_id=earliest", &legacy(1)).await;
    assert_eq!(data(&reader.events(1).await), ["1"]);
    store.replace(TrustedKeys { publisher_keys: keys(&[9]), ..trusted(keys(&[1]), vec![]) });
    // It sends nothing more, and still learns that it has to come back with another token.
    let answer = publisher.read_until(|text| text.contains("\r\n\r\n") && text.ends_with('}')).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("\"published\":1") && answer.contains("no longer trusts the key"), "{answer}");
    assert_eq!(server.hub.bounds().head.0, 1);
}
