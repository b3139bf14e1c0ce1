//! Publishes the time once a second, so that a new hub has events before anybody else publishes.
use fanfare_hub::{
    Hub,
    log::writer::AppendError,
    topic::Topic,
    update::{Update, UpdateFields},
};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// The topic under which the time is published.
const TOPIC: &str = "clock";
const INTERVAL: Duration = Duration::from_secs(1);

/// Publishes the time at each full second, until the hub has ended.
pub(super) async fn tick(hub: Hub) {
    let topic = Topic::new(TOPIC).expect("a valid topic");
    let mut ticks = interval_at(next_second(), INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let data = format!("{:.0}", Timestamp::now());
        let fields = UpdateFields { topics: vec![topic.clone()], data, ..UpdateFields::default() };
        let update = Update::new(fields).expect("a topic and a time are a valid update");
        match hub.publish(vec![update]).await {
            Ok(_) => {}
            Err(AppendError::Closed) => return,
            // The error may pass, for example if the disk is full and has room later. So the clock goes on.
            Err(error) => tracing::warn!("the time was not published: {error}"),
        }
    }
}

fn next_second() -> Instant {
    let passed_ms = Timestamp::now().as_millisecond().rem_euclid(1_000).unsigned_abs();
    Instant::now() + INTERVAL - Duration::from_millis(passed_ms)
}
