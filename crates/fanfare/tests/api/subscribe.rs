//! `fanfare subscribe`, against a real hub and against peers that follow a script.
use crate::{
    hub::Hub,
    peer::Peer,
    program::{Lines, fanfare, run},
};
use serde_json::Value;
use std::process::Stdio;

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const STOP: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_published_is_printed_at_once() {
    let hub = Hub::start();
    let mut command = fanfare();
    command.args(["subscribe", "news", "--topic", "https://x.example/1", "--hub", &hub.url, "-n", "2"]);
    let mut child = command.args(["--last-event-id", "earliest"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = Lines::of(child.stdout.take().unwrap());
    for (topic, data) in [("news", "{\"a\": 1}"), ("other", "x"), ("https://x.example/1", "two\nlines")] {
        assert_eq!(run(&["publish", topic, data, "--type", "t", "--hub", &hub.url]).code, 0);
    }
    // JSON in a pipe: the same object that the hub gives to those who ask it for JSON lines.
    let first: Value = serde_json::from_str(&lines.next()).unwrap();
    assert_eq!(
        (&first["topics"][0], &first["type"], &first["data"]),
        (&"news".into(), &"t".into(), &"{\"a\": 1}".into())
    );
    let rest = lines.rest();
    assert_eq!(rest.len(), 1);
    assert_eq!(json(&rest[0])[0]["data"], "two\nlines");
    assert!(child.wait().unwrap().success());
}

/// C10, C11, P25: after the end of a stream the told time is waited, and the last event ID sent, also when the stream that
/// ended had set none.
#[test]
fn a_lost_stream_is_resumed_from_the_last_event_id() {
    let first = format!("{STREAM}retry: 10\nid: é1\ndata: one\n\ndata: lost with the connection\n");
    let second = format!("{STREAM}data: two\n\n");
    let busy = "HTTP/1.1 503 Busy\r\n\r\n";
    let peer = Peer::answering([first.as_str(), busy, second.as_str(), STOP]);
    let ended = run(&[&["subscribe"], &[format!("{}/sse", peer.url).as_str()][..]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    let events = json(&ended.stdout);
    assert_eq!(events.iter().map(|event| event["data"].as_str().unwrap()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(events[1]["id"], "é1");
    let requests = [(); 4].map(|()| peer.request());
    assert!(requests[0].starts_with("get /sse http/1.1\n") && requests[0].contains("accept: text/event-stream\n"));
    assert!(!requests[0].contains("last-event-id"));
    for request in &requests[1..] {
        assert!(request.contains("last-event-id: é1\n"), "{request}");
    }
}

/// C4, C5: what is no event stream fails for good, with an exit code that tells why.
#[test]
fn the_first_attempt_must_give_an_event_stream() {
    let cases = [
        ("HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8;\r\n\r\ndata: x\n\n", 0),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<p>", 4),
        ("HTTP/1.1 200 OK\r\n\r\ndata: x\n\n", 4),
        ("HTTP/1.1 204 No Content\r\n\r\n", 0),
        ("HTTP/1.1 206 Partial\r\ncontent-type: text/event-stream\r\n\r\ndata: x\n\n", 4),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", 3),
        ("HTTP/1.1 404 Not Found\r\n\r\n", 4),
        ("HTTP/1.1 503 Busy\r\n\r\n", 5),
        ("", 5),
    ];
    for (answer, code) in cases {
        let peer = Peer::answering([answer]);
        let ended = run(&["subscribe", &peer.url, "-n", "1"]);
        assert_eq!(ended.code, code, "{answer}: {ended:?}");
    }
}

/// C7: redirects are followed, relative ones too; the token stays with the server that was named.
#[test]
fn redirects_are_followed_and_keep_the_token_at_home() {
    let other = Peer::answering([format!("{STREAM}data: there\n\n").as_str()]);
    let onward = format!("HTTP/1.1 307 Onward\r\nlocation: {}/there\r\n\r\n", other.url);
    let peer = Peer::answering(["HTTP/1.1 302 Found\r\nlocation: ../b?c\r\n\r\n", onward.as_str()]);
    let ended = run(&["subscribe", &format!("{}/a/", peer.url), "--token", "a.b.c", "-n", "1"]);
    assert_eq!(json(&ended.stdout)[0]["data"], "there", "{ended:?}");
    let requests = [peer.request(), peer.request()];
    assert!(requests[1].starts_with("get /b?c http/1.1\n"), "{}", requests[1]);
    assert!(requests.iter().all(|request| request.contains("authorization: bearer a.b.c\n")));
    assert!(!other.request().contains("authorization"));

    let turn = "HTTP/1.1 301 Round\r\nlocation: {self}/\r\n\r\n";
    let ended = run(&["subscribe", &Peer::answering([turn; 21]).url]);
    assert_eq!((ended.code, ended.stderr.contains("redirects more than 20 times")), (4, true), "{ended:?}");
}

#[test]
fn for_people_it_is_readable_and_harmless() {
    let events = format!("{STREAM}event: greeting\nid: 7\ndata: {{\"a\":\ndata: [1]}}\n\ndata: \u{1b}[31mred\n\n");
    let ended = run(&["subscribe", &Peer::answering([events.as_str()]).url, "--format", "pretty", "-n", "2"]);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].ends_with(" greeting 7"), "{lines:?}");
    assert_eq!(lines[1..6], ["    {", "      \"a\": [", "        1", "      ]", "    }"]);
    assert!(lines[6].ends_with(" message 7  \\u{1b}[31mred"), "{lines:?}");
}

/// The reader of the pipe goes: `fanfare subscribe … | head -1`.
#[test]
fn a_closed_pipe_is_the_end_and_no_failure() {
    let hub = Hub::start();
    let mut command = fanfare();
    command.args(["subscribe", "t", "--hub", &hub.url, "--last-event-id", "earliest"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(run(&["publish", "t", "x", "--hub", &hub.url]).code, 0);
    let ended = crate::program::end(child);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}

#[test]
fn a_gap_is_printed_as_the_event_that_it_is() {
    let hub = Hub::start();
    let arguments = ["subscribe", "t", "--hub", &hub.url, "--last-event-id", "no-such-id", "-n", "1"];
    let ended = run(&arguments);
    let event = &json(&ended.stdout)[0];
    assert_eq!(
        (&event["type"], event["data"].as_str().unwrap().contains("\"unknown\"")),
        (&"fanfare.gap".into(), true)
    );
}

#[test]
fn wrong_arguments_are_told() {
    for arguments in [&["subscribe"][..], &["subscribe", "t", "http://x.example/"], &["subscribe", "t", "-n", "0"]] {
        assert_eq!(run(arguments).code, 2, "{arguments:?}");
    }
    let control = run(&["subscribe", "t", "--last-event-id", "a\u{c}b"]);
    assert_eq!((control.code, control.stderr.contains("what no request can carry")), (2, true), "{control:?}");
}
