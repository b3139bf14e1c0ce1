//! The budgets of all subscriptions together, for what the hub holds for single subscribers.
use super::fixture::*;
use fanfare_hub::{
    Hub, HubLimits,
    audience_key::AudienceKey,
    budget::{Budget, Budgets, Taken},
    log::{LogError, MemoryLog, Retention},
    subscription::Start,
    topic::matcher::Matcher,
};
use std::sync::Arc;
use tokio::time::{Instant, sleep};

const EVENTS: usize = 10;

/// Returns a hub with this memory for subscriptions without a token, and with 10 updates of 1,000 bytes in its log.
async fn hub_with(bytes: usize) -> Hub {
    let mut limits = HubLimits::default();
    let all = Budgets::default().all;
    limits.budgets = Budgets { anonymous: Budget { bytes, ..all }, all };
    let hub = Hub::start(Arc::new(MemoryLog::new(Retention::default())), &limits).unwrap();
    publish(&hub, (0..EVENTS).map(|_| update(&["a"], &"x".repeat(1_000)))).await;
    hub
}

fn of_stranger(hub: &Hub) -> AudienceKey {
    let key = AudienceKey { is_anonymous: true, ..key([Matcher::exact("a").unwrap()]) };
    hub.admit(key).unwrap()
}

async fn wait_until_nothing_is_taken(hub: &Hub) {
    let began = Instant::now();
    while hub.taken() != Taken::default() {
        assert!(began.elapsed() < PATIENCE, "{:?} is never given back", hub.taken());
        sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_read_for_a_subscriber_counts_until_it_is_sent() {
    let hub = hub_with(1 << 20).await;
    for start in [Start::After("earliest".into()), Start::Newest(EVENTS)] {
        let mut stream = join(&hub, of_stranger(&hub), start.clone()).await;
        let run = stream.next().await.unwrap().unwrap();
        let taken = hub.taken();
        assert!(taken.anonymous.buffers >= run.len() && run.len() > 1_000, "{taken:?} for {} bytes", run.len());
        drop(run);
        assert_eq!(hub.taken().all.buffers, 0, "{start:?}");
        drop(stream);
        wait_until_nothing_is_taken(&hub).await;
    }
}

/// Checks that these bytes tell a subscriber to come back later, and to continue after this ID.
fn tells_to_come_back(told: &[u8], id: &str) {
    let text = str::from_utf8(told).unwrap();
    let (retry, rest) = text.strip_prefix("event: fanfare.end\nretry: ").expect(text).split_once('\n').unwrap();
    assert!((30_000..=121_000).contains(&retry.parse::<u64>().unwrap()), "{text}");
    assert_eq!(rest, format!("id: {id}\ndata: {{\"reason\":\"later\"}}\n\n"));
}

/// Events beyond the budget are not sent, and the subscriber learns that its stream has ended.
#[tokio::test]
async fn a_stream_ends_if_what_is_read_for_it_would_exceed_the_budget() {
    let hub = hub_with(8_000).await;
    let mut stream = join(&hub, of_stranger(&hub), Start::After("earliest".into())).await;
    let first = hub.open(key([Matcher::any()]), Start::After("earliest".into())).await.unwrap().place();
    tells_to_come_back(&stream.next().await.unwrap().unwrap(), &first);
    let ended = stream.next().await.unwrap();
    assert!(matches!(ended, Err(LogError::OverBudget(over)) if over.is_anonymous && over.limit == 8_000), "{ended:?}");
    assert!(stream.next().await.is_none());
    let opening = hub.open(of_stranger(&hub), Start::After("earliest".into())).await.unwrap().without_start_events();
    let mut replay = opening.replay(true).await;
    tells_to_come_back(&replay.next().await.unwrap().unwrap(), &first);
    let ended = replay.next().await;
    assert!(
        matches!(ended, Err(LogError::OverBudget(_))),
        "a replay that is not complete does not end like one: {ended:?}"
    );
    drop(replay);
    let rewound = hub.open(of_stranger(&hub), Start::Newest(EVENTS)).await;
    assert!(matches!(rewound, Err(LogError::OverBudget(_))), "{rewound:?}");
    let unknown = hub.open(of_stranger(&hub), Start::After("x".repeat(8_000))).await;
    assert!(matches!(unknown, Err(LogError::OverBudget(_))), "the gap event would have this ID: {unknown:?}");
    drop(stream);
    wait_until_nothing_is_taken(&hub).await;
    // A subscriber with a token has another budget, and so has an audience that was not admitted.
    let key = key([Matcher::exact("a").unwrap()]);
    for key in [hub.admit(key.clone()).unwrap(), key] {
        let mut stream = join(&hub, key, Start::After("earliest".into())).await;
        assert_eq!(receive(&mut stream, EVENTS).await.len(), EVENTS);
    }
}
