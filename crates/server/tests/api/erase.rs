//! Updates that are erased, or expire: nobody is shown them any more, and nobody is told of a gap because of it.
use super::fixture::*;
use fanfare_hub::{
    log::{Log, MemoryLog, Retention, SegmentLog, TopicRetention},
    topic::matcher::Matcher,
};
use fanfare_server::auth::{AuthSettings, Authenticator, SigningKey, TrustedKeys, mint::LegacyToken};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use url::Url;

const HUB: &str = "http://hub.example/.well-known/mercure";

impl Fixture {
    async fn delete(&self, target: &str, headers: &str) -> Answer {
        self.send(self.request(&format!("DELETE {target}"), "HTTP/1.0", headers).as_bytes()).await
    }

    /// The data of everything that a reader is shown.
    async fn shown(&self, target: &str) -> String {
        let answer = self.get(&format!("{target}?until=now&last_event_id=earliest"), "").await;
        data(&answer.updates()).join(" ")
    }
}

async fn serve_erasing(log: Arc<dyn Log>) -> Fixture {
    serve_over(log, Authenticator::open(), |settings| settings.allow_erase = true).await
}

/// Runs in memory and on disk.
#[tokio::test]
async fn what_is_erased_is_not_shown_and_is_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SegmentLog::open(dir.path(), Default::default()).unwrap();
    for log in [Arc::new(memory_log()) as Arc<dyn Log>, Arc::new(disk)] {
        let server = serve_erasing(log).await;
        let first = server.publish("/topics/a", "1").await;
        let own = server.publish("/topics/a?id=urn:x:2", "2").await;
        server.publish("/topics/b", "b").await;
        let third = server.publish("/topics/a?topic=b", "3").await;
        server.publish("/topics/a", "4").await;
        let answer = server.delete("/topics/a?id=urn:x:2", "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "{\"erased\":1,\"kept\":0}\n"));
        assert_eq!(server.shown("/topics/a").await, "1 3 4");
        for (id, expected) in [(&first, "data: 3"), (&own, "data: 3"), (&third, "data: 4")] {
            let stream = server.subscribe("/topics/a", &format!("Last-Event-ID: {id}\r\n")).await.events(1).await;
            assert!(stream[0].contains(expected), "behind {id}: {stream:?}");
        }
        // By the ID of the hub, by age, and all that is left.
        assert_eq!(
            server.delete(&format!("/topics/a?id={}", third.replace('#', "%23")), "").await.body,
            "{\"erased\":1,\"kept\":0}\n"
        );
        assert_eq!(server.delete("/topics/a?before=1h", "").await.body, "{\"erased\":0,\"kept\":0}\n");
        assert_eq!(server.delete("/topics/a", "").await.body, "{\"erased\":2,\"kept\":0}\n");
        assert_eq!(server.delete("/topics/a", "").await.body, "{\"erased\":0,\"kept\":0}\n");
        assert_eq!((server.shown("/topics/a").await, server.shown("/topics/b").await), (String::new(), "b".to_owned()));
        server.publish("/topics/a", "5").await;
        let stream = server.subscribe("/topics/a", &format!("Last-Event-ID: {first}\r\n")).await.events(1).await;
        assert!(stream[0].contains("data: 5"), "{stream:?}");
        server.stop().await;
    }
}

#[tokio::test]
async fn what_is_asked_badly_is_told_and_nothing_is_erased() {
    let server = serve_erasing(Arc::new(memory_log())).await;
    server.publish("/topics/a", "1").await;
    for (target, detail) in [
        ("/topics", "name exactly one topic"),
        ("/topics/a?topic=b", "name exactly one topic"),
        ("/topics/a?before=yesterday", "'before' must be a duration before now"),
        ("/topics/a?id=a%00b", "'id' contains"),
        ("/topics/*", "topic"),
    ] {
        let answer = server.delete(target, "").await;
        assert!(answer.status == 400 && answer.body.contains(detail), "{target}: {}", answer.body);
    }
    assert_eq!(server.shown("/topics/a").await, "1");
    let off = serve().await;
    off.publish("/topics/a", "1").await;
    assert_eq!(off.delete("/topics/a", "").await.status, 405);
    assert_eq!(off.shown("/topics/a").await, "1");
}

/// A token erases what it may publish as a whole. A cookie needs the origin that it needs to publish.
#[tokio::test]
async fn only_what_may_be_published_is_erased() {
    let key = SigningKey::hs256(b"a secret of at least thirty-two bytes").unwrap();
    let keys = TrustedKeys {
        publisher_keys: key.verification().into(),
        subscriber_keys: key.verification().into(),
        issuers: vec![],
    };
    let auth = AuthSettings {
        anonymous: true,
        keys: keys.into(),
        publish_origins: vec!["http://good.example".into()],
        ..AuthSettings::closed(Url::parse(HUB).unwrap())
    };
    let server = serve_as(Authenticator::new(auth), |settings| settings.allow_erase = true).await;
    let token = |publish: &[&str]| {
        let publish = publish.iter().map(|&topic| topic.to_owned()).collect();
        LegacyToken { publish, subscribe: vec![], payload: None, expires_at: None }.sign(&key)
    };
    let all = format!("Authorization: Bearer {}\r\n", token(&["*"]));
    for target in ["/topics/a", "/topics/a?topic=b", "/topics/b"] {
        assert_eq!(server.post(target, &all, "x").await.status, 200);
    }
    let (own, other) = (token(&["a"]), token(&["c"]));
    assert_eq!(server.delete("/topics/a", "").await.status, 401);
    assert_eq!(server.delete("/topics/a", &format!("Authorization: Bearer {other}\r\n")).await.status, 403);
    let cookie = |origin: &str| format!("Cookie: mercureAuthorization={own}\r\nOrigin: {origin}\r\n");
    assert_eq!(server.delete("/topics/a", &cookie("http://evil.example")).await.status, 403);
    assert_eq!(server.shown("/topics/a").await, "x x");
    let answer = server.delete("/topics/a", &cookie("http://good.example")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "{\"erased\":1,\"kept\":1}\n"), "{}", answer.body);
    assert_eq!((server.shown("/topics/a").await, server.shown("/topics/b").await), ("x".to_owned(), "x x".to_owned()));
}

#[tokio::test]
async fn an_update_may_expire() {
    let server = serve().await;
    let mut live = server.subscribe("/topics/a", "").await;
    server.publish("/topics/a?ttl=500ms", "short").await;
    let form = "topic=a&data=form&ttl=500ms";
    assert_eq!(server.form("", form).await.status, 200);
    server.publish("/topics/a?ttl=1h", "long").await;
    assert_eq!(data(&live.events(3).await), ["short", "form", "long"]);
    assert_eq!(server.shown("/topics/a").await, "short form long");
    sleep(Duration::from_millis(600)).await;
    assert_eq!(server.shown("/topics/a").await, "long");
    for value in ["soon", "-1s", ""] {
        assert_eq!(server.post(&format!("/topics/a?ttl={value}"), "", "x").await.status, 400, "{value}");
    }
}

/// Only those who would have received what the retention of its topics has discarded are told that it is gone.
#[tokio::test]
async fn who_would_have_received_what_was_discarded_is_told() {
    let topics = vec![TopicRetention { topics: Matcher::legacy_selector("chat/{x}").unwrap(), age_ms: 2_000 }];
    let retention = Retention { topics, ..Retention::default() };
    let dir = tempfile::tempdir().unwrap();
    let disk = SegmentLog::open(dir.path(), retention.clone()).unwrap();
    for log in [Arc::new(MemoryLog::new(retention)) as Arc<dyn Log>, Arc::new(disk)] {
        let server = serve_over(log, Authenticator::open(), |_| {}).await;
        let first = server.publish("/topics/a", "1").await;
        server.publish("/topics/chat%2F1", "hello").await;
        server.publish("/topics/a", "2").await;
        assert_eq!(server.shown("/topics/chat%2F1").await, "hello");
        sleep(Duration::from_millis(2_200)).await;
        server.publish("/topics/chat%2F1", "again").await;
        let behind = |target: &str| format!("{target}&until=now&last_event_id={}", first.replace('#', "%23"));
        let cases = [
            ("/topics?topic=a", 0, "2"),
            ("/topics?topic=chat%2F1", 1, "again"),
            ("/topics?topic=chat%2F2", 0, ""),
            ("/topics?topic=a&topic=chat%2F1", 1, "2 again"),
        ];
        for (target, gaps, expected) in cases {
            let answer = server.get(&behind(target), "").await;
            assert_eq!(answer.body.matches("event: fanfare.gap").count(), gaps, "{target}: {}", answer.body);
            let mut updates = answer.updates();
            updates.retain(|event| !event.contains("fanfare.gap"));
            assert_eq!(data(&updates).join(" "), expected, "{target}");
        }
        server.stop().await;
    }
}
