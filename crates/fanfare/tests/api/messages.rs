//! The parties that messages name: the hub, a server, a proxy, or the one URL of several that failed.
use crate::{
    peer::Peer,
    program::{PATIENCE, run},
};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener},
    thread,
};

/// The answer of a server that can be asked again soon.
const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nretry: 10\n\n";
const STOP: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A server that says this to whoever connects, whatever it is sent.
fn blurting(said: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Something of the request, so that closing does not reset the connection.
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(said).and_then(|()| stream.shutdown(Shutdown::Write));
        let _ = stream.read(&mut [0; 4096]);
    });
    address
}

#[test]
fn a_foreign_server_is_not_the_hub() {
    let answers = ["HTTP/1.1 404 Not Found\r\n\r\nno such stream", "HTTP/1.1 401 Unauthorized\r\n\r\n"];
    for answer in answers.iter().chain(&["HTTP/1.1 503 Busy\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", ""]) {
        for arguments in [&["subscribe"][..], &["relay", "-t", "a"]] {
            let peer = Peer::answering([answer]);
            let ended = run(&[arguments, &[format!("{}/sse?key=secret", peer.url).as_str()]].concat());
            // The first line warns of the secret in the argument.
            let said = ended.stderr.lines().find(|line| !line.starts_with("warning:")).unwrap();
            assert!(said.contains(&format!("{}/sse", peer.url)) && !said.contains("the hub"), "{answer}: {said}");
            assert!(!ended.stderr.contains("secret"), "{ended:?}");
        }
    }
    let peer = Peer::answering([answers[0]]);
    assert!(run(&["subscribe", &peer.url]).stderr.contains("no such stream"), "what it says is shown");
    let peer = Peer::answering([answers[1]]);
    let relayed = run(&["relay", &peer.url, "-t", "a"]).stderr;
    assert!(relayed.contains("-H 'Authorization") && relayed.contains("--token is for the hub"), "{relayed}");
    // The hub is.
    for arguments in [&["subscribe", "t"][..], &["publish", "t", "x"]] {
        let ended = run(&[arguments, &["--hub", &Peer::answering([answers[1]]).url]].concat());
        assert!(ended.stderr.contains("the hub answers 401") && ended.stderr.contains("FANFARE_TOKEN"), "{ended:?}");
        let ended = run(&[arguments, &["--hub", &format!("http://{}", nobody())]].concat());
        assert!(ended.stderr.contains("cannot reach the hub at 127.0.0.1:"), "{ended:?}");
    }
    let moved = Peer::answering(["HTTP/1.1 301 Moved\r\nlocation: https://hub.example/\r\n\r\n"]);
    let ended = run(&["publish", "t", "x", "--hub", &moved.url]);
    assert!(ended.stderr.contains("which redirects to https://hub.example/"), "{ended:?}");
}

#[test]
fn of_several_the_one_that_failed_is_named() {
    let fine = Peer::answering([STREAM, STREAM, STREAM, STREAM]);
    let bad = Peer::answering(["HTTP/1.1 404 Not Found\r\n\r\n"]);
    let ended = run(&["subscribe", &format!("{}/fine", fine.url), &format!("{}/bad?topic=x", bad.url)]);
    assert!(ended.stderr.contains(&format!("{}/bad?topic=x answers 404", bad.url)), "{ended:?}");
    let gone = nobody();
    let ended = run(&["subscribe", &format!("{}/fine", fine.url), &format!("http://{gone}/gone")]);
    assert!(ended.stderr.contains(&format!("cannot reach http://{gone}/gone")), "{ended:?}");
}

/// A redirect leads to somebody else, who is named by his address.
#[test]
fn whom_a_redirect_leads_to_is_named() {
    let gone = nobody();
    let lost = format!("HTTP/1.1 302 Found\r\nlocation: http://{gone}/there?key=secret\r\n\r\n");
    for arguments in [&["lint"][..], &["subscribe"], &["relay", "-t", "a"]] {
        let peer = Peer::answering([lost.as_str()]);
        let ended = run(&[arguments, &[peer.url.as_str()]].concat());
        let said = format!("cannot reach http://{gone}/there?key=******** (redirected from {}/): ", peer.url);
        assert!(ended.code == 5 && ended.stdout.is_empty() && ended.stderr.contains(&said), "{ended:?}");
    }
    let peer = Peer::answering([lost.as_str()]);
    let ended = run(&["subscribe", "t", "--hub", &peer.url]);
    let host = peer.url.trim_start_matches("http://");
    assert!(ended.stderr.contains(&format!("(redirected from the hub at {host}): ")), "{ended:?}");

    let broken = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\nda";
    for (answer, said) in [
        ("HTTP/1.1 404 Not Found\r\n\r\n", "{there} answers 404"),
        ("HTTP/1.1 200 OK\r\n\r\n", "{there} (redirected from"),
        (broken, "the stream from {there} (redirected from"),
    ] {
        let other = Peer::answering([answer]);
        let there = format!("{}/there", other.url);
        let peer = Peer::answering([format!("HTTP/1.1 307 Onward\r\nlocation: {there}\r\n\r\n").as_str()]);
        let ended = run(&["subscribe", &peer.url, "--reconnect", "never"]);
        assert!(ended.stderr.contains(&said.replace("{there}", &there)), "{answer}: {ended:?}");
    }
}

#[test]
fn a_stream_that_broke_was_reached() {
    let broken = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n9\r\nda";
    for more in [&["--reconnect", "never"][..], &["-d", "{}"]] {
        let peer = Peer::answering([broken]);
        let ended = run(&[&["subscribe", &peer.url, "--format", "data"], more].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (1, "x\n"), "{ended:?}");
        assert!(ended.stderr.contains("broke") && !ended.stderr.contains("cannot reach"), "{ended:?}");
        assert!(ended.stderr.contains(&peer.url), "{ended:?}");
    }
    // Neither was one that closes the connection instead of answering.
    let ended = run(&["publish", "t", "x", "--hub", &Peer::answering([""]).url]);
    assert_eq!(ended.code, 5);
    assert!(ended.stderr.contains("does not answer") && !ended.stderr.contains("cannot reach"), "{ended:?}");
}

#[test]
fn an_address_without_its_scheme_gets_a_hint() {
    let hub = format!("http://{}", nobody());
    for argument in ["localhost:3000/topics/x", "example.com/events", "127.0.0.1:1"] {
        for arguments in [&["subscribe", argument, "--hub", &hub][..], &["relay", argument, "-t", "a"]] {
            let ended = run(arguments);
            assert_ne!(ended.code, 0);
            assert!(ended.stderr.contains(&format!("http://{argument}")), "{ended:?}");
        }
        let ended = run(&["load", argument]);
        assert!(ended.code == 2 && ended.stderr.contains(&format!("http://{argument}")), "{ended:?}");
    }
    // Topics may have dots, colons and slashes.
    for topic in ["order.created", "books/1", "user:42", "urn:x:1"] {
        let ended = run(&["subscribe", topic, "--hub", &hub]);
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
    // A scheme is one in capitals, too.
    let peer = Peer::answering([STREAM, STOP]);
    assert_eq!(run(&["subscribe", &peer.url.replace("http", "HTTP")]).code, 0);
}

#[test]
fn tls_where_there_is_none_and_the_other_way_round_are_told() {
    let plain = blurting(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let ended = run(&["subscribe", &format!("https://{plain}/")]);
    assert!(ended.code == 5 && ended.stderr.contains("http:// in place of https://"), "{ended:?}");
    // An alert: "unexpected message".
    let secure = blurting(b"\x15\x03\x01\x00\x02\x02\x0a");
    let ended = run(&["subscribe", &format!("http://{secure}/")]);
    assert!(ended.code == 5 && ended.stderr.contains("https:// in place of http://"), "{ended:?}");
    let secure = blurting(b"\x15\x03\x03\x00\x02\x02\x0a");
    let ended = run(&["publish", "t", "x", "--hub", &format!("http://{secure}/")]);
    assert!(ended.code == 5 && ended.stderr.contains("https:// in place of http://"), "{ended:?}");
}

/// A server that is lost for a while is named too.
#[test]
fn a_connection_that_is_lost_is_named() {
    let one = Peer::answering([&format!("{STREAM}data: x\n\n"), STOP]);
    let other = Peer::answering([STREAM, STOP]);
    let ended = run(&["subscribe", &format!("{}/one", one.url), &format!("{}/other", other.url), "--verbose"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for said in ["connected to {}/one", "{}/one: the server ended the stream; reconnecting in"] {
        assert!(ended.stderr.contains(&said.replace("{}", &one.url)), "{said}: {ended:?}");
    }
}

/// The words of a server about its refusal are shown, whatever its status is.
#[test]
fn the_body_of_a_refusal_is_shown() {
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"error\":\"no credit\"}";
    for (answer, said) in [
        ("HTTP/1.1 404 Not Found\r\n\r\n{\"detail\":\"no model\"}", "no model"),
        ("HTTP/1.1 429 Slow\r\n\r\nwait a minute", "wait a minute"),
        ("HTTP/1.1 503 Busy\r\n\r\nback soon", "back soon"),
        (json, "no credit"),
    ] {
        for arguments in [&["subscribe"][..], &["subscribe", "--reconnect", "never"], &["relay", "-t", "a"]] {
            let peer = Peer::answering([answer]);
            let ended = run(&[arguments, &[&peer.url]].concat());
            assert!(ended.code > 2 && ended.stderr.contains(said), "{answer}: {ended:?}");
        }
    }
}

#[test]
fn arguments_may_be_long() {
    let long = "x".repeat(100_000);
    let url = format!("http://127.0.0.1:1/{long}");
    let cases: [&[&str]; 9] = [
        &["subscribe", &long],
        &["subscribe", "--topic", &long],
        &["subscribe", &url],
        &["lint", &url],
        &["publish", &long, "x"],
        &["publish", "t", "x", "--id", &long],
        &["publish", "t", "x", "--type", &long],
        &["relay", &url, "-t", "a"],
        &["publish", "t", "x", "--hub", &url],
    ];
    for arguments in cases {
        let ended = run(arguments);
        assert_eq!(ended.code, 2, "{:?}: {}", arguments[0], ended.stderr.chars().take(300).collect::<String>());
        assert!(!ended.stderr.contains("panicked"), "{}", arguments[0]);
    }
    let topics: Vec<String> = (0..40).flat_map(|_| ["-t".to_owned(), "y".repeat(4_000)]).collect();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let ended = run(&[&["relay", "http://127.0.0.1:1/"], &topics[..]].concat());
    assert!(ended.code == 2 && ended.stderr.contains("65534 are allowed"), "{ended:?}");
}

/// Text that is almost a URL of the web.
#[test]
fn a_beginning_that_is_not_meant_is_put_right() {
    let hub = format!("http://{}", nobody());
    for (given, meant) in [
        ("ws://h.example/x", "http://h.example/x"),
        ("wss://h.example/x", "https://h.example/x"),
        ("http;//h.example/x", "http://h.example/x"),
        ("http:/h.example/x", "http://h.example/x"),
        (" http://h.example/x", "http://h.example/x"),
    ] {
        let ended = run(&["subscribe", given, "--hub", &hub]);
        assert!(ended.stderr.contains(&format!("give {meant}")), "{ended:?}");
        // Blanks, and a slash that lacks, are put right by who reads URLs.
        let is_understood = given.starts_with(' ') || given.starts_with("http:/h");
        for arguments in [&["relay", given, "-t", "a"][..], &["publish", "t", "x", "--hub", given]] {
            let ended = run(arguments);
            let told = ended.code == 2 && ended.stderr.contains(meant);
            assert!(told || is_understood, "{arguments:?}: {ended:?}");
        }
    }
}
