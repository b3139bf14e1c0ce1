//! A log that panics harms whoever asked it, and nobody who asks later or elsewhere.
use crate::{
    fixture::*,
    obstructed_log::{ObstructedLog, Use},
};
use fanfare_hub::{
    Hub, HubLimits,
    catch_up::ReadStep,
    ending::EndReason,
    failure::Failure,
    fan_out::Wanted,
    log::LogError,
    mailbox::{Mailbox, PartKey},
    position::Offset,
    subscription::Start,
    topic::matcher::Matcher,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// Returns a hub, and the flag for as long as which its log panics when it is read or asked for an ID.
fn panicking() -> (Hub, Arc<AtomicBool>) {
    let panics = Arc::new(AtomicBool::new(false));
    let told = panics.clone();
    let log = ObstructedLog::new(move |what| {
        if matches!(what, Use::Read(_) | Use::Epochs) && told.load(Ordering::SeqCst) {
            // As a panic, without its message among the test's output.
            resume_unwind(Box::new("told to panic"));
        }
        Ok(())
    });
    (Hub::start(log, &HubLimits::default()).unwrap(), panics)
}

fn wanted(key: &Arc<fanfare_hub::audience_key::AudienceKey>, part: PartKey) -> Wanted {
    Wanted { part, key: key.clone(), cursor: Offset::ZERO, is_barren: false }
}

async fn next_step(mailbox: &Mailbox, woken: &Notify) -> (PartKey, ReadStep) {
    let waits = async {
        loop {
            mailbox.noticed();
            if let Some(step) = mailbox.take_step() {
                return step;
            }
            woken.notified().await;
        }
    };
    timeout(PATIENCE, waits).await.expect("each reading is answered")
}

#[tokio::test]
async fn a_reading_that_panics_is_answered_and_frees_its_turn() {
    let (hub, panics) = panicking();
    publish(&hub, [update(&["a"], "1")]).await;
    let woken = Arc::new(Notify::new());
    let wake = woken.clone();
    let mailbox = hub.mailbox(move || wake.notify_one());
    let key = Arc::new(key([Matcher::exact("a").unwrap()]));

    panics.store(true, Ordering::SeqCst);
    // More than may read at a time, all at once: each that panics makes room for the next.
    let count = u32::try_from(HubLimits::default().concurrent_reads).unwrap() * 2 + 1;
    let parts = (0..count).map(|index| PartKey { index, generation: 1 });
    parts.clone().for_each(|part| mailbox.read(wanted(&key, part)));
    let mut answered = Vec::new();
    for _ in 0..count {
        let (part, step) = next_step(&mailbox, &woken).await;
        assert!(matches!(step, Err(LogError::Io(_))), "{step:?}");
        answered.push(part);
    }
    answered.sort_by_key(|part| part.index);
    assert_eq!(answered, parts.collect::<Vec<_>>(), "each once");

    panics.store(false, Ordering::SeqCst);
    mailbox.read(wanted(&key, PartKey::default()));
    let (_, step) = next_step(&mailbox, &woken).await;
    assert_eq!(step.unwrap().cursor, Offset(1));
}

/// A panic leaves behind a group of subscriptions that cannot be used any more. Its subscriptions can still be dropped,
/// also while another panic unwinds, and the subscriptions of other groups go on.
#[tokio::test]
async fn a_panic_ends_the_subscriptions_of_one_group_alone() {
    let (hub, panics) = panicking();
    publish(&hub, [update(&["a"], "1")]).await;
    let topics: Vec<_> = (0..64).map(|number| number.to_string()).collect();
    let mut others = Vec::new();
    for topic in &topics {
        others.push(subscribe(&hub, &[topic], Start::Now).await);
    }
    let neighbour = subscribe(&hub, &["a"], Start::Now).await;
    let opening = hub.open(key([Matcher::exact("a").unwrap()]), Start::Now).await.unwrap();
    let ends = Some(Instant::now());
    let mut ending = opening.until(ends, Some(EndReason::TokenExpired)).subscribe().await;

    panics.store(true, Ordering::SeqCst);
    let expire = AssertUnwindSafe(|| ending.expire(Duration::from_secs(20)));
    assert!(catch_unwind(expire).is_err(), "it asks the log for an ID");
    assert_eq!(hub.failure(), Some(Failure::Panic("a group of subscriptions")), "later subscriptions would panic too");
    panics.store(false, Ordering::SeqCst);
    publish(&hub, [update(&["a"], "2")]).await;
    let unwinding = catch_unwind(AssertUnwindSafe(|| {
        let _dropped = ending;
        resume_unwind(Box::new("another panic"))
    }));
    assert!(unwinding.is_err());
    drop(neighbour);

    publish(&hub, topics.iter().map(|topic| update(&[topic], "3"))).await;
    let mut received = 0;
    for mut other in others {
        let first = tokio::spawn(async move { other.next().await });
        if let Ok(event) = timeout(PATIENCE, first).await.expect("it gets the event, or panics") {
            assert!(str::from_utf8(&event.unwrap().unwrap()).unwrap().ends_with("data: 3\n\n"));
            received += 1;
        }
    }
    assert!(received > 0, "they are in several groups");
}
