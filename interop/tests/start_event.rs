//! What the start event is for, and what it must not do, with clients of other people's making and ours: a connection
//! that breaks before the first update loses nothing, and an `onmessage` that is only `JSON.parse(event.data)` never
//! throws if all updates are JSON.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use fanfare_interop::{
    PATIENCE,
    client::Client,
    gate::Gate,
    hub::Hub,
    subscriber::{HandedOver, Received, START_EVENT},
};
use std::{sync::mpsc, thread};

/// How the connection of a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    /// The connection alone.
    Cut,
    /// The hub is killed and started again.
    Killed,
}

/// The breaks before the first update, which is published during the last one. After several breaks, a client has the
/// ID of a start event that it got when it resumed.
const BREAKS: [&[Break]; 3] = [&[Break::Cut], &[Break::Killed], &[Break::Cut, Break::Killed, Break::Cut]];

/// Runs `test` with all clients at once, since some wait for seconds before they reconnect.
fn each_client(test: impl Fn(Client) + Sync) {
    let test = &test;
    let failed: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = Client::ALL.iter().map(|client| (client.name, scope.spawn(|| test(*client)))).collect();
        running.into_iter().filter_map(|(name, thread)| thread.join().is_err().then_some(name)).collect()
    });
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_break_before_the_first_update_loses_nothing() {
    each_client(|client| {
        for breaks in BREAKS {
            misses_nothing(client, breaks);
        }
    });
}

fn misses_nothing(client: Client, breaks: &[Break]) {
    let mut hub = Hub::start();
    hub.publish("news", "before it comes").unwrap();
    let gate = Gate::start(&hub.url);
    let url = format!("{}/topics/news", gate.url);
    thread::scope(|scope| {
        // Some clients make progress only while they are waited for.
        let first = scope.spawn(|| (client.start)(&url, &[]).event());
        let mut missed = String::new();
        for (connection, how) in breaks.iter().enumerate() {
            let _ = gate.wait_for(connection, START_EVENT, 1);
            gate.close();
            if *how == Break::Killed {
                hub.kill();
                hub.restart();
            }
            let is_last = connection + 1 == breaks.len();
            missed = hub.publish(if is_last { "news" } else { "other" }, "missed").unwrap();
            gate.open();
        }
        let wanted = Received { event_type: "message".into(), data: "missed".into(), id: missed };
        assert_eq!(first.join().unwrap(), wanted, "{}, {breaks:?}", client.name);
    });
}

/// The number of updates that the hub keeps. When a tenth of them has passed, a heartbeat tells the new place.
const KEPT: usize = 10;
/// What is published for the page, before it is away and afterwards.
const MESSAGES: [&[&str]; 2] = [&[r#"{"number":1}"#, "\"text\"", "null"], &["{\n  \"title\": \"Größe\"\n}", "[2,\n3]"]];
/// What is published last. It shows that the page does parse.
const END: &str = "not JSON";

#[test]
fn whoever_parses_each_message_as_json_never_fails() {
    each_client(|client| {
        let mut hub = Hub::start_with(&["--retention-count", &KEPT.to_string()]);
        let others = |hub: &Hub| (0..2 * KEPT).for_each(|_| drop(hub.publish("other", "null").unwrap()));
        let publish = |hub: &Hub, all: &[&str]| all.iter().for_each(|data| drop(hub.publish("news", data).unwrap()));
        others(&hub);
        let gate = Gate::start(&hub.url);
        let page = Page::open(client, format!("{}/topics/news", gate.url));
        let _ = gate.wait_for(0, START_EVENT, 1);
        publish(&hub, MESSAGES[0]);
        for heartbeats in 1..=2 {
            others(&hub);
            let _ = gate.wait_for(0, START_EVENT, 1 + heartbeats);
        }
        gate.close();
        others(&hub);
        gate.open();
        let _ = gate.wait_for(1, "fanfare.gap", 1);
        publish(&hub, MESSAGES[1]);
        let mut handed_over = page.read_until(MESSAGES[1].last().unwrap());
        hub.kill();
        hub.restart();
        publish(&hub, &[END]);
        handed_over.extend(page.read_until(END));

        for HandedOver { event, thrown } in &handed_over {
            assert_eq!(!thrown.is_empty(), event.data == END, "{}: {thrown} at {event:?}", client.name);
        }
        let messages = handed_over.iter().map(|one| &one.event).filter(|event| event.event_type == "message");
        let data: Vec<_> = messages.map(|event| &*event.data).collect();
        assert_eq!(data, [MESSAGES[0], MESSAGES[1], &[END]].concat(), "{}", client.name);
        println!("{}: {} events, of which {} are messages", client.name, handed_over.len(), data.len());
    });
}

/// A page that listens to `message` alone. A client without listeners for each type hands over the other events too.
struct Page {
    handed_over: mpsc::Receiver<HandedOver>,
}

impl Page {
    /// Opens the page in a thread of its own, since some clients make progress only while they are waited for.
    fn open(client: Client, url: String) -> Self {
        let (sender, handed_over) = mpsc::channel();
        thread::spawn(move || {
            let mut subscriber = (client.start)(&url, &[]);
            loop {
                let one = subscriber.handed_over();
                let is_last = one.event.data == END;
                // The test may have failed already.
                if sender.send(one).is_err() || is_last {
                    break;
                }
            }
        });
        Self { handed_over }
    }

    /// Returns all that is handed over up to an event with this data.
    fn read_until(&self, data: &str) -> Vec<HandedOver> {
        let mut all = Vec::new();
        while all.last().is_none_or(|one: &HandedOver| one.event.data != data) {
            all.push(self.handed_over.recv_timeout(PATIENCE).unwrap());
        }
        all
    }
}
