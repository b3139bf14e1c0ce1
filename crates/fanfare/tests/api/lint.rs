//! `fanfare lint`: what is said of servers that do it wrong, and of ours.
use crate::{
    hub::Hub,
    peer::Peer,
    program::{Ended, run},
};
use serde_json::Value;

/// A head with which nothing is wrong but that it is HTTP/1.1.
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-cache, no-transform\r\nx-accel-buffering: no\r\naccess-control-allow-origin: *\r\n";

fn report(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// The rules that are broken, by severity.
fn rules<'a>(report: &'a Value, severity: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == severity);
    findings.map(|finding| finding["rule"].as_str().unwrap()).collect()
}

fn lint(peer: &Peer) -> Ended {
    run(&["lint", &peer.url, "--time=5s", "--format", "json"])
}

#[test]
fn our_own_hub_leaves_nothing_to_be_desired() {
    let hub = Hub::start();
    for data in ["one", "two\nlines", "three"] {
        assert_eq!(run(&["publish", "t", data, "--type", "news", "--hub", &hub.url]).code, 0);
    }
    let cases: [&[&str]; 2] = [&["--last-event-id", "earliest", "-n", "3"], &["--time=3s"]];
    for options in cases {
        let arguments = ["lint", "t", "--hub", &hub.url, "--format", "json"];
        let ended = run(&[&arguments, options].concat());
        let report = report(&ended);
        assert_eq!((ended.code, &report["errors"], &report["warnings"]), (0, &0.into(), &0.into()), "{ended:?}");
        assert_eq!(rules(&report, "note"), ["http-1", "cors-none"], "{ended:?}");
        assert_eq!((&report["status"], &report["ended"]), (&200.into(), &false.into()));
    }
}

#[test]
fn what_is_wrong_with_a_stream_is_told() {
    let stream = "\u{feff}Data: a\n\nid: 1\ndata: b\n\nid: 2\r\nretry: 5s\ndata: c\n\ndata: d\n\n: x\ndata: e\n";
    let peer = Peer::answering([
        format!("{HEAD}\r\n{stream}").as_str(),
        format!("{HEAD}\r\n{stream}").as_str(),
        format!("{HEAD}content-encoding: gzip\r\n\r\n").as_str(),
    ]);
    let ended = lint(&peer);
    let report = report(&ended);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(rules(&report, "error"), ["event-unfinished", "field-name-near-miss"], "{ended:?}");
    let warnings = ["connection-closed", "retry-no-number", "ids-missing", "resume-repeats"];
    assert_eq!(rules(&report, "warning"), warnings, "{ended:?}");
    assert_eq!(rules(&report, "note"), ["http-1", "byte-order-mark", "line-ends", "compressed"], "{ended:?}");
    assert_eq!((&report["events"], &report["comments"], &report["ended"]), (&3.into(), &1.into(), &true.into()));
    assert!(ended.stderr.contains("2 errors"), "{ended:?}");

    let [first, resumed, coded] = [(); 3].map(|()| peer.request());
    assert!(
        first.contains("accept-encoding: identity\n") && first.contains("origin: https://page.example\n"),
        "{first}"
    );
    assert!(!first.contains("last-event-id") && resumed.contains("last-event-id: 1\n"), "{first}{resumed}");
    assert!(coded.contains("accept-encoding: gzip"), "{coded}");
}

#[test]
fn what_is_no_stream_is_told_by_its_head() {
    let cases = [
        ("HTTP/1.1 404 Not Found\r\n\r\n", 4, &["status"][..]),
        ("HTTP/1.1 503 Busy\r\n\r\n", 4, &["status"]),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<p>", 4, &["content-type-wrong"]),
        ("HTTP/1.1 200 OK\r\n\r\nDate: x\n\n", 4, &["content-type-missing", "field-name-near-miss"]),
        ("HTTP/1.1 302 Found\r\nlocation: ftp://x.example/\r\n\r\n", 4, &["status"]),
    ];
    for (answer, code, errors) in cases {
        let ended = lint(&Peer::answering([answer]));
        assert_eq!((ended.code, rules(&report(&ended), "error").as_slice()), (code, errors), "{answer}: {ended:?}");
    }
    let ended = lint(&Peer::answering([""]));
    assert_eq!((ended.code, ended.stdout.as_str()), (5, ""), "{ended:?}");
}

#[test]
fn redirects_and_lengths_and_broken_ends_are_told() {
    let finite = format!("{HEAD}content-length: 9\r\n\r\ndata: x\n\n");
    let peer = Peer::answering(["HTTP/1.1 307 Onward\r\nlocation: /next\r\n\r\n", finite.as_str()]);
    let ended = lint(&peer);
    let found = report(&ended);
    assert_eq!((ended.code, rules(&found, "warning")), (0, vec!["content-length", "connection-closed"]), "{ended:?}");
    assert_eq!(rules(&found, "note"), ["redirect", "http-1", "no-ids"], "{ended:?}");
    assert!(found["url"].as_str().unwrap().ends_with("/next"), "{ended:?}");

    let broken = format!("{HEAD}transfer-encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n9\r\nda");
    let ended = lint(&Peer::answering([broken.as_str()]));
    assert_eq!(rules(&report(&ended), "warning"), ["connection-broken"], "{ended:?}");
}

/// A request with a body is not sent again.
#[test]
fn a_post_is_sent_once() {
    let peer = Peer::answering([format!("{HEAD}\r\nid: 1\ndata: x\n\nid: 2\ndata: y\n\n").as_str()]);
    let ended = run(&["lint", &peer.url, "-d", "{}", "-n", "2", "--format", "json"]);
    assert_eq!((ended.code, rules(&report(&ended), "error").len()), (0, 0), "{ended:?}");
    assert!(peer.request().starts_with("post / http/1.1\n"));
}

#[test]
fn for_people_it_is_readable_and_harmless() {
    let peer = Peer::answering([format!("{HEAD}\r\n\u{1b}[2Jdata: x\n\n").as_str()]);
    let ended = run(&["lint", &peer.url]);
    let text = &ended.stdout;
    assert!(text.contains("\nwarning unknown-field\n  seen: `\\u{1b}[2Jdata: x` in line 1, at byte 0\n"), "{text}");
    assert!(text.contains("\n  why:  ") && text.contains("\n  do:   ") && !text.contains('\u{1b}'), "{text}");
    assert!(text.ends_with("\n0 errors, 2 warnings, 1 note\n"), "{text}");
}

#[test]
fn it_is_for_one_stream_and_for_no_events() {
    let cases: [(&[&str], &str); 7] = [
        (&[], "required"),
        (&["-"], "one stream"),
        (&["http://a.example/", "http://b.example/"], "one stream"),
        (&["t", "--format", "raw"], "invalid value 'raw'"),
        (&["t", "--exec", "true"], "unexpected argument '--exec'"),
        (&["t", "--until", "x"], "unexpected argument '--until'"),
        (&["t", "--time=soon"], "invalid value 'soon'"),
    ];
    for (arguments, said) in cases {
        let ended = run(&[&["lint"], arguments].concat());
        assert!(ended.code == 2 && ended.stderr.contains(said), "{arguments:?}: {ended:?}");
    }
}

/// The option of `subscribe` that it was.
#[test]
fn the_old_name_leads_to_the_new_one() {
    let cases: [&[&str]; 3] =
        [&["http://127.0.0.1:1/", "--lint"], &["t", "--lint=5s", "--format", "json"], &["--lint"]];
    for arguments in cases {
        let ended = run(&[&["subscribe"], arguments].concat());
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (
                2,
                "error: the option --lint was removed: use `fanfare lint URL` to see what is wrong with an event stream\n"
            ),
            "{arguments:?}"
        );
    }
}

/// A header that is taken away is not sent, and one that is given is.
#[test]
fn headers_are_as_they_are_given() {
    let peer = Peer::answering([format!("{HEAD}\r\ndata: x\n\n").as_str(); 2]);
    let ended = run(&["lint", &peer.url, "-n", "1", "-H", "Cache-Control:", "-H", "X-Key: a", "--format", "json"]);
    let request = peer.request();
    assert!(request.contains("x-key: a\n") && !request.contains("cache-control"), "{request}{ended:?}");
}

/// A stream that never ends is looked at up to 16 MiB, whatever it is made of.
#[test]
fn what_is_looked_at_is_bounded() {
    let endless = format!("{HEAD}\r\n{}", "data: x\n".repeat((17 << 20) / 8));
    let ended = lint(&Peer::answering([endless.as_str()]));
    let found = report(&ended);
    let bytes = found["bytes"].as_u64().unwrap();
    assert!((16 << 20..(16 << 20) + (64 << 10)).contains(&bytes), "{bytes}");
    assert_eq!((rules(&found, "error"), &found["ended"]), (vec!["event-unfinished"], &false.into()));
}
