//! `fanfare publish`, against a real hub and against peers that fail.
use crate::{
    hub::Hub,
    peer::Peer,
    program::{run, run_with_input},
};
use serde_json::Value;

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
fn a_line_that_the_hub_refuses_is_named_and_nothing_after_it_is_published() {
    let hub = Hub::with(&["--memory", "--clock=false", "--max-body", "300KiB"]);
    let long = "x".repeat(300 << 10);
    let published = run_with_input(&["publish", "t", "-", "--hub", &hub.url], &format!("one\n\n{long}\ntwo\n"));
    assert_eq!(published.code, 4, "{published:?}");
    assert!(published.stderr.contains("line 3: the hub answers 413"), "{}", published.stderr);
    run(&["publish", "t", "after", "--hub", &hub.url]);
    assert_eq!(data(&held(&hub, 2)), ["one", "after"]);
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
        &["publish", "t", "x", "--hub", "127.0.0.1:3000"],
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
