//! The hub's own namespace is published by nobody, whichever way an update comes, so that no subscriber can be sent
//! forged presence.
use super::tokens::{self, ISSUER, bearer, key, serve_trusting};
use fanfare_server::auth::{TrustedIssuer, TrustedKeys};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

fn legacy() -> String {
    bearer(&tokens::legacy(&["*"], &[]).sign(&key(0)))
}

fn modern() -> String {
    bearer(&tokens::modern(&["*"], &[]).sign(&key(0)))
}

/// Some lead there, some only say so, some are no URL at all.
const RESERVED: [&str; 13] = [
    "/.well-known/mercure/subscriptions/a/b",
    "https://other.example/.well-known/mercure/subscriptions/a/b",
    "https://other.example/x/../.well-known/./mercure",
    "/.well-known/%6Dercure/subscriptions/a/b",
    "/.well-known/%256Dercure/subscriptions/a/b",
    "/.well-known%2fmercure",
    "https://other.example\\.well-known\\mercure\\subscriptions",
    "mercure/subscriptions/a/b",
    "https://other.example/?/.well-known/mercure/subscriptions/a/b",
    "https://other.example/#/.well-known/mercure/subscriptions/a/b",
    "https://other.example/x/.well-known/mercure/subscriptions/a/b",
    "urn:x:/.well-known/mercure/subscriptions/a/b",
    "http://[/.well-known/mercure/subscriptions/a/b",
];

#[tokio::test]
async fn no_way_of_publishing_reaches_the_namespace() {
    let trusted = TrustedKeys {
        publisher_keys: key(0).verification().into(),
        subscriber_keys: key(0).verification().into(),
        issuers: vec![TrustedIssuer::new(ISSUER, key(0).verification().into())],
    };
    let server = serve_trusting(false, trusted).await;
    for (token, status) in [(legacy(), 403), (modern(), 400)] {
        for topic in RESERVED {
            let escaped = utf8_percent_encode(topic, NON_ALPHANUMERIC).to_string();
            let stream = format!("{token}Content-Type: text/event-stream\r\n");
            let lines = format!("{token}Content-Type: application/x-ndjson\r\n");
            let answers = [
                server.form(&token, &format!("topic={escaped}&data=x")).await,
                server.form(&token, &format!("topic=a&topic={escaped}&private")).await,
                server.post(&format!("/topics/{escaped}"), &token, "x").await,
                server.post(&format!("/topics/a?topic={escaped}"), &token, "x").await,
                server.post(&format!("/topics/a?topic={escaped}"), &lines, "x\ny\n").await,
                server.post(&format!("/topics/{escaped}"), &stream, "data: x\n\ndata: y\n\n").await,
            ];
            for (way, answer) in answers.iter().enumerate() {
                assert_eq!(answer.status, status, "{topic}, way {way}: {}", answer.body);
            }
        }
        for near in ["/.well-known/mercury", "/books/%6Dercure", "../mercure/x", "http://[", "a text"] {
            let escaped = utf8_percent_encode(near, NON_ALPHANUMERIC);
            assert_eq!(server.form(&token, &format!("topic={escaped}")).await.status, 200, "{near}");
        }
    }
    // It is another name, to the revision that asks where a topic leads.
    assert_eq!(server.form(&modern(), "topic=/.well-known/mercure-news").await.status, 200);
    assert_eq!(server.hub.bounds().head.0, 11, "nothing else was published");
}
