//! `fanfare subscribe`, against a real hub and against peers that follow a script.
use crate::{
    hub::Hub,
    peer::Peer,
    program::{Lines, PATIENCE, fanfare, run, run_with_input, signal},
};
use serde_json::Value;
use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

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

/// C10, C11, P25: after the end of a stream the told time is waited, and the last event ID sent, also when the stream
/// that ended had set none.
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

/// Each format, of the same two events and a comment.
#[test]
fn each_format_has_its_form() {
    let events = format!(
        "{STREAM}: c\n\nevent: e\nid: i\t1\nretry: 5\ndata: {{\"a\":{{\"b\":\"x\"}}}}\n\ndata: one\ndata: two\n\n"
    );
    let cases: [(&[&str], &str); 7] = [
        (&["--format", "data"], "{\"a\":{\"b\":\"x\"}}\none\ntwo\n"),
        (&["--format", "data", "--join"], "{\"a\":{\"b\":\"x\"}}one\ntwo"),
        (
            &["--format", "raw"],
            ": c\n\nevent: e\nretry: 5\nid: i\t1\ndata: {\"a\":{\"b\":\"x\"}}\n\ndata: one\ndata: two\n\n",
        ),
        (&["--field", "a.b", "--quiet"], "x\n"),
        (&["--format", "data", "--event", "message"], "one\ntwo\n"),
        (&["--format", "data", "--until", "one\ntwo"], "{\"a\":{\"b\":\"x\"}}\n"),
        (&["--format", "data", "-n", "1"], "{\"a\":{\"b\":\"x\"}}\n"),
    ];
    for (options, printed) in cases {
        let peer = Peer::answering([events.as_str(), STOP]);
        let ended = run(&[&["subscribe", &peer.url], options].concat());
        assert_eq!((ended.stdout.as_str(), ended.code, ended.stderr.as_str()), (printed, 0, ""), "{options:?}");
    }
    let peer = Peer::answering([events.as_str()]);
    let ended = run(&["subscribe", &peer.url, "--format", "data", "--timestamps", "-n", "1"]);
    let (time, data) = ended.stdout.split_once(' ').unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok() && data.starts_with('{'), "{ended:?}");
}

/// A language model is asked so: a body, headers, pieces of text, an end that the server names.
#[test]
fn a_request_may_have_a_method_headers_and_a_body() {
    let answer = format!("{STREAM}data: {{\"d\":\"Hel\"}}\n\ndata: {{\"d\":\"lo\"}}\n\ndata: [DONE]\n\n");
    let peer = Peer::answering([answer.as_str()]);
    let file = std::env::temp_dir().join(format!("fanfare-body-{}", std::process::id()));
    std::fs::write(&file, r#"{"stream":true}"#).unwrap();
    let body = format!("@{}", file.display());
    let options = ["-H", "X-Key: k", "-d", &body, "--field", "d", "--join", "--until", "[DONE]"];
    let ended = run(&[&["subscribe", &peer.url][..], &options].concat());
    std::fs::remove_file(&file).unwrap();
    assert_eq!((ended.stdout.as_str(), ended.code), ("Hello", 0), "{ended:?}");
    let request = peer.request();
    assert!(request.starts_with("post / http/1.1\n"), "{request}");
    for header in ["x-key: k", "content-type: application/json", "content-length: 15"] {
        assert!(request.contains(&format!("{header}\n")), "{request}");
    }
    // What was sent once is not sent again: the end of the response is the end.
    let peer = Peer::answering([answer.as_str()]);
    let ended = run(&["subscribe", &peer.url, "-X", "POST", "--format", "data"]);
    assert_eq!((ended.stdout.lines().count(), ended.code), (3, 0), "{ended:?}");
}

/// The ID of what was dealt with outlives the process, and no other: an event whose command fails comes again.
#[test]
fn a_state_file_carries_on_after_a_restart() {
    let file = std::env::temp_dir().join(format!("fanfare-state-{}", std::process::id()));
    let state = file.display().to_string();
    let answer =
        |ids: &[u8]| ids.iter().fold(STREAM.to_owned(), |text, id| text + &format!("id: {id}\ndata: {id}\n\n"));
    let fails_at_3 = "read x; test $x != 3 && echo \"$FANFARE_EVENT_ID $FANFARE_EVENT_TYPE $x\"";
    let peer = Peer::answering([answer(&[1, 2, 3, 4]).as_str(), answer(&[3, 4]).as_str()]);
    let first = run(&["subscribe", &peer.url, "--state", &state, "--exec", fails_at_3]);
    assert_eq!((first.stdout.as_str(), first.code), ("1 message 1\n2 message 2\n", 1), "{first:?}");
    assert!(first.stderr.contains("exit code 1"), "{first:?}");
    let second = run(&["subscribe", &peer.url, "--state", &state, "--format", "data", "-n", "2"]);
    assert_eq!((second.stdout.as_str(), second.code), ("3\n4\n", 0), "{second:?}");
    assert!(!peer.request().contains("last-event-id"));
    assert!(peer.request().contains("last-event-id: 2\n"));
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim_end(), "4");
    std::fs::remove_file(&file).unwrap();
}

/// A block that has nothing but an ID moves on, too: behind what was dealt with.
#[test]
fn an_id_without_an_event_is_kept_as_well() {
    let file = std::env::temp_dir().join(format!("fanfare-state-id-{}", std::process::id()));
    let state = file.display().to_string();
    let answer = format!("{STREAM}retry: 10\nid: 1\ndata: a\n\nid: 2\n\n: c\n\nid: 3\n\n");
    let peer = Peer::answering([answer.as_str(), STOP]);
    let ended = run(&["subscribe", &peer.url, "--state", &state, "--format", "data"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("a\n", 0), "{ended:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim_end(), "3");
    std::fs::remove_file(&file).unwrap();
    let peer = Peer::answering([answer.as_str(), STOP]);
    let ended = run(&["subscribe", &peer.url, "--format", "raw"]);
    assert_eq!(ended.stdout, "retry: 10\nid: 1\ndata: a\n\nid: 2\n\n: c\n\nid: 3\n\n", "a stream as it came");
}

/// The hub tells a place before the first update: who leaves before that misses nothing, and prints nothing of it.
#[test]
fn who_has_seen_no_update_yet_misses_none() {
    let hub = Hub::with(&["--memory", "--clock=false"]);
    let file = std::env::temp_dir().join(format!("fanfare-state-place-{}", std::process::id()));
    let (state, url) = (file.display().to_string(), hub.url.clone());
    let subscribe = ["subscribe", "t", "--hub", &url, "--state", &state, "--format", "data"];
    let child = fanfare().args(subscribe).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while std::fs::read_to_string(&file).unwrap_or_default().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no place is stored");
        thread::sleep(Duration::from_millis(10));
    }
    signal(i32::try_from(child.id()).unwrap(), "KILL");
    let output = child.wait_with_output().unwrap();
    assert_eq!((&*output.stdout, &*output.stderr), (&b""[..], &b""[..]));
    let place = std::fs::read_to_string(&file).unwrap();
    assert!(place.starts_with('#') && place.trim_end().ends_with("-0"), "{place:?}");
    assert_eq!(run(&["publish", "t", "missed", "--hub", &hub.url]).code, 0);
    let again = run(&[&subscribe[..], &["-n", "1"]].concat());
    assert_eq!((again.stdout.as_str(), again.code), ("missed\n", 0), "{again:?}");
    std::fs::remove_file(&file).unwrap();
}

/// What a hub tells of the connection is no event of a publisher: it is neither printed nor counted. The end of a hub
/// without room is followed by another attempt.
#[test]
fn what_a_hub_tells_of_the_connection_is_no_event() {
    let full = format!("{STREAM}retry: 10\nevent: fanfare.end\ndata: {{\"reason\":\"later\"}}\n\n");
    let start = "event: fanfare.start\nid: #e-4\ndata: {\"place\":\"#e-4\"}\n\n";
    let end = "event: fanfare.end\nid: #e-5\ndata: {\"reason\":\"now\"}\n\n";
    let stream = format!("{STREAM}{start}id: #e-5\ndata: one\n\n{end}");
    let peer = Peer::answering([full.as_str(), stream.as_str(), STOP]);
    let ended = run(&["subscribe", &peer.url, "--format", "data", "-n", "1"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("one\n", 0), "{ended:?}");

    let peer = Peer::answering([full.as_str(), stream.as_str()]);
    let ended = run(&["subscribe", &peer.url, "--format", "data", "--until", "{\"reason\":\"now\"}"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("one\n", 0), "unless it is what is waited for: {ended:?}");

    let peer = Peer::answering([stream.as_str()]);
    let ended = run(&["subscribe", &peer.url, "--format", "data", "--event", "fanfare.end", "-n", "1"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("{\"reason\":\"now\"}\n", 0), "unless it is asked for: {ended:?}");
}

#[test]
fn standard_input_is_a_stream_too() {
    let ended = run_with_input(&["subscribe", "-", "--format", "raw"], "id:1\r\ndata:é\r\n\r\ndata: cut off\n");
    assert_eq!((ended.stdout.as_str(), ended.code, ended.stderr.as_str()), ("id: 1\ndata: é\n\n", 0, ""));
}

#[test]
fn several_streams_are_followed_at_once() {
    let peers = ["one", "two"].map(|data| Peer::answering([&format!("{STREAM}retry: 10\ndata: {data}\n\n"), STOP]));
    let ended = run(&["subscribe", &peers[0].url, &peers[1].url]);
    let mut events: Vec<_> =
        json(&ended.stdout).into_iter().map(|event| (event["data"].clone(), event["origin"].clone())).collect();
    events.sort_by_key(|(data, _)| data.to_string());
    let expected = [("one", &peers[0]), ("two", &peers[1])].map(|(data, peer)| (data.into(), peer.url.as_str().into()));
    assert_eq!((events.as_slice(), ended.code), (&expected[..], 0), "{ended:?}");
}

#[test]
fn it_connects_again_as_often_as_is_wanted() {
    let stream = format!("{STREAM}retry: 1\ndata: x\n\n");
    let ended =
        run(&["subscribe", &Peer::answering([stream.as_str()]).url, "--reconnect", "never", "--format", "data"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("x\n", 0), "{ended:?}");
    let busy = "HTTP/1.1 503 Busy\r\nretry-after: 0\r\n\r\n";
    let peer = Peer::answering([busy, stream.as_str()]);
    let ended = run(&["subscribe", &peer.url, "--reconnect", "always", "--verbose", "--format", "data", "-n", "1"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("x\n", 0), "{ended:?}");
    assert!(ended.stderr.contains("503") && ended.stderr.contains("connected to"), "{ended:?}");
}

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
    let cases: [&[&str]; 6] = [
        &["subscribe"],
        &["subscribe", "t", "http://x.example/"],
        &["subscribe", "t", "-n", "0"],
        &["subscribe", "http://a.example/", "http://b.example/", "--state", "x"],
        &["subscribe", "t", "-H", "no header"],
        &["subscribe", "t", "--state", "x", "--last-event-id", "y"],
    ];
    for arguments in cases {
        assert_eq!(run(arguments).code, 2, "{arguments:?}");
    }
    let control = run(&["subscribe", "t", "--last-event-id", "a\u{c}b"]);
    assert_eq!(
        (control.code, control.stderr.contains("characters that cannot be sent in a header")),
        (2, true),
        "{control:?}"
    );
}
