//! Readers that find nothing do not hold up those that find something.
use crate::{
    fixture::*,
    obstructed_log::{ObstructedLog, Use},
};
use fanfare_hub::{Hub, HubLimits, audience_key::AudienceKey, subscription::Start, topic::matcher::Matcher};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::time::timeout;

/// Returns a hub on whose log each read takes time, and the number of reads.
fn with_slow_reads() -> (Hub, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = reads.clone();
    let log = ObstructedLog::new(move |what| {
        if matches!(what, Use::Read(_)) {
            counted.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    });
    (Hub::start(log, &HubLimits::default()).unwrap(), reads)
}

fn pattern(text: &str) -> AudienceKey {
    key([Matcher::legacy_selector(text).unwrap()])
}

/// Strangers ask for patterns that nothing matches, from the beginning of a long log. Whoever comes later and finds
/// something need not wait until all of them have had their next turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_resume_does_not_wait_for_strangers_who_find_nothing() {
    const STRANGERS: usize = 100;
    let (hub, reads) = with_slow_reads();
    for _ in 0..20 {
        hub.publish((0..10_000).map(|_| update(&["/b/1"], "")).collect()).await.unwrap();
    }
    let mut strangers = Vec::new();
    for number in 0..STRANGERS {
        strangers.push(join(&hub, pattern(&format!("/nobody-{number}/{{x}}")), after("earliest")).await);
    }
    // Their first steps, of which each reads 32 times.
    while reads.load(Ordering::SeqCst) < STRANGERS * 80 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = reads.load(Ordering::SeqCst);
    let mut subscription = join(&hub, pattern("/b/{x}"), after("earliest")).await;
    let first = timeout(PATIENCE, subscription.next()).await.expect("an event").unwrap().unwrap();
    assert!(str::from_utf8(&first).unwrap().contains("data: "));
    let later = reads.load(Ordering::SeqCst) - before;
    assert!(later < 10 * 32, "the others have read {later} times until the first event");
    drop(strangers);
}

/// Strangers ask for the newest updates of patterns that nothing matches. Somebody who finds something far from the
/// beginning of the log takes turns with them.
#[tokio::test(flavor = "multi_thread")]
async fn a_resume_does_not_wait_for_whole_searches_that_find_nothing() {
    let (hub, reads) = with_slow_reads();
    for _ in 0..10 {
        hub.publish((0..10_000).map(|_| update(&["/b/1"], "")).collect()).await.unwrap();
    }
    publish(&hub, [update(&["/rare/1"], "found")]).await;
    let mut searches = Vec::new();
    for stranger in 0..2 {
        let hub = hub.clone();
        let texts = (0..10).map(|number| format!("/nobody-{stranger}-{number}/{{x}}"));
        let wanted = key(texts.map(|text| Matcher::legacy_selector(&text).unwrap()));
        searches.push(tokio::spawn(async move { hub.open(wanted, Start::Newest(1)).await.unwrap() }));
    }
    // One of these searches reads 1,960 times.
    while reads.load(Ordering::SeqCst) < 100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let before = reads.load(Ordering::SeqCst);
    let mut subscription = join(&hub, pattern("/rare/{x}"), after("earliest")).await;
    let first = timeout(PATIENCE, subscription.next()).await.expect("an event").unwrap().unwrap();
    assert!(str::from_utf8(&first).unwrap().contains("data: found"));
    let later = reads.load(Ordering::SeqCst) - before;
    assert!(later < 1_500, "{later} reads until the event that stands after 196 of them");
    assert!(searches.iter().any(|search| !search.is_finished()), "the strangers are still searching");
    searches.iter().for_each(|search| search.abort());
}

/// Many strangers search for the newest updates of patterns. Somebody with a token who comes later does not wait for all
/// of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_with_a_token_does_not_wait_for_all_strangers() {
    const STRANGERS: usize = 300;
    let (hub, reads) = with_slow_reads();
    for _ in 0..20 {
        hub.publish((0..10_000).map(|_| update(&["/b/1"], "")).collect()).await.unwrap();
    }
    let searches: Vec<_> = (0..STRANGERS)
        .map(|number| {
            let hub = hub.clone();
            let wanted = AudienceKey { is_anonymous: true, ..pattern(&format!("/nobody-{number}/{{x}}")) };
            tokio::spawn(async move { hub.open(wanted, Start::Newest(1)).await.unwrap() })
        })
        .collect();
    // Most of them wait by now: each of their first steps reads many times.
    while reads.load(Ordering::SeqCst) < 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let before = reads.load(Ordering::SeqCst);
    let opening = timeout(PATIENCE, hub.open(pattern("/b/{x}"), Start::Newest(1))).await.expect("an answer");
    let later = reads.load(Ordering::SeqCst) - before;
    assert!(later < STRANGERS * 10, "the strangers have read {later} times until the answer");
    drop(opening.unwrap());
    searches.iter().for_each(|search| search.abort());
}
