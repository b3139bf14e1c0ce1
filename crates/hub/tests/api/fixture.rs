//! A hub over a memory log, and what to say to it.
use fanfare_hub::{
    Hub, HubLimits, WindowLimit,
    audience_key::AudienceKey,
    grant::Matchers,
    log::{MemoryLog, Retention},
    representation::Representation,
    subscription::{Start, Subscription},
    topic::{Topic, matcher::Matcher},
    update::{Update, UpdateFields},
};
use std::{sync::Arc, time::Duration};

/// The longest time that a test waits.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A hub that keeps everything, with windows of this many events.
pub fn hub(window_events: usize) -> Hub {
    hub_keeping(window_events, Retention::default())
}

/// The same, keeping only some.
pub fn hub_keeping(window_events: usize, retention: Retention) -> Hub {
    let mut limits = HubLimits::default();
    limits.window = WindowLimit { events: window_events, ..WindowLimit::default() };
    Hub::start(Arc::new(MemoryLog::new(retention)), &limits).unwrap()
}

pub fn update(topics: &[&str], data: &str) -> Update {
    fields(topics, data, false)
}

pub fn private(topics: &[&str], data: &str) -> Update {
    fields(topics, data, true)
}

fn fields(topics: &[&str], data: &str, private: bool) -> Update {
    let topics = topics.iter().map(|topic| Topic::new(topic).unwrap()).collect();
    Update::new(UpdateFields { topics, data: data.into(), private, ..UpdateFields::default() }).unwrap()
}

/// Publishes one after the other and returns the IDs.
pub async fn publish(hub: &Hub, updates: impl IntoIterator<Item = Update>) -> Vec<String> {
    let mut ids = Vec::new();
    for update in updates {
        let entries = hub.publish(vec![update]).await.unwrap();
        ids.push(entries[0].id().to_string());
    }
    ids
}

pub fn key(matchers: impl IntoIterator<Item = Matcher>) -> AudienceKey {
    AudienceKey::new(matchers.into_iter().collect(), Matchers::default(), Representation::EventStream)
}

/// Subscribes to exact topics, without start events.
pub async fn subscribe(hub: &Hub, topics: &[&str], start: Start) -> Subscription {
    join(hub, key(topics.iter().map(|topic| Matcher::exact(topic).unwrap())), start).await
}

/// Subscribes without start events.
pub async fn join(hub: &Hub, key: AudienceKey, start: Start) -> Subscription {
    hub.open(key, start).await.unwrap().without_start_events().subscribe().await
}

pub fn after(id: &str) -> Start {
    Start::After(id.to_owned())
}

/// Reads until there are `count` events and returns their fields, one string each.
pub async fn receive(subscription: &mut Subscription, count: usize) -> Vec<String> {
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        let run = tokio::time::timeout(PATIENCE, subscription.next()).await;
        let run = run.unwrap_or_else(|_| panic!("nothing more comes after {text:?}")).unwrap().unwrap();
        text.push_str(str::from_utf8(&run).unwrap());
    }
    text.split_terminator("\n\n").map(str::to_owned).collect()
}

/// The same, but only the data of each event.
pub async fn receive_data(subscription: &mut Subscription, count: usize) -> Vec<String> {
    let events = receive(subscription, count).await;
    events.iter().map(|event| event.rsplit("data: ").next().unwrap().to_owned()).collect()
}

/// True if nothing is waiting for the subscriber.
pub fn is_quiet(subscription: &mut Subscription) -> bool {
    let waker = std::task::Waker::noop();
    subscription.poll_next(&mut std::task::Context::from_waker(waker)).is_pending()
}
