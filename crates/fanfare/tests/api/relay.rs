//! `fanfare relay`, and relays of `fanfare serve`: against upstreams that follow a script, into a real hub.
use crate::{
    hub::Hub,
    killed::Killed,
    peer::{BodyPeer, Peer, read_request},
    program::{Ended, PATIENCE, SECRET, end, fanfare, run, signal},
};
use fanfare_load::port;
use serde_json::Value;
use std::{
    fs,
    io::{self, BufRead as _, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: 10\n\n";
const GAP: &str = "fanfare.gap";
const STOP: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn stream(events: &str) -> String {
    format!("{STREAM}{events}")
}

/// A directory for one test, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("fanfare-relay-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Relays `upstream` to its end.
fn relay(upstream: &Peer, hub: &Hub, options: &[&str]) -> Ended {
    run(&[&["relay", &upstream.url, "--hub", &hub.url], options].concat())
}

fn start(upstream: &Peer, hub: &str, options: &[&str]) -> Child {
    let mut command = fanfare();
    command.args(["relay", &upstream.url, "--hub", hub]).args(options);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The first `count` updates that the hub holds.
fn held(hub: &Hub, topic: &str, count: usize) -> Vec<Value> {
    let arguments = ["subscribe", topic, "--hub", &hub.url, "--last-event-id", "earliest", "-n", &count.to_string()];
    run(&arguments).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Everything that the hub holds of a topic: what follows is an end that is published now.
fn all_held(hub: &Hub, topic: &str) -> Vec<Value> {
    assert_eq!(run(&["publish", topic, "the end", "--hub", &hub.url]).code, 0);
    let until = ["subscribe", topic, "--hub", &hub.url, "--last-event-id", "earliest", "--until", "the end"];
    run(&until).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts<'a>(updates: &'a [Value], field: &str) -> Vec<&'a str> {
    updates.iter().map(|update| update[field].as_str().unwrap()).collect()
}

#[test]
fn events_keep_their_order_types_and_ids() {
    let hub = Hub::start();
    let first = stream("id: 1\nevent: tick\ndata: one\ndata: more\n\ndata: no ID\n\n");
    let second = stream("id: é 2\ndata:  two\nretry: 5\n\n");
    let upstream = Peer::answering([first.as_str(), second.as_str(), STOP]);
    let ended = relay(&upstream, &hub, &["-t", "a", "--topic", "https://x.example/?b", "-H", "x-key: secret"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    // All that there is to say: the key is an argument.
    assert!(ended.stderr.lines().count() == 1 && ended.stderr.contains("read the header from a file"), "{ended:?}");
    let updates = all_held(&hub, "a");
    assert_eq!(texts(&updates, "data"), ["one\nmore", "no ID", " two"]);
    assert_eq!(texts(&updates, "type"), ["tick", "message", "message"]);
    assert_eq!((&updates[0]["id"], &updates[2]["id"]), (&"1".into(), &"é 2".into()));
    assert!(updates[1]["id"].as_str().unwrap().starts_with('#'));
    assert!(updates.iter().all(|update| update["topics"][1] == "https://x.example/?b" && update["private"] == false));
    let requests = [(); 3].map(|()| upstream.request());
    assert!(requests.iter().all(|request| request.contains("x-key: secret\n")), "{requests:?}");
    assert!(!requests[0].contains("last-event-id") && requests[2].contains("last-event-id: é 2\n"));
}

/// An event that cannot be published is told to those who would have received it, in its place.
#[test]
fn what_no_update_can_be_is_a_gap() {
    let hub = Hub::with(&["--memory", "--clock=false", "--max-body", "1KiB"]);
    let events = format!(
        "id: #k-1\ndata: a\n\nid: earliest\ndata: b\n\nevent: fanfare.gap\nid: 3\ndata: c\n\nid: 4\ndata: {}\n\n\
         id: {}\ndata: e\n\nid: 6\ndata: f\n\nevent: mercure\ndata: g\n\nevent: fanfare.end\ndata: h\n\n",
        "x".repeat(1_025),
        "i".repeat(513)
    );
    let upstream = Peer::answering([stream(&events).as_str(), STOP]);
    let ended = relay(&upstream, &hub, &["-t", "a", "--private", "--verbose"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let updates = all_held(&hub, "a");
    let types = texts(&updates, "type");
    assert_eq!(types, ["message", "message", GAP, GAP, "message", "message", GAP], "{updates:?}");
    let data = texts(&updates, "data");
    // A hub before this one had a gap: it is one here, too. Why a hub ends its stream concerns nobody else.
    assert_eq!([data[0], data[1], data[4], data[5]], ["a", "b", "e", "f"]);
    for (at, id, detail) in
        [(2, "3", "without a reason"), (3, "4", "longer than 1024 bytes"), (6, "", "the event types 'mercure'")]
    {
        let told: Value = serde_json::from_str(data[at]).unwrap();
        assert_eq!((&told["reason"], &told["last_event_id"]), (&"left-out".into(), &id.into()), "{told}");
        assert!(told["detail"].as_str().unwrap().contains(detail), "{told}");
    }
    let ids = texts(&updates, "id");
    assert!(ids.iter().all(|id| (id.starts_with('#') && *id != "#k-1") || *id == "6"), "{ids:?}");
    assert!(updates.iter().all(|update| update["private"] == true));
    for wanted in [
        "the first of them \"#k-1\"",
        "left out (last event ID \"4\"): ",
        "left out (last event ID \"6\"): the event types 'mercure'",
        "4 events were relayed, 0 were already in the hub's log, 2 could not be",
    ] {
        assert!(ended.stderr.contains(wanted), "{wanted}: {}", ended.stderr);
    }
    assert_eq!(ended.stderr.matches("the hub replaces some IDs").count(), 1, "{}", ended.stderr);
}

/// The upstream chooses the IDs of events, and how long they are.
#[test]
fn of_a_long_id_messages_show_the_beginning() {
    let hub = Hub::with(&["--memory"]);
    let long = "i".repeat(10_000);
    let upstream = Peer::answering([stream(&format!("id: {long}\ndata: a\n\n")).as_str(), STREAM, STOP]);
    let ended = relay(&upstream, &hub, &["-t", "a", "--verbose"]);
    let shown = format!("\"{}…\"", "i".repeat(64));
    for line in [format!("the first of them {shown}"), format!("connected to {}/, after event {shown}", upstream.url)] {
        assert!(ended.stderr.contains(&line), "{ended:?}");
    }
    assert!(ended.stderr.len() < 2_000, "{ended:?}");
}

/// The same by a relay of the hub's own.
#[test]
fn a_relay_of_the_hub_tells_of_gaps_as_well() {
    let upstream =
        Peer::answering([stream(&format!("data: a\n\nid: 4\ndata: {}\n\n", "x".repeat(1_025))).as_str(), STOP]);
    let relay = format!("{}/=a", upstream.url);
    let hub = Hub::with(&["--memory", "--clock=false", "--max-body", "1KiB", "--relay", &relay]);
    let updates = held(&hub, "a", 2);
    assert_eq!(texts(&updates, "type"), ["message", GAP], "{updates:?}");
}

/// An event that is too large to be read is skipped, and told to those downstream.
#[test]
fn an_event_beyond_every_limit_is_a_gap() {
    let hub = Hub::start();
    let events = format!("id: 1\ndata: a\n\nid: 2\ndata: {}\n\nid: 3\ndata: b\n\n", "x".repeat((16 << 20) + 1));
    let upstream = Peer::answering([stream(&events).as_str(), STOP]);
    let ended = relay(&upstream, &hub, &["-t", "a"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let updates = all_held(&hub, "a");
    assert_eq!(texts(&updates, "type"), ["message", GAP, "message"], "{ended:?}");
    assert!(ended.stderr.contains("left out"), "{ended:?}");
    let size = ended.stderr.split("it has ").nth(1).and_then(|rest| rest.split_once(' '));
    assert!(size.is_some_and(|(number, rest)| number.parse::<u64>().is_ok() && rest.starts_with("bytes")), "{ended:?}");
    upstream.request();
    assert!(upstream.request().contains("last-event-id: 3\n"));
}

/// The hub has said nothing yet of what stands for a skipped event: what is kept does not pass it over.
#[test]
fn a_gap_survives_a_crash_before_the_hub_has_it() {
    let directory = Directory::new();
    let file = directory.file("state");
    // A run before this one came to the event before.
    fs::write(&file, "#0000000a-0 1\n").unwrap();
    let events = format!("id: 2\ndata: {}\n\n", "x".repeat((16 << 20) + 1));
    let answer = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nlast-event-id: #0000000a-0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    for (first, wanted) in [(true, "after it was killed"), (false, "and kept then")] {
        let upstream = Peer::answering([stream(&events).as_str(), STOP]);
        // It says what it holds; then it is silent.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hub = format!("http://{}", listener.local_addr().unwrap());
        let mut child = start(&upstream, &hub, &["-t", "a", "--state", &file]);
        let serve = |listener: &TcpListener, answer: &str| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let request = read_request(&stream);
            stream.write_all(answer.as_bytes()).unwrap();
            request
        };
        serve(&listener, &answer(""));
        let request = serve(&listener, if first { "" } else { "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}" });
        let (reason, id) = ("\"reason\":\"left-out\"", "\"last_event_id\":\"2\"");
        assert!(request.contains(reason) && request.contains(id), "{wanted}: {request}");
        if first {
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            assert_eq!(end(child).code, 0);
        }
        assert!(upstream.request().contains("last-event-id: 1\n"), "{wanted}");
        let kept = fs::read_to_string(&file).unwrap();
        let id = if first { " 1\n" } else { " 2\n" };
        assert!(kept.ends_with(id), "{wanted}: {kept:?}");
    }
}

/// A proxy before the hub takes less than a batch, and its 413 says nothing of what was published.
#[test]
fn what_a_proxy_refuses_for_its_size_goes_out_in_parts_or_is_a_gap() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hub = format!("http://{}", listener.local_addr().unwrap());
    let (sender, taken) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let request = read_request(&stream);
            let body = request.split_once("\r\n\r\n").unwrap().1;
            let (status, answer) =
                if body.len() > 400 { ("413 Payload Too Large", "<html></html>") } else { ("200 OK", "{}") };
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
            stream.write_all((head + answer).as_bytes()).unwrap();
            if status == "200 OK" && sender.send(body.to_owned()).is_err() {
                break;
            }
        }
    });
    let event = |number: usize| match number {
        20 => format!("id: 20\ndata: {}\n\n", "x".repeat(1_000)),
        // It is as good as empty, and counts all the same.
        21..30 => "data\n\n".to_owned(),
        number => format!("id: {number}\ndata: {number}\n\n"),
    };
    let events: String = (0..60).map(event).collect();
    let upstream = Peer::answering([stream(&events).as_str(), STOP]);
    let ended = run(&["relay", &upstream.url, "-t", "a", "--hub", &hub, "--verbose"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let taken: String = taken.try_iter().collect();
    let (before, rest) = taken.split_once("event: fanfare.gap\n").unwrap();
    let (gap, after) = rest.split_once("\n\n").unwrap();
    assert_eq!(before, (0..20).map(event).collect::<String>());
    assert!(gap.contains("\"last_event_id\":\"20\"") && gap.contains("413"), "{gap}");
    assert_eq!(after.replace("data: \n", "data\n"), (21..60).map(event).collect::<String>());
    assert!(
        ended.stderr.contains("59 events were relayed, 0 were already in the hub's log, 1 could not be"),
        "{ended:?}"
    );
}

/// An ID may be as long as an event: those downstream get it exactly, or not at all; people are shown its beginning.
#[test]
fn a_long_id_is_exact_in_a_gap_and_short_in_messages() {
    let hub = Hub::with(&["--memory", "--clock=false", "--max-body", "16KiB"]);
    let (long, longer, large) = ("i".repeat(8 << 10), "\"".repeat(12 << 10), "x".repeat(20_000));
    let events = format!("id: {long}\ndata: {large}\n\nid: {longer}\ndata: {large}\n\nid: {longer}2\ndata: b\n\n");
    let upstream = Peer::answering([stream(&events).as_str(), STOP]);
    let ended = relay(&upstream, &hub, &["-t", "a", "--verbose"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let updates = all_held(&hub, "a");
    assert_eq!(texts(&updates, "type"), [GAP, GAP, "message"]);
    let told = texts(&updates, "data");
    let id = |data: &str| serde_json::from_str::<Value>(data).unwrap()["last_event_id"].as_str().unwrap().to_owned();
    assert!(id(told[0]) == long, "the whole ID");
    // With this ID, in which JSON escapes each character, the gap is larger than what this hub takes.
    assert_eq!((id(told[1]).as_str(), told[2]), ("", "b"));
    for wanted in ["iii…\"): ", "gap event for \"\\\"", "2 could not be"] {
        assert!(ended.stderr.contains(wanted), "{wanted}: {}", ended.stderr);
    }
    assert!(ended.stderr.lines().all(|line| line.len() < 1_000), "{}", ended.stderr);
}

/// An event that another hub refuses, whose rules this program does not know, goes without its ID if that may help, or
/// else as a gap.
#[test]
fn what_the_hub_refuses_by_its_own_rules_is_not_lost() {
    let refuses = |published: usize, status: &str| {
        let body = format!("{{\"published\":{published},\"detail\":\"not so\"}}");
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    let takes = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let bad = "400 Bad Request";
    // It holds nothing; takes the first event and refuses the second; then that without an ID; then the gap, too.
    let answers = [takes, &refuses(1, bad), takes, &refuses(0, bad), takes, &refuses(0, bad), takes, takes];
    let hub = BodyPeer::answering(answers.map(str::to_owned).to_vec());
    let upstream = Peer::answering([stream("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n").as_str(), STOP]);
    let ended = run(&["relay", &upstream.url, "-t", "a", "--hub", &hub.url, "--verbose"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let bodies: Vec<String> = (0..8).map(|_| hub.body()).filter(|body| !body.is_empty()).collect();
    assert_eq!(bodies[0], "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n");
    assert_eq!(bodies[1], "data: b\n\nid: 3\ndata: c\n\n");
    assert!(bodies[2].starts_with("event: fanfare.gap\ndata: {\"reason\":\"left-out\""), "{}", bodies[2]);
    assert_eq!(bodies[3], "id: 3\ndata: c\n\n");
    assert!(
        ended.stderr.contains("the hub refused the event \"2\"; sending it again without its ID: not so"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("2 events were relayed, 0 were already in the hub's log, 1 could not be"),
        "{ended:?}"
    );
}

/// Many events come at once and go out in batches, one of which the hub refuses in its middle.
#[test]
fn a_burst_keeps_its_order_and_what_is_refused_is_a_gap() {
    let hub = Hub::with(&["--memory", "--clock=false", "--max-body", "64KiB"]);
    let event = |number: usize| match number {
        700 => format!("id: {number}\ndata: {}\n\n", "x".repeat(70_000)),
        number => format!("id: {number}\ndata: {number} {}\n\n", "y".repeat(number % 5 * 5_000)),
    };
    let events: String = (0..2_000).map(event).collect();
    let upstream = Peer::answering([stream(&events).as_str(), STOP]);
    assert_eq!(relay(&upstream, &hub, &["-t", "a"]).code, 0);
    let updates = all_held(&hub, "a");
    let ids: Vec<_> = texts(&updates, "id").iter().map(|id| id.parse().unwrap_or(700)).collect();
    assert!(ids.iter().copied().eq(0..2_000), "{ids:?}");
    assert_eq!(updates[700]["type"], GAP);
}

#[test]
fn the_first_attempt_must_give_an_event_stream() {
    let hub = Hub::start();
    let cases = [
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<p>", 4),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", 3),
        ("HTTP/1.1 404 Not Found\r\n\r\n", 4),
        ("HTTP/1.1 503 Busy\r\n\r\n", 5),
        ("", 5),
        (STOP, 0),
    ];
    for (answer, code) in cases {
        let ended = relay(&Peer::answering([answer]), &hub, &["-t", "a"]);
        assert_eq!(ended.code, code, "{answer}: {ended:?}");
    }
    for arguments in [&["relay"][..], &["relay", "http://x.example/"], &["relay", "nowhere", "-t", "a"]] {
        assert_eq!(run(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn once_there_was_one_or_if_it_is_told_to_it_does_not_give_up() {
    let hub = Hub::start();
    let refuses = "HTTP/1.1 404 Not Found\r\n\r\n";
    let (one, two) = (stream("id: 1\ndata: one\n\n"), stream("data: two\n\n"));
    let upstream = Peer::answering([one.as_str(), refuses, two.as_str(), STOP]);
    let ended = relay(&upstream, &hub, &["-t", "a"]);
    assert_eq!((ended.code, ended.stderr.contains("404 Not Found; reconnecting in 1.0 s")), (0, true), "{ended:?}");
    // The ID outlives the refusal, without any file.
    let requests = [(); 4].map(|()| upstream.request());
    assert!(requests[2].contains("last-event-id: 1\n") && requests[3].contains("last-event-id: 1\n"));
    let upstream = Peer::answering([refuses, one.as_str(), STOP]);
    assert_eq!(relay(&upstream, &hub, &["-t", "b", "--reconnect", "always", "-q"]).code, 0);
    assert_eq!((all_held(&hub, "a").len(), all_held(&hub, "b").len()), (2, 1));
}

#[test]
fn it_goes_on_where_it_stopped_and_publishes_nothing_twice() {
    let (hub, directory) = (Hub::start(), Directory::new());
    let file = directory.file("state");
    let relay = |events: &str| {
        let upstream = Peer::answering([stream(events).as_str(), STOP]);
        let ended = relay(&upstream, &hub, &["-t", "a", "--state", &file, "--verbose", "--last-event-id", "0"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        (upstream.request(), ended.stderr)
    };
    let (request, _) = relay("id: 1\ndata: one\n\n");
    assert!(request.contains("last-event-id: 0\n"), "where to begin at first: {request}");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(kept.starts_with('#') && kept.ends_with("-1 1\n"), "{kept:?}");
    let (request, _) = relay("id: 2\nevent: t\ndata: two\n\ndata: no ID\n\nid: #3\ndata: three\n\n");
    assert!(request.contains("last-event-id: 1\n"), "{request}");
    // As a crash would leave it: the hub has the batch, and the file does not say so. The upstream sends it again.
    fs::write(&file, kept).unwrap();
    let (request, said) = relay("id: 2\nevent: t\ndata: two\n\nid: #3\ndata: three\n\nid: 4\ndata: four\n\n");
    assert!(
        request.contains("last-event-id: 1\n")
            && said.contains("1 events were relayed, 2 were already in the hub's log"),
        "{said}"
    );
    assert_eq!(texts(&all_held(&hub, "a"), "data"), ["one", "two", "no ID", "three", "four"]);
}

/// As long as the hub is full, it does not say what it has. The relay waits for this, and publishes nothing twice.
#[test]
fn a_full_hub_is_not_taken_for_one_without_the_events() {
    let (hub, directory) = (Hub::with(&["--memory", "--clock=false", "--max-subscribers", "1"]), Directory::new());
    let file = directory.file("state");
    let options = ["-t", "a", "--state", &file, "--verbose"];
    let upstream = |events: &str| Peer::answering([stream(events).as_str(), STOP]);
    assert_eq!(relay(&upstream("id: 1\ndata: one\n\n"), &hub, &options).code, 0);
    let kept = fs::read_to_string(&file).unwrap();
    assert_eq!(relay(&upstream("id: 2\ndata: two\n\n"), &hub, &options).code, 0);
    // As a crash would leave it: the hub has the second event, and the file does not say so.
    fs::write(&file, kept).unwrap();
    let address = hub.url.trim_start_matches("http://");
    let mut subscriber = TcpStream::connect(address).unwrap();
    write!(subscriber, "GET /topics/b HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    subscriber.read_exact(&mut [0]).unwrap();
    let upstream = upstream("id: 2\ndata: two\n\nid: 3\ndata: three\n\n");
    let child = start(&upstream, &hub.url, &options);
    upstream.request();
    // It has been turned away by then, or not: both are well.
    thread::sleep(Duration::from_millis(500));
    drop(subscriber);
    let ended = end(child);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(texts(&all_held(&hub, "a"), "data"), ["one", "two", "three"], "{ended:?}");
}

/// A hub tells its place before the first update. A relay that is killed before that one leaves nothing out, and does
/// not pass the place on.
#[test]
fn a_relay_that_has_seen_no_update_yet_misses_none() {
    let (from, to) = (Hub::with(&["--memory", "--clock=false"]), Hub::with(&["--memory", "--clock=false"]));
    let directory = Directory::new();
    let (file, url) = (directory.file("state"), format!("{}/topics/t", from.url));
    let options = ["relay", &url, "--hub", &to.url, "-t", "a", "--state", &file];
    let start = || Killed(fanfare().args(options).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let relay = start();
    let begun = Instant::now();
    while !fs::read_to_string(&file).unwrap_or_default().contains('#') {
        assert!(begun.elapsed() < PATIENCE, "no place is stored");
        thread::sleep(Duration::from_millis(10));
    }
    drop(relay);
    assert_eq!(run(&["publish", "t", "missed", "--hub", &from.url]).code, 0);
    let _relay = start();
    let updates = held(&to, "a", 1);
    assert_eq!((texts(&updates, "data"), texts(&updates, "type")), (vec!["missed"], vec!["message"]));
}

/// Small numbers as IDs are what most servers have: they name other events for each of them, and after their restart.
#[test]
fn an_id_that_names_another_event_is_not_taken_for_the_same() {
    let (hub, directory) = (Hub::start(), Directory::new());
    let file = directory.file("state");
    let relay = |topic: &str, events: &str, options: &[&str]| {
        let upstream = Peer::answering([stream(events).as_str(), STOP]);
        let ended = relay(&upstream, &hub, &[&["-t", topic], options].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
    };
    relay("a", "id: 1\ndata: x\n\nid: 2\ndata: y\n\n", &[]);
    relay("b", "id: 1\ndata: x\n\nid: 2\ndata: y\n\n", &["--state", &file]);
    // The same server, counting anew.
    relay("b", "id: 1\ndata: z\n\nid: 2\ndata: y\n\n", &["--state", &file]);
    assert_eq!(texts(&all_held(&hub, "a"), "data"), ["x", "y"]);
    assert_eq!(texts(&all_held(&hub, "b"), "data"), ["x", "y", "z", "y"]);
}

#[test]
fn it_waits_for_a_hub_that_is_down() {
    let events: String = (0..50).map(|number| format!("id: {number}\ndata: {number}\n\n")).collect();
    let upstream = Peer::answering([stream(&events).as_str(), STOP]);
    let address = port::reserve().unwrap().to_string();
    let url = format!("http://{address}/");
    let child = start(&upstream, &url, &["-t", "a", "--verbose"]);
    upstream.request();
    // It has been turned away by then, or not: both are well.
    thread::sleep(Duration::from_millis(300));
    let hub = Hub::listening(&address, &["--memory", "--clock=false"]);
    let ended = end(child);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(all_held(&hub, "a").len(), 50);
}

#[test]
fn a_hub_that_refuses_is_the_end() {
    let hub = Hub::with(&["--memory", "--key", SECRET]);
    let upstream = Peer::answering([stream("data: x\n\n").as_str()]);
    let ended = relay(&upstream, &hub, &["-t", "a"]);
    assert_eq!((ended.code, ended.stderr.contains("Give a token with --token")), (3, true), "{ended:?}");
    // To publish is enough.
    let token = run(&["token", "--key", SECRET, "--publish", "a"]).stdout;
    let upstream = Peer::answering([stream("data: x\n\n").as_str(), STOP]);
    let ended = relay(&upstream, &hub, &["-t", "a", "--token", token.trim()]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn it_stops_when_told_and_keeps_what_it_did() {
    let (hub, directory) = (Hub::start(), Directory::new());
    for name in ["TERM", "INT"] {
        let file = directory.file(name);
        // The second connection is closed without an answer, and then there is none.
        let upstream = Peer::answering([stream("id: 7\ndata: x\n\n").as_str(), ""]);
        let child = start(&upstream, &hub.url, &["-t", name, "--state", &file]);
        assert_eq!(held(&hub, name, 1).len(), 1);
        upstream.request();
        upstream.request();
        signal(i32::try_from(child.id()).unwrap(), name);
        let ended = end(child);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
        assert!(fs::read_to_string(&file).unwrap().ends_with(" 7\n"));
    }
}

#[test]
fn an_upstream_cannot_keep_it_away_for_long() {
    let hub = Hub::start();
    let years = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: 31536000000\n\ndata: x\n\n";
    let busy = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 31536000\r\ncontent-length: 0\r\n\r\n";
    let opened = stream("data: x\n\n");
    for answers in [[years, STOP], [&*opened, busy]] {
        let upstream = Peer::answering(answers);
        let mut relay = Killed(start(&upstream, &hub.url, &["-t", "a", "--verbose"]));
        let stderr = io::BufReader::new(relay.0.stderr.take().unwrap());
        let (told, tells) = mpsc::channel();
        thread::spawn(move || stderr.lines().try_for_each(|line| told.send(line.unwrap())));
        while !tells.recv_timeout(PATIENCE).expect("a line").contains("reconnecting in 300.0 s") {}
    }
}

/// Nobody takes what it says, so that it does not come to stop in order.
#[test]
fn a_second_signal_ends_it_at_once() {
    const PIPE_BYTES: usize = 64 << 10;
    let hub = Hub::start();
    let upstream = Peer::answering([stream("data: x\n\n").as_str(), ""]);
    let (_reader, mut full) = io::pipe().unwrap();
    full.write_all(&[b' '; PIPE_BYTES]).unwrap();
    let mut command = fanfare();
    command.args(["relay", &upstream.url, "--hub", &hub.url, "-t", "a", "--verbose"]).stderr(full);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let id = i32::try_from(child.id()).unwrap();
    upstream.request();
    signal(id, "TERM");
    // Longer than two signals count as one wish.
    thread::sleep(Duration::from_millis(300));
    signal(id, "INT");
    assert_eq!(end(child).code, 130);
}

/// The only file in a directory.
fn only_file(directory: &Path) -> String {
    let entries: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    fs::read_to_string(&entries[0]).unwrap()
}

#[test]
fn a_hub_relays_what_its_configuration_says() {
    let directory = Directory::new();
    let (config, token) = (directory.file("hub.toml"), directory.file("token"));
    fs::write(&token, "a.b.c\n").unwrap();
    // What would end the command, and an end, which is only that of the relay.
    let refuses = "HTTP/1.1 404 Not Found\r\n\r\n";
    let upstream = Peer::answering([refuses, stream("id: 1\ndata: one\n\n").as_str(), STOP]);
    let relay = format!(
        "clock = false\nmemory = true\n[[relay]]\nurl = '{}/sse'\ntopics = ['a', 'b']\nprivate = true\n\
         headers = ['X-Key: k']\ntoken-file = '{token}'\nlast-event-id = '0'\n",
        upstream.url
    );
    fs::write(&config, relay).unwrap();
    let hub = Hub::with(&["--config", &config]);
    let requests = [(); 3].map(|()| upstream.request());
    assert!(requests.iter().all(|request| request.contains("authorization: bearer a.b.c\n")), "{requests:?}");
    assert!(requests[0].contains("x-key: k\n") && requests[0].starts_with("get /sse http/1.1\n"), "{requests:?}");
    assert!(requests[1].contains("last-event-id: 0\n") && requests[2].contains("last-event-id: 1\n"), "{requests:?}");
    let update = &held(&hub, "b", 1)[0];
    assert_eq!((&update["private"], &update["topics"][0], &update["id"]), (&true.into(), &"a".into(), &"1".into()));
    let ended = hub.stop();
    assert!(ended.stderr.contains("404 Not Found; reconnecting in"), "{ended:?}");
    fs::remove_file(&token).unwrap();
    assert_eq!(run(&["serve", "--config", &config, "--listen", "127.0.0.1:0"]).code, 2);
}

#[test]
fn a_hub_goes_on_with_its_relays_after_a_restart() {
    let directory = Directory::new();
    let data = directory.file("data");
    let answers = [stream("id: 1\ndata: one\n\n"), STOP.into(), stream("id: 2\ndata: two\n\n"), STOP.into()];
    let upstream = Peer::answering(answers.each_ref().map(String::as_str));
    let relay = format!("{}/sse?key=secret=a", upstream.url);
    let options = ["--data", &data, "--clock=false", "--relay", &relay];
    for (id, after) in [("1", None), ("2", Some("last-event-id: 1\n"))] {
        let hub = Hub::with(&options);
        let request = upstream.request();
        assert_eq!(after.map(|after| request.contains(after)), after.map(|_| true), "{request}");
        upstream.request();
        assert_eq!(held(&hub, "a", id.parse().unwrap()).last().unwrap()["id"], id);
        let ended = hub.stop();
        assert!(!ended.stderr.contains("secret"), "{ended:?}");
        assert!(only_file(&Path::new(&data).join("relay")).ends_with(&format!(" {id}\n")));
    }
}
