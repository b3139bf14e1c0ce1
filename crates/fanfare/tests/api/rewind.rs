//! `fanfare subscribe` that begins with what was published last, and what becomes of that when it connects again.
use crate::{
    hub::Hub,
    killed::Killed,
    peer::Peer,
    program::{Lines, fanfare, run, run_with_input},
};
use fanfare_load::port;
use std::process::Stdio;

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const STOP: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// Publishes with a short reconnection time, so that those whose connection is lost are soon back.
fn publish(hub: &Hub, topic: &str, data: &[&str]) {
    let published = run_with_input(&["publish", topic, "--retry", "100ms", "--hub", &hub.url], &data.join("\n"));
    assert_eq!(published.code, 0, "{published:?}");
}

/// `subscribe` to data alone, while it runs; ends with the test.
struct Subscribing {
    child: Killed,
    lines: Lines,
}

impl Subscribing {
    fn to(arguments: &[&str]) -> Self {
        let mut command = fanfare();
        command.args(["subscribe", "--format", "data"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        Self { child: Killed(child), lines }
    }

    /// The next lines that it prints.
    fn print(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.lines.next()).collect()
    }
}

#[test]
fn the_newest_come_first_and_then_what_is_published() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&["a", "--last", "2"], &["a2", "a3"]),
        (&["a", "--topic", "b", "--last", "1"], &["a3", "b2"]),
        (&["*", "--last", "3"], &["c1", "a3", "b2"]),
        (&["a", "b", "--since", "1h"], &["a1", "b1", "a2", "a3", "b2"]),
        (&["a", "--since", "2001-01-01T00:00:00+01:00"], &["a1", "a2", "a3"]),
        (&["{hub}/topics/a?topic=b", "--last", "2"], &["b1", "a2", "a3", "b2"]),
    ];
    for (arguments, expected) in cases {
        let hub = Hub::start();
        for data in ["a1", "b1", "a2", "c1", "a3", "b2"] {
            publish(&hub, &data[..1], &[data]);
        }
        let arguments: Vec<_> =
            arguments.iter().map(|text| text.replace("{hub}", hub.url.trim_end_matches('/'))).collect();
        let count = (expected.len() + 1).to_string();
        let mut all = vec!["--hub", &hub.url, "-n", &count];
        all.extend(arguments.iter().map(String::as_str));
        let mut subscribing = Subscribing::to(&all);
        let mut printed = subscribing.print(expected.len());
        publish(&hub, "a", &["live"]);
        printed.extend(subscribing.print(1));
        assert_eq!(printed, [expected, &["live"]].concat(), "{arguments:?}");
        assert!(subscribing.child.0.wait().unwrap().success());
    }
}

/// The URL still asks for the newest when the connection is made again, and the ID that is then sent counts more. So
/// what was published meanwhile comes whole, be it more than that or less, and nothing comes twice.
#[test]
fn a_hub_that_is_killed_and_comes_back_goes_on_behind_the_last_event() {
    let cases: [(&[&str], &[&str]); 4] = [
        (&["t", "--last", "2"], &["4", "5"]),
        (&["t", "--last", "100"], &["1", "2", "3", "4", "5"]),
        (&["t", "--since", "1h"], &["1", "2", "3", "4", "5"]),
        (&["{hub}/topics/t", "--last", "2"], &["4", "5"]),
    ];
    for (number, (arguments, first)) in cases.into_iter().enumerate() {
        let directory = std::env::temp_dir().join(format!("fanfare-test-{}-rewind-{number}", std::process::id()));
        let address = port::reserve().unwrap().to_string();
        let options = ["--data", directory.to_str().unwrap(), "--clock=false"];
        let mut hub = Hub::listening(&address, &options);
        publish(&hub, "t", &["1", "2", "3", "4", "5"]);
        let url = arguments[0].replace("{hub}", hub.url.trim_end_matches('/'));
        let all = [&[&url, "--hub", &hub.url], &arguments[1..]].concat();
        let subscribing = Subscribing::to(&all);
        let mut printed = subscribing.print(first.len());
        for missed in [&["6", "7", "8", "9"][..], &["10"]] {
            hub.signal("KILL");
            drop(hub);
            hub = Hub::listening(&address, &options);
            publish(&hub, "t", missed);
            printed.extend(subscribing.print(missed.len()));
        }
        publish(&hub, "t", &["end"]);
        printed.extend(subscribing.print(1));
        let expected = [first, &["6", "7", "8", "9", "10", "end"]].concat();
        assert_eq!(printed, expected, "{arguments:?}");
        drop((subscribing, hub));
        std::fs::remove_dir_all(directory).unwrap();
    }
}

/// The same is asked again as long as there is no ID.
#[test]
fn each_request_asks_for_the_newest_and_from_the_first_event_on_names_it() {
    let (nothing, one) = (format!("{STREAM}retry: 10\n\n"), format!("{STREAM}id: 1\ndata: one\n\n"));
    let peer = Peer::answering([nothing.as_str(), &one, STOP]);
    let ended = run(&["subscribe", &format!("{}/sse?a=b", peer.url), "--last", "2", "--format", "data"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "one\n"), "{ended:?}");
    let requests = [(); 3].map(|()| peer.request());
    assert!(requests.iter().all(|request| request.starts_with("get /sse?a=b&last=2 http/1.1\n")), "{requests:?}");
    let named = requests.map(|request| request.contains("last-event-id: 1\n"));
    assert_eq!(named, [false, false, true]);
}

/// The first run begins with the newest, and each later one where the last has stopped.
#[test]
fn a_state_file_counts_more() {
    let hub = Hub::start();
    let file = std::env::temp_dir().join(format!("fanfare-state-rewind-{}", std::process::id()));
    let state = file.display().to_string();
    let run_for = |count: &str| {
        let options = ["--state", &state, "--last", "2", "--format", "data", "-n", count];
        run(&[&["subscribe", "t", "--hub", &hub.url], &options[..]].concat())
    };
    publish(&hub, "t", &["1", "2", "3"]);
    assert_eq!(run_for("2").stdout, "2\n3\n");
    publish(&hub, "t", &["4", "5", "6"]);
    assert_eq!(run_for("3").stdout, "4\n5\n6\n");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn what_does_not_go_together_is_told() {
    let cases: [(&[&str], &str); 7] = [
        (&["t", "--last", "2", "--since", "1h"], "'--last <COUNT>' cannot be used with '--since <TIME>'"),
        (&["t", "--last", "2", "--last-event-id", "x"], "cannot be used with"),
        (&["t", "--since", "1h", "--last-event-id", "earliest"], "cannot be used with"),
        (&["t", "--last", "some"], "invalid value 'some' for '--last <COUNT>'"),
        (&["t", "--since", "90"], "expected a time such as 2026-01-31T12:00:00Z, or how long ago it was"),
        (&["t", "--since", "yesterday"], "expected a time"),
        (&["-", "--last", "2"], "--last and --since cannot be used with standard input"),
    ];
    for (arguments, said) in cases {
        let ended = run(&[&["subscribe"], arguments].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
    let hub = Hub::start();
    let ended = run(&["subscribe", "t", "--hub", &hub.url, "--last", "10001"]);
    assert_eq!((ended.code, ended.stderr.contains("at most 10000")), (4, true), "{ended:?}");
}
