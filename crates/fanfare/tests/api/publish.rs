//! `fanfare publish`, against a real hub and against peers that fail.
use crate::{
    hub::Hub,
    peer::Peer,
    program::{Ended, Lines, end, fanfare, run, run_with_input},
};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    process::{Child, ChildStdin, Stdio},
};

/// What the hub holds, as `subscribe` prints it.
fn held(hub: &Hub, count: usize) -> Vec<Value> {
    let arguments = ["subscribe", "*", "--hub", &hub.url, "--last-event-id", "earliest", "-n", &count.to_string()];
    run(&arguments).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn data(updates: &[Value]) -> Vec<&str> {
    updates.iter().map(|update| update["data"].as_str().unwrap()).collect()
}

#[test]
fn one_update_with_all_it_can_carry() {
    let hub = Hub::start();
    let options = ["--type", "greeting", "--id", "urn:x:1", "--retry", "2s", "--private", "--hub", &hub.url];
    let published = run(&[&["publish", "https://example.com/a b?c#d", "hello\nworld"], &options[..]].concat());
    assert_eq!((published.code, published.stdout.as_str()), (0, "urn:x:1\n"), "{published:?}");
    let updates = held(&hub, 1);
    let update = &updates[0];
    assert_eq!(update["topics"][0], "https://example.com/a b?c#d");
    assert_eq!(
        (&update["type"], &update["id"], &update["private"]),
        (&"greeting".into(), &"urn:x:1".into(), &true.into())
    );
    assert_eq!(update["data"], "hello\nworld");
}

#[test]
fn each_line_of_standard_input_is_an_update_in_order() {
    let hub = Hub::start();
    let lines: Vec<String> = (0..5_000).map(|n| format!("{{\"n\":{n},\"pad\":\"{}\"}}", "é".repeat(n % 200))).collect();
    let input = lines.join("\r\n") + "\n\n \nlast";
    let published = run_with_input(&["publish", "numbers", "--hub", &hub.url], &input);
    assert_eq!(published.code, 0, "{}", published.stderr);
    let updates = held(&hub, 5_001);
    assert_eq!(data(&updates[..5_000]), lines);
    assert_eq!(updates[5_000]["data"], "last");
    let ids: Vec<&str> = updates.iter().map(|update| update["id"].as_str().unwrap()).collect();
    assert_eq!(published.stdout.lines().collect::<Vec<_>>(), ids);
}

#[test]
fn a_line_that_is_too_long_for_the_hub_is_named_and_left_out() {
    let hub = Hub::with(&["--memory", "--clock=false", "--max-body", "300KiB"]);
    let long = "x".repeat(300 << 10);
    let published = run_with_input(&["publish", "t", "-", "--hub", &hub.url], &format!("one\n\n{long}\ntwo\n"));
    assert_eq!(published.code, 4, "{published:?}");
    assert!(published.stderr.contains("line 3: the hub answers 413"), "{}", published.stderr);
    assert!(published.stderr.contains("one line was not published"), "{}", published.stderr);
    assert_eq!(published.stdout.lines().count(), 2, "{published:?}");
    assert_eq!(data(&held(&hub, 2)), ["one", "two"]);
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_told() {
    let hub = Hub::start();
    let published = publish_bytes(&hub, b"one\r\ntw\xffo\n\n\xe2\x82\nlast");
    assert_eq!((published.code, published.stdout.lines().count()), (0, 4), "{published:?}");
    assert!(published.stderr.contains("line 2 is not valid UTF-8"), "{}", published.stderr);
    assert!(published.stderr.contains("2 lines were not valid UTF-8"), "{}", published.stderr);
    assert_eq!(data(&held(&hub, 4)), ["one", "tw\u{fffd}o", "\u{fffd}", "last"]);
}

#[test]
fn lines_before_the_one_that_ends_it_are_published() {
    // A batch is refused, then its lines come one by one.
    let bad = "HTTP/1.1 400 Bad Request\r\ncontent-length: 7\r\n\r\nbecause";
    let good = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n#a-1\n";
    let peer = Peer::answering([bad, good, bad]);
    // The first answer comes when all lines are there, or the first line is a batch of its own.
    let published = run_with_input(&["publish", "t", "--hub", &peer.url], "one\ntwo\nthree\n");
    assert_eq!(published.code, 4, "{published:?}");
    assert!(published.stderr.contains("because"), "{published:?}");
}

/// `publish` with an input that is written by hand.
fn publishing(hub: &str, more: &[&str]) -> (Child, ChildStdin, Lines) {
    let mut command = fanfare();
    command.args(["publish", "t", "--hub", hub]).args(more);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdin, lines) = (child.stdin.take().unwrap(), Lines::of(child.stdout.take().unwrap()));
    (child, stdin, lines)
}

fn publish_bytes(hub: &Hub, bytes: &[u8]) -> Ended {
    let mut command = fanfare();
    command.args(["publish", "t", "--hub", &hub.url]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    end(child)
}

/// An address that is free at this moment.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_slow_line_goes_out_at_once_and_what_was_read_before_a_stop_is_published() {
    let hub = Hub::start();
    for name in ["INT", "TERM"] {
        let (child, mut stdin, ids) = publishing(&hub.url, &[]);
        stdin.write_all(b"one\n").unwrap();
        assert!(ids.next().starts_with('#'));
        stdin.write_all(b"two\nthree\npart of a line").unwrap();
        assert!(ids.next().starts_with('#') && ids.next().starts_with('#'));
        crate::program::signal(i32::try_from(child.id()).unwrap(), name);
        let ended = end(child);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{name}");
        drop(stdin);
    }
    let lines = ["one", "two", "three", "one", "two", "three"];
    assert_eq!(data(&held(&hub, 6)), lines);
}

#[test]
fn lines_survive_a_restart_of_the_hub_each_once_and_in_order() {
    let directory = std::env::temp_dir().join(format!("fanfare-test-{}-publish-restart", std::process::id()));
    let address = free_address();
    let options = ["--data", directory.to_str().unwrap(), "--clock=false"];
    let mut hub = Hub::listening(&address, &options);
    let (child, mut stdin, ids) = publishing(&hub.url.clone(), &[]);
    let lines: Vec<String> = (0..30_000).map(|n| format!("line {n} {}", "x".repeat(n % 50))).collect();
    let text = lines.join("\n") + "\n";
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    for _ in 0..3 {
        // Something was published since; then it is killed in the middle of the rest.
        for _ in 0..fastrand::usize(1..4_000) {
            ids.next();
        }
        hub.signal("KILL");
        drop(hub);
        hub = Hub::listening(&address, &options);
    }
    writer.join().unwrap();
    ids.rest();
    let ended = end(child);
    assert_eq!(ended.code, 0, "{ended:?}");
    let updates = held(&hub, lines.len());
    assert_eq!(data(&updates), lines);
    // Nothing is behind them.
    run(&["publish", "t", "after", "--hub", &hub.url]);
    assert_eq!(held(&hub, lines.len() + 1).last().unwrap()["data"], "after");
    drop(hub);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_line_whose_answer_was_lost_is_looked_for() {
    let line = |id: &str, data: &str| {
        format!("{{\"id\":\"{id}\",\"topics\":[\"t\"],\"type\":\"message\",\"data\":\"{data}\"}}\n")
    };
    let answer =
        |body: &str| format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    // One is published; the answers to the two others are lost, and one of those is in the log.
    let (first, there, missing) = (answer("#a-1\n"), answer(&line("#a-2", "two")), answer(&line("#a-2", "two")));
    let third = answer("#a-3\n");
    let peer = Peer::answering([first.as_str(), "", &there, "", &missing, &third]);
    let (child, mut stdin, ids) = publishing(&peer.url, &[]);
    for (text, id) in [("one\n", "#a-1"), ("two\n", "#a-2"), ("three\n", "#a-3")] {
        stdin.write_all(text.as_bytes()).unwrap();
        assert_eq!(ids.next(), id);
    }
    drop(stdin);
    assert_eq!(end(child).code, 0);
    let requests: Vec<String> = (0..6).map(|_| peer.request()).collect();
    let verbs: Vec<&str> = requests.iter().map(|head| head.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["post", "post", "get", "post", "get", "post"]);
    assert!(requests[2].contains("last-event-id: #a-1") && requests[4].contains("last-event-id: #a-2"), "{requests:?}");
}

#[test]
fn lines_that_may_be_there_twice_are_told() {
    let answer = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    let (good, refused) = (answer("200 OK", "#a-1\n"), answer("401 Unauthorized", ""));
    let peer = Peer::answering([good.as_str(), "", &refused, &good]);
    let (child, mut stdin, ids) = publishing(&peer.url, &[]);
    for text in ["one\n", "two\n"] {
        stdin.write_all(text.as_bytes()).unwrap();
        ids.next();
    }
    drop(stdin);
    let ended = end(child);
    assert_eq!(ended.code, 0);
    assert!(ended.stderr.contains("line 2 may be in the log twice"), "{ended:?}");
}

#[test]
fn a_hub_that_was_never_there_is_told_at_once_and_never_asks_once() {
    let hub = format!("http://{}", free_address());
    let ended = run_with_input(&["publish", "t", "--hub", &hub], "one\ntwo\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (5, ""), "{ended:?}");
    assert!(ended.stderr.contains("not published: ") && ended.stderr.contains("line"), "{ended:?}");
    let peer = Peer::answering(["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\n#a-1\n", ""]);
    let (child, mut stdin, ids) = publishing(&peer.url, &["--reconnect", "never"]);
    stdin.write_all(b"one\n").unwrap();
    ids.next();
    stdin.write_all(b"two\n").unwrap();
    let ended = end(child);
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(ended.stderr.contains("perhaps not published: line 2"), "{ended:?}");
}

#[test]
fn updates_at_intervals_end_when_nobody_reads() {
    let hub = Hub::start();
    let mut command = fanfare();
    command.args(["publish", "t", "--every", "10ms", "--hub", &hub.url]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut String::new()).unwrap();
    drop(reader);
    let ended = end(child);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
}

#[test]
fn what_is_no_topic_is_told_before_anything_is_sent() {
    let long = "x".repeat(5_000);
    let longer = "x".repeat(100_000);
    let cases: [(&[&str], &str); 9] = [
        (&["publish", "", "x"], "a topic cannot be empty"),
        (&["publish", "  ", "x"], "nothing but spaces"),
        (&["publish", "*", "x"], "'*' is not a topic"),
        (&["publish", &long, "x"], "the topic has 5000 bytes, 4096 are allowed"),
        (&["publish", "a\nb", "x"], "a control or format character"),
        (&["publish", "t", "x", "--id", &longer], "100000 bytes"),
        (&["publish", "t", "x", "--type", &longer], "100000 bytes"),
        (&["subscribe", "--topic", ""], "a topic cannot be empty"),
        (&["subscribe", ""], "a topic cannot be empty"),
    ];
    for (arguments, said) in cases {
        let ended = run(arguments);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(said) && ended.stderr.len() < 1_000, "{}", ended.stderr);
    }
}

#[test]
fn a_hub_that_accepts_less_than_a_batch_gets_the_lines_one_by_one() {
    let hub = Hub::with(&["--memory", "--clock=false", "--max-body", "1KiB"]);
    let lines: Vec<String> = (0..50).map(|n| format!("{n} {}", "x".repeat(900))).collect();
    let published = run_with_input(&["publish", "t", "--hub", &hub.url], &lines.join("\n"));
    assert_eq!((published.code, published.stdout.lines().count()), (0, 50), "{published:?}");
    assert_eq!(data(&held(&hub, 50)), lines);
}

#[test]
fn at_intervals() {
    let hub = Hub::start();
    let options = ["--every", "10ms", "-n", "3", "--hub", &hub.url];
    assert_eq!(run(&[&["publish", "t", "{\"n\":{count}}"], &options[..]].concat()).stdout.lines().count(), 3);
    assert_eq!(run(&[&["publish", "t"], &options[..]].concat()).code, 0);
    let updates = held(&hub, 6);
    assert_eq!(data(&updates)[..3], ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
    assert!(data(&updates)[3..].iter().all(|time| time.ends_with('Z') && time.len() == 24), "{updates:?}");
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let publish = |url: &str| run(&["publish", "t", "x", "--hub", url]);
    let problem = "content-type: application/problem+json\r\n\r\n{\"title\":\"T\",\"detail\":\"because\"}";
    for (status, code) in [("401 Unauthorized", 3), ("403 Forbidden", 3), ("400 Bad Request", 4), ("500 Oops", 5)] {
        let peer = Peer::answering([format!("HTTP/1.1 {status}\r\n{problem}").as_str()]);
        let ended = publish(&peer.url);
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{status}: {ended:?}");
        assert!(ended.stderr.contains("because") && ended.stderr.contains(&status[..3]), "{ended:?}");
    }
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let ended = publish(&closed);
    assert_eq!(ended.code, 5);
    assert!(ended.stderr.contains("Connection refused"), "{ended:?}");
    let broken = publish(&Peer::answering(["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n#a"]).url);
    assert_eq!(broken.code, 1, "{broken:?}");
}

#[test]
fn wrong_arguments_are_told_before_anything_is_sent() {
    let cases: [&[&str]; 4] = [
        &["publish", "t", "-", "--id", "x"],
        &["publish", "t", "x", "-n", "2"],
        &["publish", "t", "x", "--every", "1s", "--id", "x"],
        &["publish", "t", "x", "--hub", "hub.example.com:3000"],
    ];
    for arguments in cases {
        let ended = run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
    }
}

#[test]
fn a_token_goes_out_as_a_bearer() {
    let peer = Peer::answering(["HTTP/1.1 200 OK\r\n\r\n#a-1\n"]);
    let ended = run(&["publish", "t", "x", "--hub", &peer.url, "--token", "abc.def.ghi"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "#a-1\n"));
    assert!(peer.request().contains("authorization: bearer abc.def.ghi\n"));
}
