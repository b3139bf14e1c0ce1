//! `fanfare token`, and what its tokens open.
use crate::{
    hub::Hub,
    program::{SECRET, end, fanfare, run},
};
use std::process::Stdio;

/// A token that the program makes with the key in its environment.
fn token(arguments: &[&str]) -> String {
    let mut command = fanfare();
    command.arg("token").args(arguments).env("FANFARE_KEY", SECRET);
    let ended = end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout.trim_end().to_owned()
}

fn publish(hub: &Hub, topic: &str, token: &str) -> i32 {
    run(&["publish", topic, "x", "--hub", &hub.url, "--token", token]).code
}

#[test]
fn a_token_opens_what_it_names_and_nothing_else() {
    let hub = Hub::with(&["--memory", "--key", SECRET]);
    assert_eq!(run(&["publish", "news", "x", "--hub", &hub.url]).code, 3);
    assert_eq!(run(&["subscribe", "news", "--hub", &hub.url]).code, 3);
    let publisher = token(&["--publish", "news", "--publish", "weather/{place}"]);
    assert_eq!([publish(&hub, "news", &publisher), publish(&hub, "weather/rome", &publisher)], [0, 0]);
    assert_eq!(publish(&hub, "sports", &publisher), 3);
    assert_eq!(publish(&hub, "news", &token(&["--subscribe", "*"])), 3);
    assert_eq!(publish(&hub, "news", &token(&["--publish", "*", "--expires", "off"])), 0);

    let private = run(&["publish", "news", "secret", "--private", "--hub", &hub.url, "--token", &publisher]);
    assert_eq!(private.code, 0, "{private:?}");
    let subscribe = |topics: &str, count: &str| {
        let bearer = token(&["--subscribe", topics]);
        let hub = ["--hub", &hub.url, "--last-event-id", "earliest", "--token", &bearer, "-n", count];
        run(&[&["subscribe", "*"], &hub[..]].concat()).stdout
    };
    assert!(subscribe("news", "4").contains("\"data\":\"secret\",\"private\":true"));
    assert!(!subscribe("other", "3").contains("secret"));
}

#[test]
fn a_token_that_was_changed_or_signed_by_another_opens_nothing() {
    let hub = Hub::with(&["--memory", "--key", SECRET]);
    let good = token(&["--publish", "*"]);
    assert_eq!(publish(&hub, "t", &good), 0);
    assert_eq!(publish(&hub, "t", &good[..good.len() - 2]), 3);
    let other = run(&["token", "--publish", "*", "--key", "another secret of thirty-two bytes"]);
    assert_eq!(publish(&hub, "t", other.stdout.trim_end()), 3);
}

#[test]
fn an_access_token_of_the_newer_revision() {
    let (issuer, audience) = ("https://issuer.example", "https://hub.example");
    let hub = Hub::with(&["--memory", "--key", SECRET, "--issuer", issuer, "--audience", audience]);
    let modern = |rest: &[&str]| token(&[&["--modern", "--issuer", issuer, "--audience"], rest].concat());
    assert_eq!(publish(&hub, "news", &modern(&[audience, "--publish", "news"])), 0);
    assert_eq!(publish(&hub, "sports", &modern(&[audience, "--publish", "news"])), 3);
    assert_eq!(publish(&hub, "news", &modern(&["https://other.example", "--publish", "news"])), 3);
    let pattern = modern(&[audience, "--publish", "https://x.example/:id", "--match-type", "urlpattern"]);
    assert_eq!(publish(&hub, "https://x.example/7", &pattern), 0);
    assert_eq!(publish(&hub, "https://y.example/7", &pattern), 3);
}

#[test]
fn wrong_arguments_are_told() {
    let cases: [(&[&str], &str); 6] = [
        (&["--key", SECRET], "--publish <TOPIC>|--subscribe <TOPIC>"),
        (&["--publish", "*"], "--key <KEY>"),
        (&["--publish", "*", "--key", "short"], "the key has 5 bytes"),
        (&["--publish", "*", "--key-file", "/nowhere"], "cannot read --key-file /nowhere"),
        (&["--publish", "*", "--key", SECRET, "--modern"], "--issuer <URL>"),
        (
            &["--publish", "*", "--key", SECRET, "--modern", "--issuer", "i", "--audience", "a", "--expires", "off"],
            "always expire",
        ),
    ];
    for (arguments, reason) in cases {
        let ended = run(&[&["token"], arguments].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.stderr.contains(reason), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains(SECRET));
    }
}
