//! Answers of servers that say something in their middle, and how they come out: errors, ends that are missing,
//! numbers.
use crate::{
    hub::Hub,
    peer::Peer,
    program::{Ended, run, run_with_input},
};

/// The answer of a server that can be asked again soon.
const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: 10\n\n";
const STOP: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const FIELD: [&str; 5] = ["--field", "choices.0.delta.content", "--join", "--until", "[DONE]"];
const HALF: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n";

fn ask(events: &str, options: &[&str]) -> Ended {
    let answer = format!("{STREAM}{events}");
    let peer = Peer::answering([answer.as_str(), STOP]);
    run(&[&["subscribe", &peer.url], options].concat())
}

#[test]
fn an_answer_that_does_not_come_to_its_end_fails() {
    let until = ["--until", "[DONE]", "--format", "data"];
    let ended = ask("data: x\n\n", &until);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, "x\n"), "{ended:?}");
    assert!(ended.stderr.contains("the stream ended before \"[DONE]\" arrived"), "{ended:?}");
    for more in [&["-d", "{}"][..], &["--reconnect", "never"]] {
        assert_eq!(ask("data: x\n\n", &[&until[..], more].concat()).code, 1, "{more:?}");
    }
    assert_eq!(run_with_input(&["subscribe", "-", "--until", "[DONE]"], "data: x\n\n").code, 1);
    // It did, or there was enough before.
    assert_eq!(ask("data: x\n\ndata: [DONE]\n\n", &until).code, 0);
    assert_eq!(ask("data: x\n\n", &[&until[..], &["-n", "1"]].concat()).code, 0);
}

/// The status was 200, and the connection breaks before the length that was promised, or before the last chunk.
#[test]
fn an_answer_that_is_cut_in_its_middle_fails_where_it_is_not_asked_for_again() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    let answers = [
        format!("{head}content-length: 1000\r\n\r\nretry: 10\ndata: x\n\ndata: y"),
        format!("{head}transfer-encoding: chunked\r\n\r\n13\r\nretry: 10\ndata: x\n\n\r\nff\r\ndata: y"),
    ];
    for answer in &answers {
        for options in [&["-d", "{}"][..], &["-X", "POST"], &["--reconnect", "never"]] {
            let peer = Peer::answering([answer.as_str()]);
            let ended = run(&[&["subscribe", &peer.url, "--format", "data"], options].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (1, "x\n"), "{options:?}: {ended:?}");
            assert!(ended.stderr.contains(" broke: "), "{options:?}: {ended:?}");
        }
        // A stream that may be resumed is, as by EventSource.
        let peer = Peer::answering([answer.as_str(), STOP]);
        let ended = run(&["subscribe", &peer.url, "--format", "data"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (0, "x\n"), "{ended:?}");
    }
}

/// An error may come with the status 200 and be no stream at all.
#[test]
fn an_answer_that_is_no_stream_fails_and_is_shown() {
    for (kind, body, reason) in [
        ("application/json", "{\"error\":{\"message\":\"no such model\"}}", "no such model"),
        ("text/plain", "out of memory", "out of memory"),
    ] {
        for (length, is_cut) in [(body.len(), false), (body.len() + 100, true)] {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}");
            for options in [&[][..], &["-d", "{}"], &["--reconnect", "never"]] {
                let peer = Peer::answering([answer.as_str()]);
                let ended = run(&[&["subscribe", &peer.url], options].concat());
                assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{kind} {is_cut} {options:?}: {ended:?}");
                assert!(ended.stderr.contains(reason), "{kind} {is_cut} {options:?}: {ended:?}");
            }
        }
    }
}

#[test]
fn an_answer_that_says_that_it_failed_fails() {
    let cases = [
        ("data: {\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit\"}}\n\n", "rate_limit: slow down"),
        (
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Busy\"}}\n\n",
            "Busy",
        ),
        ("event: error\ndata: out of memory\n\n", "out of memory"),
        ("data: {\"error\":\"no such model\"}\n\ndata: [DONE]\n\n", "no such model"),
        (
            "data: {\"choices\":[{\"delta\":{\"content\":\"\"}}],\"error\":{\"code\":502,\"message\":\"gone\"}}\n\n",
            "502: gone",
        ),
    ];
    for (event, reason) in cases {
        let events = format!("{HALF}{event}");
        let ended = ask(&events, &FIELD);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, "Hel"), "{event}: {ended:?}");
        assert!(ended.stderr.contains(reason) && ended.stderr.contains("http://127.0.0.1:"), "{event}: {ended:?}");
        // What is printed whole is printed, and fails all the same.
        let ended = ask(&events, &["-d", "{}", "--format", "data"]);
        assert_eq!((ended.code, ended.stdout.lines().count()), (1, 2), "{event}: {ended:?}");
        assert_eq!(ask(&events, &["--event", "content", "--until", "x"]).code, 1, "whatever types are wanted");
        let piped = run_with_input(&[&["subscribe", "-"], &FIELD[..]].concat(), &events);
        assert_eq!((piped.code, piped.stdout.as_str()), (1, "Hel"), "{piped:?}");
    }
}

/// An event of this type is an event like others in a hub, and for whoever asks for it.
#[test]
fn what_is_called_an_error_is_not_always_one() {
    let events = "event: error\ndata: {\"error\":\"a\"}\n\ndata: {\"error\":\"b\"}\n\n";
    let cases: [(&[&str], usize); 4] = [
        (&["--format", "data", "--event", "error", "-d", "{}"], 1),
        (&["--field", "error"], 2),
        (&["--field", "error", "--event", "error"], 1),
        (&["--format", "data", "--until", "x", "-n", "2", "--event", "error", "--event", "message"], 2),
    ];
    for (options, lines) in cases {
        let ended = ask(events, options);
        assert_eq!((ended.code, ended.stdout.lines().count()), (0, lines), "{options:?}: {ended:?}");
    }
    let fine = "data: {\"error\":null,\"a\":1}\n\ndata: [DONE]\n\n";
    assert_eq!(ask(fine, &["--field", "a", "--until", "[DONE]"]).code, 0);
    let hub = Hub::start();
    assert_eq!(run(&["publish", "t", "{\"error\":\"x\"}", "--type", "error", "--hub", &hub.url]).code, 0);
    let arguments = ["subscribe", "t", "--hub", &hub.url, "--last-event-id", "earliest", "-n", "1", "--field", "error"];
    assert_eq!((run(&arguments).code, run(&arguments).stdout.as_str()), (0, "x\n"));
}

/// A stream may have no end, and an error in it be its application's: the command goes on, and its exit code tells of
/// it.
#[test]
fn a_stream_that_told_of_an_error_goes_on_and_failed() {
    let error = "event: error\ndata: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    for events in [format!("data: a\n\n{error}"), format!("{error}data: a\n\n")] {
        let format = ["--format", "data"];
        let ended = ask(&events, &format);
        let counted = ask(&events, &[&format[..], &["-n", "2"]].concat());
        let once = ask(&events, &[&format[..], &["--reconnect", "never"]].concat());
        let piped = run_with_input(&["subscribe", "-", "--format", "data"], &events);
        for ended in [ended, counted, once, piped] {
            assert_eq!((ended.code, ended.stdout.lines().count()), (1, 2), "{ended:?}");
            assert!(ended.stderr.contains("overloaded"), "{ended:?}");
        }
    }
    assert_eq!(ask(&format!("data: a\n\n{error}"), &["-n", "1"]).code, 0, "nobody waited for it");
}

/// A server that ends each of its answers is not asked for ever.
#[test]
fn streams_that_end_without_the_last_event_are_told_and_come_to_an_end() {
    let until = ["--until", "[DONE]", "--format", "data"];
    let answers = |events: [&str; 4]| events.map(|events| format!("{STREAM}{events}"));
    let same = answers(["data: x\n\n"; 4]);
    let peer = Peer::answering(same.each_ref().map(String::as_str));
    let ended = run(&[&["subscribe", &peer.url], &until[..]].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (1, "x\nx\nx\n"), "{ended:?}");
    assert_eq!(ended.stderr.matches("ended the stream before \"[DONE]\" arrived").count(), 2, "{ended:?}");
    assert!(ended.stderr.contains("ended 3 streams in a row before"), "{ended:?}");
    // What brings something new goes on.
    let new = answers(["id: 1\ndata: x\n\n", "id: 2\ndata: x\n\n", "id: 3\ndata: x\n\n", "data: [DONE]\n\n"]);
    let peer = Peer::answering(new.each_ref().map(String::as_str));
    let ended = run(&[&["subscribe", &peer.url], &until[..]].concat());
    assert_eq!((ended.code, ended.stdout.lines().count()), (0, 3), "{ended:?}");
}

#[test]
fn what_cannot_be_read_for_a_field_is_told() {
    let events = |count: usize| "data: no JSON\n\n".repeat(count) + "data: {\"a\":1}\n\n";
    let ended = ask(&events(1), &["--field", "a"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "1\n"), "{ended:?}");
    assert!(ended.stderr.contains("whose data is not JSON") && ended.stderr.contains("no JSON"), "{ended:?}");
    // Not for ever.
    let ended = ask(&events(50), &["--field", "a"]);
    assert_eq!(ended.stderr.lines().count(), 4, "{ended:?}");
    assert!(ended.stderr.contains("47 more events are skipped"), "{ended:?}");
    // A path that no event has.
    let ended = ask("data: {\"a\":1}\n\ndata: {\"b\":1}\n\n", &["--field", "c.d"]);
    assert!(ended.stderr.contains("no event has the field c.d: 2 events are skipped"), "{ended:?}");
    assert_eq!(ask(&events(9), &["--field", "a", "-q"]).stderr, "");
}

#[test]
fn numbers_come_out_as_they_came_in() {
    let numbers = "[100000000000000000001,1.10,-0,1e400,0.1e-7,1E5]";
    let events = format!("data: {{\"n\":{numbers},\"big\":100000000000000000001,\"x\":1.10}}\n\n");
    let cases: [(&[&str], &str); 6] = [
        (&["--field", "n"], numbers),
        (&["--field", "big"], "100000000000000000001"),
        (&["--field", "x"], "1.10"),
        (&["--field", "n.3"], "1e400"),
        (&["--format", "pretty"], "        100000000000000000001,\n        1.10,\n        -0,\n        1e400,\n"),
        (&["--format", "json"], "\\\"big\\\":100000000000000000001,\\\"x\\\":1.10"),
    ];
    for (options, printed) in cases {
        let ended = ask(&events, options);
        assert!(ended.stdout.contains(printed), "{options:?}: {}", ended.stdout);
    }
    // What spans lines is one line for a program.
    assert_eq!(ask("data: {\"a\":\ndata: [1.10,\ndata:  2]}\n\n", &["--field", "a"]).stdout, "[1.10,2]\n");
}
