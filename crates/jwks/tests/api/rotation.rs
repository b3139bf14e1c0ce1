//! Keys change, and the server that has them is away at times.
use crate::issuer::{Issuer, http, kids, set, timing};
use fanfare_jwks::Timing;
use fanfare_server::auth::KeySource as _;
use std::time::Duration;

#[tokio::test]
async fn new_keys_come_when_they_are_asked_for() {
    let issuer = Issuer::answering(set(&["old"], "")).await;
    let source = issuer.source(timing());
    source.ready().await.unwrap();
    assert_eq!(kids(&source), ["old"]);
    issuer.answer(set(&["old", "new"], ""));
    assert_eq!(kids(&source), ["old"], "nobody has asked yet");
    assert!(source.refresh().await);
    assert_eq!(kids(&source), ["old", "new"]);
    issuer.answer(set(&["new"], ""));
    assert!(source.refresh().await);
    assert_eq!(kids(&source), ["new"]);
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let issuer = Issuer::answering(set(&["old"], "etag: \"1\"\r\n")).await;
    let source = issuer.source(timing());
    source.ready().await.unwrap();
    issuer.answer(http("304 Not Modified", "", ""));
    assert!(!source.refresh().await);
    assert_eq!(kids(&source), ["old"]);
    let [first, second] = &issuer.requests()[..] else { panic!("two requests") };
    assert!(first.starts_with("get /jwks.json http/1.1\r\n") && !first.contains("if-none-match"), "{first}");
    assert!(second.contains("if-none-match: \"1\"\r\n"), "{second}");
}

#[tokio::test]
async fn old_keys_hold_while_the_server_fails() {
    let issuer = Issuer::answering(set(&["old"], "")).await;
    let source = issuer.source(timing());
    source.ready().await.unwrap();
    for failure in [http("503 Service Unavailable", "", ""), http("200 OK", "", "nonsense"), String::new()] {
        issuer.answer(failure);
        assert!(!source.refresh().await);
        assert_eq!(kids(&source), ["old"]);
    }
    issuer.answer(set(&["new"], ""));
    assert!(source.refresh().await);
    assert_eq!(kids(&source), ["new"]);
}

#[tokio::test]
async fn keys_do_not_hold_for_ever_without_their_server() {
    let issuer = Issuer::answering(set(&["old"], "")).await;
    let mut timing = timing();
    timing.max_stale = Duration::ZERO;
    let source = issuer.source(timing);
    source.ready().await.unwrap();
    // A moment has passed since, and that is longer than zero.
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(kids(&source), [""; 0]);
}

/// A set that is too old is not used, and yet the server may confirm it.
#[tokio::test]
async fn a_server_that_comes_back_confirms_its_old_keys() {
    let mut issuer = Issuer::answering(set(&["old"], "etag: \"1\"\r\n")).await;
    let source = issuer.source(timing());
    source.ready().await.unwrap();
    issuer.answer(http("503 Service Unavailable", "", ""));
    // While this time passes, the source fetches by itself, and fails.
    tokio::time::pause();
    tokio::time::advance(Timing::default().max_stale + Duration::from_secs(1)).await;
    tokio::time::resume();
    issuer.asked(2).await;
    while !source.fails() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(kids(&source), [""; 0], "they are too old");
    issuer.answer(http("304 Not Modified", "", ""));
    assert!(source.refresh().await, "keys that are in use again are a change");
    assert_eq!(kids(&source), ["old"]);
    assert!(issuer.requests().last().unwrap().contains("if-none-match: \"1\"\r\n"), "{:?}", issuer.requests());
    assert!(!source.refresh().await, "nothing has changed since");
}

#[tokio::test]
async fn a_server_that_was_away_at_the_start_is_asked_again() {
    let mut issuer = Issuer::answering(http("500 Internal Server Error", "", "")).await;
    let mut timing = Timing::default();
    timing.retry_interval = Duration::from_millis(1);
    let source = issuer.source(timing);
    assert!(source.ready().await.is_err() && kids(&source).is_empty());
    issuer.asked(2).await;
    issuer.answer(set(&["new"], ""));
    tokio::time::timeout(Duration::from_secs(20), source.filled()).await.unwrap();
    assert_eq!(kids(&source), ["new"]);
}

/// Anybody can send tokens with unknown keys; the server does not feel it.
#[tokio::test]
async fn many_who_ask_cause_one_fetch_and_the_next_none() {
    let issuer = Issuer::answering(set(&["old"], "")).await;
    let source = issuer.source(Timing::default());
    source.ready().await.unwrap();
    issuer.answer(set(&["new"], ""));
    assert!(!source.refresh().await, "it was fetched a moment ago");
    assert_eq!(issuer.requests().len(), 1);

    let source = issuer.source(timing());
    source.ready().await.unwrap();
    issuer.answer(set(&["newer"], ""));
    let asked = tokio::join!(source.refresh(), source.refresh(), source.refresh());
    assert_eq!(asked, (true, true, true));
    assert_eq!(issuer.requests().len(), 3);
}

#[tokio::test]
async fn fetching_ends_with_the_source() {
    let mut issuer = Issuer::answering(http("500 Internal Server Error", "", "")).await;
    let mut timing = timing();
    timing.retry_interval = Duration::from_millis(1);
    let source = issuer.source(timing);
    issuer.asked(2).await;
    drop(source);
    // One may be under way; then silence, however long.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let after = issuer.requests().len();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(issuer.requests().len(), after);
}

/// Streams end when their key is taken away, and not when nobody can say whether it was.
#[tokio::test]
async fn a_key_is_away_only_when_the_issuer_has_said_so() {
    let issuer = Issuer::answering(set(&["a"], "")).await;
    let other = issuer.source(timing());
    other.ready().await.unwrap();
    let key = other.keys()[0].clone();

    let mut issuer = Issuer::answering(http("503 Service Unavailable", "", "")).await;
    let mut timing = timing();
    timing.min_refetch_interval = Duration::from_millis(50);
    timing.max_stale = Duration::ZERO;
    let source = issuer.source(timing);
    assert!(source.ready().await.is_err());
    assert!(source.may_have(&key), "it has never answered");
    issuer.answer(set(&["another name"], ""));
    source.fetch_again();
    source.filled().await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(kids(&source), [""; 0], "they are too old");
    assert!(source.may_have(&key), "keys that are too old were not taken away");
    // The issuer was asked a moment ago, so it is asked a moment later.
    let without = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}]}"#;
    issuer.answer(http("200 OK", "", without));
    let asked = issuer.requests().len();
    source.fetch_again();
    issuer.asked(asked + 1).await;
    let begun = std::time::Instant::now();
    while source.may_have(&key) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the key is still there");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
