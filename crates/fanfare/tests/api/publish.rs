//! `fanfare publish`, against a real hub and against peers that fail.
use crate::{
    hub::Hub,
    peer::{BodyPeer, Peer, read_request},
    program::{Ended, Lines, PATIENCE, end, fanfare, run, run_with_input, signal},
};
use fanfare_load::port;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdin, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Returns the updates that the hub holds, as `subscribe` prints them.
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

/// A subscriber that is there, and has got `begin`. It ends when it has got so much more.
fn subscribing(hub: &Hub, count: usize) -> (Child, Lines) {
    let mut command = fanfare();
    command.args(["subscribe", "*", "--hub", &hub.url, "--format", "data", "-n", &(count + 1).to_string()]);
    let mut child = command.args(["--last-event-id", "earliest"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = Lines::of(child.stdout.take().unwrap());
    assert_eq!(run(&["publish", "t", "begin", "--hub", &hub.url]).code, 0);
    assert_eq!(lines.next(), "begin");
    (child, lines)
}

#[test]
fn what_expires_reaches_those_who_are_there_and_nobody_later() {
    let hub = Hub::start();
    let (mut child, lines) = subscribing(&hub, 5);
    let publishes: [(&[&str], &str); 3] = [
        (&["--ttl", "1ms", "single"], ""),
        (&["--ttl", "1ms"], "line 1\nline 2\n"),
        (&["--ttl", "1ms", "at intervals {count}", "--every", "1ms", "-n", "2"], ""),
    ];
    for (arguments, input) in publishes {
        let published = run_with_input(&[&["publish", "t", "--hub", &hub.url], arguments].concat(), input);
        assert_eq!(published.code, 0, "{published:?}");
    }
    assert_eq!(lines.rest(), ["single", "line 1", "line 2", "at intervals 1", "at intervals 2"]);
    assert!(child.wait().unwrap().success());
    for ttl in ["10m", "1w"] {
        assert_eq!(run(&["publish", "t", ttl, "--ttl", ttl, "--hub", &hub.url]).code, 0);
    }
    assert_eq!(data(&held(&hub, 3)), ["begin", "10m", "1w"]);
    let wrong = run(&["publish", "t", "x", "--ttl", "soon", "--hub", &hub.url]);
    assert_eq!((wrong.code, wrong.stderr.contains("expected a duration such as")), (2, true), "{wrong:?}");
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
    // A batch is refused, then its halves.
    let bad = "HTTP/1.1 400 Bad Request\r\ncontent-length: 7\r\n\r\nbecause";
    let good = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n#a-1\n";
    let peer = Peer::answering([bad, good, bad, bad]);
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

#[test]
fn a_slow_line_goes_out_at_once_and_what_was_read_before_a_stop_is_published() {
    let hub = Hub::start();
    for name in ["INT", "TERM"] {
        let (child, mut stdin, ids) = publishing(&hub.url, &[]);
        stdin.write_all(b"one\n").unwrap();
        assert!(ids.next().starts_with("urn:uuid:"));
        stdin.write_all(b"two\nthree\npart of a line").unwrap();
        assert!(ids.next().starts_with("urn:uuid:") && ids.next().starts_with("urn:uuid:"));
        signal(i32::try_from(child.id()).unwrap(), name);
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
    let address = port::reserve().unwrap().to_string();
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

/// The fate of a request on its way to the hub.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Through,
    /// The hub gets it, and its answer is lost.
    AnswerLost,
    RequestLost,
}

/// A proxy before `hub`, for as many requests as there are ways. Before one that is lost, somebody else publishes an
/// update with the data `two`.
fn proxy<const N: usize>(hub: &Hub, ways: [Way; N]) -> (String, mpsc::Receiver<()>) {
    let (hub_url, address) = (hub.url.clone(), hub.url["http://".len()..].trim_end_matches('/').to_owned());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (done, all) = mpsc::channel();
    thread::spawn(move || {
        for way in ways {
            let (mut client, _) = listener.accept().unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            let request = read_request(&client);
            if way != Way::Through {
                assert_eq!(run(&["publish", "t", "two", "--hub", &hub_url]).code, 0);
            }
            if way != Way::RequestLost {
                let mut hub = TcpStream::connect(&address).unwrap();
                hub.write_all(request.as_bytes()).unwrap();
                let mut answer = Vec::new();
                hub.read_to_end(&mut answer).unwrap();
                if way == Way::Through {
                    client.write_all(&answer).unwrap();
                }
            }
        }
        let _ = done.send(());
    });
    (url, all)
}

/// Publishes `one` and `two`, one after the other, and returns the ID of `two` and what was said.
fn publish_one_and_two(hub: &str, more: &[&str]) -> (String, Ended) {
    let (child, mut stdin, ids) = publishing(hub, more);
    stdin.write_all(b"one\n").unwrap();
    ids.next();
    stdin.write_all(b"two\n").unwrap();
    let id = ids.next();
    drop(stdin);
    (id, end(child))
}

/// Equal lines of two publishers are two lines: that of the other is not taken for the one whose answer was lost.
#[test]
fn a_line_whose_answer_was_lost_is_looked_for_and_not_mistaken_for_an_equal_one() {
    use Way::{AnswerLost, RequestLost, Through};
    for more in [&[][..], &["--private"]] {
        let hub = Hub::start();
        let (url, found) = proxy(&hub, [Through, AnswerLost, Through]);
        let (_, ended) = publish_one_and_two(&url, more);
        assert_eq!((ended.code, ended.stderr.contains("twice")), (0, false), "{ended:?}");
        found.recv_timeout(PATIENCE).expect("each request");
        let (url, missing) = proxy(&hub, [Through, RequestLost, Through, Through]);
        let (id, ended) = publish_one_and_two(&url, more);
        assert_eq!((ended.code, ended.stderr.contains("twice")), (0, false), "{ended:?}");
        missing.recv_timeout(PATIENCE).expect("each request");
        assert_eq!(run(&["publish", "t", "after", "--hub", &hub.url]).code, 0);
        let updates = held(&hub, 7);
        assert_eq!(data(&updates), ["one", "two", "two", "one", "two", "two", "after"]);
        assert_eq!(updates[5]["id"], id.as_str(), "that of the other is the one before");
    }
}

/// The hub knows the ID of a line that has expired since, so it is not published again.
#[test]
fn a_line_that_has_expired_is_looked_for_as_well() {
    use Way::{AnswerLost, Through};
    for more in [&["--ttl", "1ms"][..], &["--ttl", "1ms", "--private"]] {
        let hub = Hub::start();
        let (mut child, lines) = subscribing(&hub, 4);
        let (url, found) = proxy(&hub, [Through, AnswerLost, Through]);
        let (_, ended) = publish_one_and_two(&url, more);
        assert_eq!((ended.code, ended.stderr.contains("twice")), (0, false), "{ended:?}");
        found.recv_timeout(PATIENCE).expect("each request");
        assert_eq!(run(&["publish", "t", "after", "--hub", &hub.url]).code, 0);
        assert_eq!(lines.rest(), ["one", "two", "two", "after"]);
        assert!(child.wait().unwrap().success());
        assert_eq!(data(&held(&hub, 3)), ["begin", "two", "after"], "somebody else's has no time to live");
    }
}

#[test]
fn lines_that_may_be_there_twice_are_told() {
    let (good, refused) = (answer("200 OK", "#a-1\n"), answer("401 Unauthorized", ""));
    // A hub gives the lines other IDs than they had.
    let peer = Peer::answering([good.as_str(), "", &good]);
    let (_, ended) = publish_one_and_two(&peer.url, &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("line 2 may be in the log twice"), "{ended:?}");
    // It does not say what it holds.
    let peer = Peer::answering(["", refused.as_str(), &good]);
    let ended = run_with_input(&["publish", "t", "--hub", &peer.url, "--reconnect", "always"], "one\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("line 1 may be in the log twice") && ended.stderr.contains("401"), "{ended:?}");
}

/// An answer with this body, after which the connection ends.
fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A proxy before the hub takes less than a batch, and its 413 is not the hub's.
#[test]
fn a_batch_that_a_proxy_refuses_for_its_size_goes_out_in_parts() {
    // Two lines are enough for it, and `c` and `d` are too large even alone. How many lines are sent together depends
    // on how fast they are read; what becomes of them does not.
    let hub = BodyPeer::answering_by(20, |body| {
        let lines = body.lines().count();
        let is_large = lines > 2 || body.contains(['c', 'd']);
        if is_large {
            answer("413 Payload Too Large", "<html>nginx</html>")
        } else {
            answer("200 OK", &"#a\n".repeat(lines))
        }
    });
    let (child, mut stdin, ids) = publishing(&hub.url, &[]);
    stdin.write_all(b"1\n").unwrap();
    ids.next();
    stdin.write_all(b"a\nb\nc\nd\n").unwrap();
    drop(stdin);
    let ended = end(child);
    assert_eq!(ended.code, 4, "{ended:?}");
    let bodies: Vec<String> = hub.bodies().collect();
    for line in ["1\n", "c\n", "d\n"] {
        assert_eq!(bodies.iter().filter(|body| *body == line).count(), 1, "{bodies:?}");
    }
    let taken: String = bodies.iter().filter(|body| body.len() <= 4 && !body.contains(['c', 'd'])).cloned().collect();
    assert_eq!(taken, "1\na\nb\n", "{bodies:?}");
    assert!(ended.stderr.contains("line 4: the hub answers 413") && ended.stderr.contains("line 5: "), "{ended:?}");
}

/// A person who asks twice does not want to wait.
#[test]
fn a_second_signal_ends_it_at_once() {
    // It takes requests, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hub = format!("http://{}", silent.local_addr().unwrap());
    for signals in [["INT", "TERM"], ["TERM", "INT"]] {
        let (child, mut stdin, _ids) = publishing(&hub, &[]);
        stdin.write_all(b"one\n").unwrap();
        let _connection = silent.accept().unwrap();
        let (id, began) = (i32::try_from(child.id()).unwrap(), Instant::now());
        signals.iter().for_each(|name| signal(id, name));
        // They come so soon after each other that the order is not told.
        let code = end(child).code;
        assert!([130, 143].contains(&code), "{code}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
}

#[test]
fn a_hub_that_was_never_there_is_told_at_once_and_never_asks_once() {
    let hub = format!("http://{}", port::reserve().unwrap());
    let ended = run_with_input(&["publish", "t", "--hub", &hub], "one\ntwo\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (5, ""), "{ended:?}");
    assert!(ended.stderr.contains("all later lines were not published") && ended.stderr.contains("line"), "{ended:?}");
    let peer = Peer::answering(["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\n#a-1\n", ""]);
    let (child, mut stdin, ids) = publishing(&peer.url, &["--reconnect", "never"]);
    stdin.write_all(b"one\n").unwrap();
    ids.next();
    stdin.write_all(b"two\n").unwrap();
    let ended = end(child);
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(ended.stderr.contains("line 2 and all later lines may not have been published"), "{ended:?}");
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
        (&["publish", "  ", "x"], "spaces only"),
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
