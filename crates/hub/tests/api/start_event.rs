//! The place that a subscriber is told of before any update, and later in heartbeats: it is enough to resume without a
//! loss.
use crate::fixture::*;
use fanfare_hub::{
    Hub, HubLimits,
    audience_key::AudienceKey,
    log::{LogError, Retention, SegmentLog},
    mailbox::{MAILBOX_BUNDLES, Mailbox, PartKey},
    position::Offset,
    representation::Representation,
    subscription::{Start, Subscription},
    topic::{Topic, matcher::Matcher},
    update::{Update, UpdateFields},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::time::{advance, timeout};

const INTERVAL: Duration = Duration::from_secs(20);

fn of(topic: &str, representation: Representation) -> AudienceKey {
    AudienceKey { representation, ..key([Matcher::exact(topic).unwrap()]) }
}

async fn begin(hub: &Hub, topic: &str, start: Start) -> Subscription {
    hub.subscribe(of(topic, Representation::EventStream), start).await.unwrap()
}

fn start_event(place: &str) -> String {
    format!("event: fanfare.start\nid: {place}\ndata: {{\"place\":\"{place}\"}}")
}

/// Returns the place of a start event.
fn place_of(event: &str) -> String {
    let place = event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    assert_eq!(event, start_event(place));
    place.to_owned()
}

async fn first_place(subscription: &mut Subscription) -> String {
    place_of(&receive(subscription, 1).await[0])
}

fn with_id(id: &str) -> Update {
    let topics = vec![Topic::new("a").unwrap()];
    Update::new(UpdateFields { topics, id: Some(id.to_owned()), ..UpdateFields::default() }).unwrap()
}

#[tokio::test]
async fn the_place_is_a_position_wherever_the_stream_begins() {
    let hub = hub(8);
    let empty = first_place(&mut begin(&hub, "a", Start::Now).await).await;
    assert!(empty.starts_with('#') && empty.ends_with("-0"), "{empty}");
    let epoch = empty.strip_suffix("0").unwrap();
    hub.publish(vec![with_id("own"), with_id("other")]).await.unwrap();
    for (start, offset) in [
        (Start::Now, 2),
        (after("earliest"), 0),
        (after("own"), 1),
        (after(&format!("{epoch}1")), 1),
        (Start::AfterEither("nobody's".into(), "own".into()), 1),
        (Start::Since(fanfare_hub::entry::Timestamp(0)), 0),
    ] {
        let place = first_place(&mut begin(&hub, "a", start.clone()).await).await;
        assert_eq!(place, format!("{epoch}{offset}"), "{start:?}");
    }
}

#[tokio::test]
async fn each_event_stream_begins_with_its_place_and_lines_of_json_do_not() {
    let hub = hub(8);
    let ids = publish(&hub, [update(&["a"], "1")]).await;
    let envelope = hub.subscribe(of("a", Representation::Envelope), Start::Now).await;
    assert_eq!(first_place(&mut envelope.unwrap()).await, ids[0]);
    let mut lines = hub.subscribe(of("a", Representation::JsonLines), Start::Now).await.unwrap();
    let plain = hub.open(of("a", Representation::EventStream), Start::Now).await.unwrap();
    let mut plain = plain.without_start_events().subscribe().await;
    assert!(is_quiet(&mut lines) && is_quiet(&mut plain));
    let mut opening = hub.open(of("a", Representation::JsonLines), Start::Now).await.unwrap();
    assert_eq!(opening.place(), ids[0]);
}

#[tokio::test]
async fn a_gap_comes_before_the_place_where_the_stream_goes_on() {
    let hub = hub(8);
    let ids = publish(&hub, [update(&["a"], "1")]).await;
    let events = receive(&mut begin(&hub, "a", after("nobody's")).await, 3).await;
    let floor = ids[0].replace("-1", "-0");
    assert!(events[0].starts_with(&format!("event: fanfare.gap\nid: {floor}\n")), "{}", events[0]);
    assert_eq!(events[1], start_event(&floor));
    assert!(events[2].ends_with("data: 1"), "{}", events[2]);
}

/// A subscriber that resumes at the place before a rewind gets the whole rewind.
#[tokio::test]
async fn a_rewind_begins_with_the_place_before_its_first_update() {
    for (updates, wanted) in [(4, 3), (200, 150)] {
        let hub = hub(8);
        let data: Vec<_> = (0..updates).map(|number| format!("{number} {}", "x".repeat(1_000))).collect();
        let ids = publish(&hub, data.iter().map(|data| update(&["a"], data))).await;
        let mut rewound = begin(&hub, "a", Start::Newest(wanted)).await;
        let events = receive(&mut rewound, 1 + wanted).await;
        let place = place_of(&events[0]);
        assert_eq!(place, ids[updates - wanted - 1]);
        assert!(events[1..].iter().zip(&data[updates - wanted..]).all(|(event, data)| event.ends_with(data)));
        let mut again = begin(&hub, "a", after(&place)).await;
        assert_eq!(receive(&mut again, 1 + wanted).await, events);
    }
    let hub = hub(8);
    let ids = publish(&hub, [update(&["b"], "1")]).await;
    assert_eq!(first_place(&mut begin(&hub, "a", Start::Newest(3)).await).await, ids[0], "there is nothing to rewind");
}

#[tokio::test]
async fn a_replay_ends_with_the_place_that_it_has_reached() {
    let hub = hub(8);
    let ids = publish(&hub, ["a", "b", "b"].map(|topic| update(&[topic], "1"))).await;
    let replayed = async |hub: &Hub, representation, start, tells_end| {
        let mut replay = hub.open(of("a", representation), start).await.unwrap().replay(tells_end).await;
        let mut text = String::new();
        while let Some(bytes) = replay.next().await.unwrap() {
            text.push_str(str::from_utf8(&bytes).unwrap());
        }
        text
    };
    let end = format!("event: fanfare.end\nid: {}\ndata: {{\"reason\":\"now\"}}\n\n", ids[2]);
    let floor = ids[0].replace("-1", "-0");
    let all = replayed(&hub, Representation::EventStream, after("earliest"), true).await;
    assert_eq!(all, format!("{}\n\nid: {}\ndata: 1\n\n{end}", start_event(&floor), ids[0]));
    let none = replayed(&hub, Representation::EventStream, after(&ids[0]), true).await;
    assert_eq!(none, format!("{}\n\n{end}", start_event(&ids[0])), "nothing of its topic, and yet it gets on");
    let none = replayed(&hub, Representation::JsonLines, after(&ids[0]), false).await;
    assert_eq!(none, "");
    let line = replayed(&hub, Representation::JsonLines, after(&ids[0]), true).await;
    assert!(line.starts_with(&format!("{{\"id\":\"{}\",", ids[2])) && line.contains("fanfare.end"), "{line}");
    assert_eq!(line.lines().count(), 1);
}

/// Opens the log, as soon as the hub before it has closed it.
async fn opened(dir: &Path) -> Hub {
    let open = async {
        loop {
            match SegmentLog::open(dir, Retention::default()) {
                Ok(log) => return Hub::start(Arc::new(log), &HubLimits::default()).unwrap(),
                Err(LogError::InUse) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    timeout(PATIENCE, open).await.expect("the log is closed soon after its hub is gone")
}

/// The subscriber whose connection broke knows the place from the start event alone. An empty log gives its position
/// the same name whenever it is opened.
#[tokio::test]
async fn a_break_before_the_first_update_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let empty = first_place(&mut begin(&opened(dir.path()).await, "a", Start::Now).await).await;
    for number in 0..3 {
        let hub = opened(dir.path()).await;
        let place = first_place(&mut begin(&hub, "a", Start::Now).await).await;
        assert_eq!(place == empty, number == 0, "{place}");
        publish(&hub, [update(&["b"], "1"), update(&["a"], &number.to_string())]).await;
        drop(hub);
        let hub = opened(dir.path()).await;
        for (place, first) in [(place, number), (empty.clone(), 0)] {
            let events = receive(&mut begin(&hub, "a", after(&place)).await, 2 + number - first).await;
            assert_eq!(place_of(&events[0]), place, "there is no gap");
            let data: Vec<_> = events[1..].iter().map(|event| event.rsplit("data: ").next().unwrap()).collect();
            assert_eq!(data, (first..=number).map(|number| number.to_string()).collect::<Vec<_>>());
        }
    }
}

/// The place is the position at which the subscriber joins its audience: it gets everything after the place, and
/// nothing before it.
#[tokio::test]
async fn what_is_published_between_opening_and_joining_is_after_the_place_or_before_it() {
    for fixes_the_place in [false, true] {
        let hub = hub(8);
        publish(&hub, [update(&["a"], "before")]).await;
        let mut opening = hub.open(of("a", Representation::EventStream), Start::Now).await.unwrap();
        let fixed = fixes_the_place.then(|| opening.place());
        let ids = publish(&hub, [update(&["a"], "between")]).await;
        let mut subscription = opening.subscribe().await;
        publish(&hub, [update(&["a"], "after")]).await;
        let events = receive(&mut subscription, if fixes_the_place { 3 } else { 2 }).await;
        let place = place_of(&events[0]);
        assert_eq!(place, fixed.unwrap_or_else(|| ids[0].clone()));
        assert_eq!(receive(&mut begin(&hub, "a", after(&place)).await, events.len()).await, events);
    }
}

/// Waits until the router has handed out the entry with the offset `until`: it does so after the publisher has its
/// answer.
fn routed(mailbox: &Mailbox, until: Offset) {
    let begun = std::time::Instant::now();
    while mailbox.routed() < until {
        assert!(begun.elapsed() < PATIENCE, "the router has handed out {} of {until}", mailbox.routed());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Lets a heartbeat become due, and returns it.
async fn heartbeat(subscription: &mut Subscription) -> String {
    advance(INTERVAL).await;
    subscription.expire(INTERVAL);
    let bytes = timeout(PATIENCE, subscription.next()).await.unwrap().unwrap().unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A tenth of what is held may pass before a heartbeat tells the new place.
#[tokio::test(start_paused = true)]
async fn a_quiet_stream_is_told_newer_places() {
    let hub = hub_keeping(8, Retention { count: Some(100), ..Retention::default() });
    let mailbox = hub.mailbox(|| {});
    publish(&hub, (0..100).map(|_| update(&["b"], ""))).await;
    let mut quiet = begin(&hub, "a", Start::Now).await;
    let mut lines = hub.subscribe(of("a", Representation::JsonLines), Start::Now).await.unwrap();
    let old = first_place(&mut quiet).await;
    publish(&hub, (0..9).map(|_| update(&["b"], ""))).await;
    routed(&mailbox, Offset(109));
    assert_eq!(heartbeat(&mut quiet).await, ":\n");
    let ids = publish(&hub, [update(&["b"], "")]).await;
    routed(&mailbox, Offset(110));
    assert_eq!(heartbeat(&mut quiet).await, format!("{}\n\n", start_event(&ids[0])));
    assert_eq!(heartbeat(&mut quiet).await, ":\n", "it is told once");
    assert_eq!(heartbeat(&mut lines).await, "\n", "a line of JSON is an update");
    let ids = publish(&hub, (0..95).map(|_| update(&["b"], ""))).await;
    routed(&mailbox, Offset(205));
    assert_eq!(heartbeat(&mut quiet).await, format!("{}\n\n", start_event(&ids[94])));
    assert_eq!(quiet.reached().unwrap(), ids[94]);
    // Without the heartbeats, the subscriber would resume at a place that the log no longer knows for certain.
    advance(Duration::from_secs(5)).await;
    let events = receive(&mut begin(&hub, "a", after(&old)).await, 2).await;
    assert!(events[0].starts_with("event: fanfare.gap\n"), "{}", events[0]);
    assert_eq!(place_of(&receive(&mut begin(&hub, "a", after(&ids[94])).await, 1).await[0]), ids[94]);
}

/// A subscriber that gets updates knows newer places from them.
#[tokio::test(start_paused = true)]
async fn an_update_is_a_place_too() {
    let hub = hub_keeping(8, Retention { count: Some(100), ..Retention::default() });
    publish(&hub, (0..100).map(|_| update(&["b"], ""))).await;
    let mut subscription = begin(&hub, "a", Start::Now).await;
    first_place(&mut subscription).await;
    for _ in 0..5 {
        publish(&hub, (0..6).map(|_| update(&["b"], ""))).await;
        publish(&hub, [update(&["a"], "")]).await;
        publish(&hub, (0..6).map(|_| update(&["b"], ""))).await;
        receive(&mut subscription, 1).await;
        assert_eq!(heartbeat(&mut subscription).await, ":\n");
    }
}

/// The router waits for a full mailbox. An update that it has not handed out yet is after each place that is told.
#[tokio::test(start_paused = true)]
async fn no_place_is_told_beyond_what_the_router_has_handed_out() {
    let hub = hub_keeping(8, Retention { count: Some(100), ..Retention::default() });
    let mut quiet = begin(&hub, "a", Start::Now).await;
    first_place(&mut quiet).await;
    // Nobody empties this mailbox.
    let mailbox = hub.mailbox(|| {});
    let mut opening = hub.open(of("b", Representation::EventStream), Start::Now).await.unwrap();
    opening.admit().await;
    let (joining, permit) = opening.join();
    mailbox.follow(&joining.key, PartKey::default(), permit);
    let mut ids = Vec::new();
    for _ in 0..MAILBOX_BUNDLES {
        ids.extend(publish(&hub, [update(&["b"], "")]).await);
    }
    routed(&mailbox, Offset(MAILBOX_BUNDLES as u64));
    assert_eq!(heartbeat(&mut quiet).await, format!("{}\n\n", start_event(&ids[MAILBOX_BUNDLES - 1])));
    // The log has all of these updates when they are acknowledged. The router waits until the mailbox has room for
    // them.
    ids.extend(publish_at_once(&hub, (0..20).map(|_| update(&["b"], ""))).await);
    assert_eq!(hub.bounds().head, Offset(ids.len() as u64));
    assert_eq!(heartbeat(&mut quiet).await, ":\n", "the head of the log is not a place that it has reached");
    while mailbox.take_bundle().is_some() {}
    routed(&mailbox, hub.bounds().head);
    assert_eq!(heartbeat(&mut quiet).await, format!("{}\n\n", start_event(&ids[ids.len() - 1])));
}

/// Publishes all of `updates` in one batch, and returns their IDs.
async fn publish_at_once(hub: &Hub, updates: impl Iterator<Item = Update>) -> Vec<String> {
    let entries = hub.publish(updates.collect()).await.unwrap();
    entries.iter().map(|entry| entry.id().to_string()).collect()
}
