//! SIGKILL at random moments to a relay and to its hub, while the upstream goes on: each event of the upstream gets
//! into the hub exactly once and in order.
//!
//! `TEST_FANFARE_CRASH_ROUNDS=500 cargo test -p fanfare --test faults relay` plays more rounds than the usual twenty.
use crate::{
    hub::Hub,
    peer::{Received, Subscriber},
    upstream::Upstream,
};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const USUAL_ROUNDS: u32 = 20;
const TOPIC: &str = "relayed";

/// `fanfare relay` as its own process, with a state that outlives it.
struct Relay {
    arguments: Vec<String>,
    state: PathBuf,
    child: Child,
}

impl Relay {
    fn start(upstream: &Upstream, hub: &Hub) -> Self {
        let state = std::env::temp_dir().join(format!("fanfare-faults-relay-{}", std::process::id()));
        let hub = format!("http://{}", hub.address);
        let kept = state.to_str().unwrap();
        // From the beginning: what comes before the first connection belongs to it as well.
        let arguments = ["relay", &upstream.url, "-t", TOPIC, "--hub", &hub, "--state", kept, "--last-event-id", "0"];
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { child: spawn(&arguments), arguments, state }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.child = spawn(&self.arguments);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Already gone after a kill that no restart followed.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_file(&self.state));
    }
}

fn spawn(arguments: &[String]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
    command.args(arguments).args(["--reconnect", "always", "--quiet"]).stdin(Stdio::null()).spawn().unwrap()
}

fn rounds() -> u32 {
    std::env::var("TEST_FANFARE_CRASH_ROUNDS").map_or(USUAL_ROUNDS, |rounds| rounds.parse().unwrap())
}

fn pause() {
    thread::sleep(Duration::from_millis(fastrand::u64(20..300)));
}

/// Waits for the last event, and compares all with what the upstream has sent.
fn check(upstream: Upstream, hub: &Hub) {
    let events = upstream.end();
    let mut subscriber = Subscriber::connect(hub.address, TOPIC, Some("earliest")).unwrap();
    let received: Vec<Received> = subscriber.receive_count(events.len());
    println!("{} kills, {} events", rounds(), events.len());
    assert!(events.len() > 10 * rounds() as usize, "too little happened to prove anything");
    for (place, (event, received)) in events.iter().zip(&received).enumerate() {
        let wanted = (&event.event_type, &event.data, event.id.as_ref().unwrap_or(&received.id));
        assert_eq!((&received.event_type, &received.data, &received.id), wanted, "the event at {place}");
    }
    assert_eq!(received.len(), events.len());
}

#[test]
fn a_relay_and_its_hub_are_killed_in_turn() {
    let upstream = Upstream::start();
    let mut hub = Hub::start(&[]);
    let mut relay = Relay::start(&upstream, &hub);
    for _ in 0..rounds() {
        pause();
        let which = fastrand::u8(0..3);
        if which != 0 {
            relay.kill();
        }
        if which != 1 {
            hub.kill();
            hub.restart();
        }
        if which != 0 {
            relay.restart();
        }
    }
    check(upstream, &hub);
}

#[test]
fn a_hub_with_a_relay_is_killed() {
    let upstream = Upstream::start();
    let mut hub = Hub::start(&["--relay", &format!("{}={TOPIC}", upstream.url)]);
    for _ in 0..rounds() {
        pause();
        hub.kill();
        hub.restart();
    }
    check(upstream, &hub);
}
