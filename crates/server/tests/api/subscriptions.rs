//! Active subscriptions: who comes and goes is told, whichever way it goes, and the API answers with what was told.
use super::fixture::*;
use fanfare_hub::{
    Hub,
    audience_key::AudienceKey,
    entry::Timestamp,
    grant::Matchers,
    log::{Log, LogError, MemoryLog, Retention, SegmentLog},
    representation::Representation,
    subscription::{Start, Subscription},
    topic::{MAX_TOPIC_BYTES, matcher::Matcher},
};
use fanfare_server::{
    Settings,
    auth::{AuthSettings, Authenticator, SigningKey, TrustedKeys, mint::LegacyToken},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    net::Shutdown,
    sync::Arc,
    time::Duration,
};
use tokio::time::{sleep, timeout};
use url::Url;

const ALL: &str = "/.well-known/mercure/subscriptions";

async fn telling(change: impl FnOnce(&mut Settings)) -> Fixture {
    serve_with(|settings| {
        settings.subscriptions = true;
        change(settings);
    })
    .await
}

/// Reads what is told, from the hub itself: no connection of its own comes or goes.
struct Watcher {
    subscription: Subscription,
    told: VecDeque<Value>,
}

impl Watcher {
    async fn of(hub: &Hub, start: Start) -> Self {
        let pattern = Matcher::legacy_selector("/.well-known/mercure/subscriptions/{+rest}").unwrap();
        let key = AudienceKey::new([pattern].into_iter().collect(), Matchers::any(), Representation::JsonLines);
        Self { subscription: hub.subscribe(key, start).await.unwrap(), told: VecDeque::new() }
    }

    /// The next document in whichever shape.
    async fn next(&mut self) -> Value {
        loop {
            if let Some(told) = self.told.pop_front() {
                return told;
            }
            let run = timeout(PATIENCE, self.subscription.next()).await.expect("something is told").unwrap().unwrap();
            for line in str::from_utf8(&run).unwrap().lines().filter(|line| !line.is_empty()) {
                let update: Value = serde_json::from_str(line).unwrap();
                assert!(update["private"] == true && update["id"].as_str().unwrap().starts_with('#'), "{update}");
                let document: Value = serde_json::from_str(update["data"].as_str().unwrap()).unwrap();
                assert_eq!(json!([document["id"]]), update["topics"]);
                assert_eq!(update["type"] == "mercure", document["type"] == "subscription", "{update}");
                self.told.push_back(document);
            }
        }
    }

    /// The next document in the newer shape: its matcher, and whether it is active.
    async fn change(&mut self) -> (String, bool) {
        loop {
            let told = self.next().await;
            if told["type"] == "subscription" {
                return (told["match"].as_str().unwrap().to_owned(), told["active"].as_bool().unwrap());
            }
        }
    }
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {} {}", answer.head, answer.body))
}

/// The cursor of an answer in the newer shape.
fn cursor(answer: &Answer) -> String {
    let (_, rest) = answer.head.split_once(r#"last-event-id=""#).unwrap_or_else(|| panic!("{}", answer.head));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_subscriber_that_is_told_of_already_receives() {
    let server = telling(|_| {}).await;
    let mut watcher = Watcher::of(&server.hub, Start::Now).await;
    for number in 0..20 {
        let mut stream = server.connect().await;
        stream.send(server.request(&format!("GET /topics/{number}"), "HTTP/1.1", "")).await;
        assert_eq!(watcher.change().await, (number.to_string(), true));
        server.publish(&format!("/topics/{number}"), "here").await;
        stream.read_until(|text| text.contains("data: here\n\n")).await;
        drop(stream);
        assert_eq!(watcher.change().await, (number.to_string(), false));
    }
}

/// Hang-up, the end of what is sent, and a reset.
#[tokio::test]
async fn a_peer_that_is_gone_has_left() {
    let server = telling(|_| {}).await;
    let mut watcher = Watcher::of(&server.hub, Start::Now).await;
    for way in ["hangs up", "finishes", "resets"] {
        for target in [format!("/topics/{way}"), format!("/.well-known/mercure?match_exact={way}")] {
            let mut stream = server.subscribe(&target.replace(' ', "%20"), "").await;
            assert_eq!(watcher.change().await, (way.into(), true));
            match way {
                "finishes" => stream.finish_sending().await,
                "resets" => stream.socket.tcp().set_zero_linger().unwrap(),
                _ => {}
            }
            if way == "finishes" {
                assert_eq!(watcher.change().await, (way.into(), false));
            } else {
                drop(stream);
                assert_eq!(watcher.change().await, (way.into(), false));
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_takes_nothing_has_left() {
    let server = telling(|settings| settings.write_timeout = Duration::from_secs(1)).await;
    let mut watcher = Watcher::of(&server.hub, Start::Now).await;
    let mut stalls = server.connect_with_a_small_buffer().await;
    stalls.send(server.request("GET /topics/a", "HTTP/1.0", "")).await;
    stalls.read_head().await;
    assert_eq!(watcher.change().await, ("a".into(), true));
    let lines: String = (0..500).map(|number| format!("{number:0>2000}\n")).collect();
    server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", lines).await;
    assert_eq!(watcher.change().await, ("a".into(), false));
}

#[tokio::test]
async fn a_stream_that_ends_by_itself_has_ended() {
    let server = telling(|settings| settings.max_lifetime = Some(Duration::from_millis(300))).await;
    let mut watcher = Watcher::of(&server.hub, Start::Now).await;
    let stream = server.subscribe("/topics/a", "").await;
    for active in [true, false] {
        assert_eq!(watcher.change().await, ("a".into(), active));
    }
    stream.end().await;
}

fn key() -> SigningKey {
    SigningKey::hs256(b"a secret of at least thirty-two bytes").unwrap()
}

/// A hub with keys, and the header of a token for it.
async fn closed() -> Fixture {
    let hub_url = Url::parse("https://hub.example/.well-known/mercure").unwrap();
    let keys = TrustedKeys { subscriber_keys: key().verification().into(), ..TrustedKeys::default() };
    let settings = AuthSettings { keys: keys.into(), anonymous: true, ..AuthSettings::closed(hub_url) };
    serve_as(Authenticator::new(settings), |settings| settings.subscriptions = true).await
}

fn bearer(subscribe: &[&str], payload: Option<Value>, expires_at: Option<Timestamp>) -> String {
    let subscribe = subscribe.iter().map(|&topic| topic.to_owned()).collect();
    let token = LegacyToken { publish: Vec::new(), subscribe, payload, expires_at };
    format!("Authorization: Bearer {}\r\n", token.sign(&key()))
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_shows_its_payload() {
    let server = closed().await;
    let mut watcher = Watcher::of(&server.hub, Start::Now).await;
    let soon = Timestamp(Timestamp::now().0 + 1_500);
    let headers = bearer(&["a"], Some(json!({"who": "me"})), Some(soon));
    let stream = server.subscribe("/.well-known/mercure?topic=a&topic=b", &headers).await;
    for active in [true, false] {
        for _ in 0..4 {
            let told = watcher.next().await;
            assert_eq!((&told["payload"], &told["active"]), (&json!({"who": "me"}), &json!(active)), "{told}");
        }
    }
    assert!(stream.end().await.contains("token-expired"));
}

#[tokio::test]
async fn who_may_ask_is_who_is_granted_the_path() {
    let server = closed().await;
    let _there = server.subscribe("/.well-known/mercure?topic=a", "").await;
    let of_a = format!("{ALL}/a");
    for (path, granted, status) in [
        (ALL, &[ALL][..], 200),
        (ALL, &["*"], 200),
        (ALL, &[&of_a], 403),
        (&of_a, &[ALL], 403),
        (&of_a, &[&of_a], 200),
        (&of_a, &["/.well-known/mercure/subscriptions{/topic}{/subscriber}"], 200),
        (&format!("{ALL}/b"), &[&of_a], 403),
        (&format!("{ALL}/a/urn%3Auuid%3Anobody"), &["*"], 404),
        (&format!("{ALL}/regexp/a/x"), &["*"], 404),
        (&format!("{ALL}/regexp/a/x"), &["a"], 403),
    ] {
        for query in ["", "?x=y"] {
            let answer = server.get(&format!("{path}{query}"), &bearer(granted, None, None)).await;
            assert_eq!(answer.status, status, "{path}{query} with {granted:?}: {}", answer.body);
        }
    }
    assert_eq!(server.get(ALL, "").await.status, 403, "nobody in particular");
    assert_eq!(server.get(&format!("{ALL}?page=x"), &bearer(&["*"], None, None)).await.status, 400);
}

#[tokio::test]
async fn the_end_of_the_server_is_the_end_of_all() {
    let server = telling(|_| {}).await;
    let mut watcher = Watcher::of(&server.hub, Start::Now).await;
    let mut streams = Vec::new();
    for topic in ["a", "b", "c"] {
        streams.push(server.subscribe(&format!("/topics/{topic}"), "").await);
        assert_eq!(watcher.change().await, (topic.into(), true));
    }
    // When it has stopped, all is told.
    let hub = server.hub.clone();
    server.stop().await;
    let end = hub.bounds().head;
    let mut left = Vec::new();
    for _ in streams {
        left.push(watcher.change().await);
    }
    left.sort();
    assert_eq!(left, ["a", "b", "c"].map(|topic| (topic.into(), false)));
    assert_eq!(hub.bounds().head, end);
}

/// Each is told twice, once in each shape, whatever the subscriber's own request was.
#[tokio::test]
async fn everybody_is_told_of_everybody_in_the_shape_that_it_knows() {
    let server = telling(|_| {}).await;
    let hub = "/.well-known/mercure";
    let newer = format!("{hub}?match_urlpattern={ALL}/exact/:match/:subscriber");
    let mut newer = server.subscribe(&newer, "").await;
    let mut older = server.subscribe(&format!("{hub}?topic={ALL}/a/%7Bsubscriber%7D"), "").await;
    for target in [format!("{hub}?topic=a"), format!("{hub}?match=a"), "/topics/a".into()] {
        let stream = server.subscribe(&target, "").await;
        for active in [true, false] {
            let event = &newer.events(1).await[0];
            assert!(event.starts_with("event: mercure\n") && event.contains(r#""match":"a""#), "{target}: {event}");
            assert!(event.contains(&format!(r#""active":{active}"#)), "{target}: {event}");
            let event = &older.events(1).await[0];
            assert!(event.starts_with("id: ") && event.contains(r#""topic":"a""#), "{target}: {event}");
            assert!(event.contains(r#""@context":"https://mercure.rocks/""#), "{target}: {event}");
            if active {
                socket2::SockRef::from(stream.socket.tcp()).shutdown(Shutdown::Both).unwrap();
            }
        }
    }
}

/// B4 of both revisions: "came" and "went" are two events with an ID each, so that who comes back behind one of them
/// gets what follows it and nothing again. The documents' own `id` is the subscription's path.
#[tokio::test]
async fn a_watcher_that_comes_back_gets_nothing_twice() {
    let server = telling(|_| {}).await;
    let hub = "/.well-known/mercure";
    let newer = format!("{hub}?match_urlpattern={ALL}/exact/a/:subscriber&match=end");
    let older = format!("{hub}?topic={ALL}/a/%7Bsubscriber%7D&topic=end");
    for watching in [newer, older] {
        let mut watcher = server.subscribe(&watching, "").await;
        let there = server.subscribe("/topics/a", "").await;
        let came = watcher.events(1).await.remove(0);
        drop(there);
        let told = [came, watcher.events(1).await.remove(0)];
        let ids = told.each_ref().map(|event| field(event, "id"));
        assert_ne!(ids[0], ids[1], "{told:?}");
        for (event, active) in told.iter().zip([true, false]) {
            let document: Value = serde_json::from_str(field(event, "data")).unwrap();
            assert!(document["id"].as_str().unwrap().starts_with(ALL) && document["active"] == active, "{event}");
        }
        let end = server.publish("/topics/end", "end").await;
        for (place, follow) in [(0, 1), (1, 0)] {
            let mut again = server.subscribe(&watching, &format!("Last-Event-ID: {}\r\n", ids[place])).await;
            let events = again.events(follow + 1).await;
            assert_eq!(events[..follow], told[place + 1..], "behind {}", ids[place]);
            assert_eq!(field(&events[follow], "id"), end);
        }
    }
}

fn field<'a>(event: &'a str, name: &str) -> &'a str {
    let mut lines = event.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(field, _)| *field == name).unwrap_or_else(|| panic!("no {name} in {event}")).1
}

/// A client that reads the API and subscribes behind its cursor misses nothing, however much comes and goes meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_and_what_follows_its_cursor_are_the_whole() {
    let server = telling(|_| {}).await;
    let mut streams: VecDeque<Stream> = VecDeque::new();
    let mut snapshots = Vec::new();
    for round in 0..60 {
        streams.push_back(server.subscribe(&format!("/topics/{round}"), "").await);
        if round % 3 == 0 {
            streams.pop_front();
        }
        if round % 5 == 0 {
            let answer = server.get(ALL, "").await;
            snapshots.push((cursor(&answer), members(&answer)));
        }
    }
    let last = server.publish("/topics/last", "").await;
    // All that has happened is told by now, except who has left without the server having noticed it yet.
    let mut truth = BTreeMap::new();
    for _ in 0..400 {
        truth = members(&server.get(ALL, "").await);
        if truth.len() == streams.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(truth.len(), streams.len(), "after {last}");
    for (cursor, mut members) in snapshots {
        let mut watcher = Watcher::of(&server.hub, Start::After(cursor.clone())).await;
        let mut seen = 0;
        while members != truth {
            let told = watcher.next().await;
            seen += 1;
            if told["type"] != "subscription" {
                continue;
            }
            let (id, text) = (told["id"].as_str().unwrap(), told["match"].as_str().unwrap());
            // Behind the cursor, each change is told once.
            if told["active"] == true {
                assert_eq!(members.insert(id.into(), text.into()), None, "{id} after {seen}");
            } else {
                assert_eq!(members.remove(id).as_deref(), Some(text), "{id} after {seen}");
            }
        }
    }
}

/// The members of a collection, by their IDs, with what they match.
fn members(answer: &Answer) -> BTreeMap<String, String> {
    let document = parsed(answer);
    let members = document["subscriptions"].as_array().unwrap().iter();
    members.map(|one| (one["id"].as_str().unwrap().into(), one["match"].as_str().unwrap().into())).collect()
}

#[tokio::test]
async fn both_revisions_have_three_documents() {
    let server = telling(|_| {}).await;
    let _a = server.subscribe("/.well-known/mercure?match=a%2Fb&match_urlpattern=/:x", "").await;
    let ld = "Accept: application/ld+json\r\n";
    let newer = members(&server.get(ALL, "").await);
    assert_eq!(newer.values().collect::<Vec<_>>(), ["a/b", "/:x"]);
    let single = newer.keys().next().unwrap();
    let older = parsed(&server.get(ALL, ld).await);
    assert_eq!(
        (older["type"].as_str(), older["@context"].as_str()),
        (Some("Subscriptions"), Some("https://mercure.rocks/"))
    );
    assert!(older["lastEventID"].as_str().unwrap().starts_with('#') && older["subscriptions"][0]["topic"].is_string());
    let older_single = older["subscriptions"][0]["id"].as_str().unwrap();
    for (path, content_type, kind, count) in [
        (format!("{ALL}/exact/a%2Fb"), "application/json", "subscriptions", 1),
        (format!("{ALL}/exact/a%2fb"), "application/json", "subscriptions", 1),
        (format!("{ALL}/exact/other"), "application/json", "subscriptions", 0),
        (format!("{ALL}/urlpattern/%2F%3Ax"), "application/json", "subscriptions", 1),
        (single.clone(), "application/json", "subscription", 0),
        (format!("{ALL}/a%2Fb"), "application/ld+json", "Subscriptions", 1),
        (older_single.to_owned(), "application/ld+json", "Subscription", 0),
    ] {
        let answer = server.get(&path, "").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{path}");
        let document = parsed(&answer);
        assert_eq!(document["type"], kind, "{path}");
        assert_eq!(document["subscriptions"].as_array().map_or(0, Vec::len), count, "{path}");
    }
    assert_eq!(
        parsed(&server.get("/.well-known/oauth-protected-resource/.well-known/mercure", "").await)["mercure_subscriptions"],
        true
    );
}

#[tokio::test]
async fn a_document_that_is_known_is_not_sent_again() {
    let server = telling(|_| {}).await;
    // Answers' heads are read in lower case, and tags have a case.
    let mut stream = server.connect().await;
    stream.send(server.request(&format!("GET {ALL}"), "HTTP/1.1", "")).await;
    stream.read_head().await;
    let tag = stream.header("etag").unwrap().to_owned();
    let again = async |headers: String| server.get(ALL, &headers).await;
    let same = again(format!("If-None-Match: \"x\", {tag}\r\n")).await;
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    assert!(same.head.contains("last-event-id="), "{}", same.head);
    let other_shape = again(format!("Accept: application/ld+json\r\nIf-None-Match: {tag}\r\n")).await;
    assert_eq!(other_shape.status, 200);
    let _there = server.subscribe("/topics/a", "").await;
    assert_eq!(again(format!("If-None-Match: {tag}\r\n")).await.status, 200, "somebody has come");
}

#[tokio::test]
async fn a_large_collection_comes_in_pages() {
    let server = telling(|_| {}).await;
    let mut streams = Vec::new();
    for number in 0..52 {
        let matchers: Vec<String> = (0..100).map(|matcher| format!("match={number}-{matcher}")).collect();
        streams.push(server.subscribe(&format!("/.well-known/mercure?{}", matchers.join("&")), "").await);
    }
    let first = server.get(ALL, "").await;
    let (page, rest) = (members(&first), 200);
    assert_eq!(page.len(), 5_000);
    let next = first.head.lines().find(|line| line.contains(r#"rel="next""#)).unwrap();
    let next = next.split_once('<').unwrap().1.split_once('>').unwrap().0;
    let second = server.get(next, "").await;
    assert!(!second.head.contains(r#"rel="next""#), "{}", second.head);
    let second = members(&second);
    assert_eq!(second.len(), rest);
    assert!(second.keys().all(|id| !page.contains_key(id)));
}

#[tokio::test]
async fn nothing_is_told_unless_it_is_asked_for() {
    let server = serve().await;
    let before = server.hub.bounds();
    drop(server.subscribe("/topics/a", "").await);
    assert_eq!(server.get(ALL, "").await.status, 404);
    assert_eq!(server.get(&format!("{ALL}/a"), "").await.status, 404);
    assert_eq!(server.hub.bounds(), before);
    let metadata = server.get("/.well-known/oauth-protected-resource/.well-known/mercure", "").await;
    assert_eq!(parsed(&metadata).get("mercure_subscriptions"), None);
}

#[tokio::test]
async fn a_subscription_whose_path_is_no_topic_is_refused() {
    let server = telling(|_| {}).await;
    let long = "x".repeat(MAX_TOPIC_BYTES);
    let answer = server.get(&format!("/topics/{long}"), "").await;
    assert_eq!(answer.status, 400, "{}", answer.body);
}

/// Strangers who come and go push nothing out of the log: whoever resumes from the first update gets all the others,
/// and no gap. After a restart, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_and_goes_pushes_nothing_out() {
    let retention = Retention { count: Some(200), ..Retention::default() };
    let dir = tempfile::tempdir().unwrap();
    let on_disk = SegmentLog::open(dir.path(), retention.clone()).unwrap();
    let texts: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    for log in [Arc::new(MemoryLog::new(retention.clone())) as Arc<dyn Log>, Arc::new(on_disk)] {
        let server = serve_over(log, Authenticator::open(), |settings| settings.subscriptions = true).await;
        let mut ids = Vec::new();
        for text in &texts {
            ids.push(server.publish("/topics/a", text).await);
        }
        for _ in 0..10 {
            let mut streams = Vec::new();
            for _ in 0..100 {
                streams.push(server.subscribe("/topics/b", "").await);
            }
            // An answer of the API means that all of them were published.
            assert_eq!(server.get(ALL, "").await.status, 200);
            drop(streams);
            timeout(PATIENCE, async {
                while !server.get(ALL, "").await.body.contains(r#""subscriptions":[]"#) {
                    sleep(Duration::from_millis(20)).await;
                }
            })
            .await
            .expect("all have left");
        }
        assert!(server.hub.bounds().head.0 >= 100 + 1_000 * 4, "{:?}", server.hub.bounds());
        resumes(&server, &ids[0], &texts).await;
        server.stop().await;
    }
    // The hub's threads close the log a moment after the server has stopped.
    let reopened = async {
        loop {
            match SegmentLog::open(dir.path(), retention.clone()) {
                Err(LogError::InUse) => sleep(Duration::from_millis(10)).await,
                log => return log.unwrap(),
            }
        }
    };
    let log = timeout(PATIENCE, reopened).await.expect("the log is closed");
    let server = serve_over(Arc::new(log), Authenticator::open(), |settings| settings.subscriptions = true).await;
    let first = server.get("/topics/a?until=now&last_event_id=earliest", "").await;
    let first = field(&first.updates()[0], "id").to_owned();
    resumes(&server, &first, &texts).await;
}

async fn resumes(server: &Fixture, first: &str, texts: &[String]) {
    let target = format!("/topics/a?until=now&last_event_id={}", first.replace('#', "%23"));
    let answer = server.get(&target, "").await;
    assert!(!answer.body.contains("fanfare.gap"), "{}", answer.body);
    assert_eq!(data(&answer.updates()), texts[1..]);
}
