//! The lines in the log of a hub about tokens that it refused: why and whose, and nothing of what they hold.
use crate::{
    hub::Hub,
    keys::test_key,
    program::{SECRET, run},
};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

fn token(arguments: &[&str]) -> String {
    let ended = run(&[&["token", "--subscribe", "*"], arguments].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout.trim_end().to_owned()
}

/// The status of the answer to a request with these headers.
fn ask(hub: &Hub, method: &str, headers: &str) -> String {
    let address = hub.url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut socket = TcpStream::connect(address).unwrap();
    let head =
        format!("{method} /topics/a?until=now HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n{headers}\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer[9..12].to_owned()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// The lines of the log that tell of refused tokens.
fn told(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("a token was refused: ")).collect()
}

#[test]
fn a_refused_token_leaves_one_line_of_its_kind() {
    let hub = Hub::with(&["--memory", "--key", SECRET, "--issuer", "https://me.example", "--anonymous"]);
    let other_key = SECRET.replace('0', "x");
    let bad = token(&["--key", &other_key]);
    let modern = ["--modern", "--audience", "https://hub.example", "--key", &other_key];
    let trusted = token(&[&modern[..], &["--issuer", "https://me.example"]].concat());
    let hostile = format!("https://{}\u{202e}\n<b>", "evil".repeat(100));
    let stranger = token(&[&modern[..], &["--issuer", &hostile]].concat());
    for token in [&bad, &trusted, &stranger] {
        for _ in 0..20 {
            assert_eq!(ask(&hub, "GET", &bearer(token)), "401");
        }
    }
    assert_eq!(ask(&hub, "GET", "Authorization: Basic YTpi\r\n"), "400");
    assert_eq!(ask(&hub, "GET", &format!("Cookie: mercureAuthorization={bad}\r\n")), "401", "counted with the others");
    assert_eq!(ask(&hub, "POST", &bearer(&token(&["--key", SECRET]))), "403", "it covers nothing to publish");
    assert_eq!(ask(&hub, "POST", ""), "401", "no token is none that was refused");
    let log = hub.stop().stderr;
    let told = told(&log);
    for part in [
        "none of the hub's keys verifies the token's signature; it names no issuer",
        "none of the hub's keys verifies the token's signature; its issuer is \"https://me.example\"",
        "the Authorization header must be 'Bearer' followed by a token; it names no issuer",
        "it does not allow this for every requested topic; it names no issuer",
        "issuer that this hub does not trust; its issuer is \"https://evilevil",
    ] {
        assert_eq!(told.iter().filter(|line| line.contains(part)).count(), 1, "{log} lacks {part}");
    }
    assert_eq!(told.len(), 5, "{log}");
    for (count, of) in [
        (20, "signature; it names no issuer"),
        (19, "signature; its issuer is \"https://me.example\""),
        (19, "which this hub does not trust"),
    ] {
        let more = format!("{count} more tokens were refused");
        assert!(log.lines().any(|line| line.contains(&more) && line.ends_with(of)), "{log} lacks {more}, {of}");
    }
    assert!(log.is_ascii() && told.iter().all(|line| line.len() < 500), "{log}");
    for token in [&bad, &trusted, &stranger] {
        assert!(token.split('.').all(|part| !log.contains(part)), "{log}");
    }
    assert!(!log.contains("YTpi"), "{log}");
}

#[test]
fn that_the_keys_of_an_issuer_cannot_be_fetched_is_told_of_its_tokens() {
    let port = fanfare_load::port::reserve().unwrap().port();
    let issuer = format!("https://me.example=http://127.0.0.1:{port}/jwks");
    let hub = Hub::with(&["--memory", "--issuer", &issuer, "--allow-private-jwks", "--anonymous"]);
    let key = test_key("ed25519-private.pem");
    let modern = ["--modern", "--audience", "https://hub.example", "--key-file", key.to_str().unwrap()];
    let token = token(&[&modern[..], &["--issuer", "https://me.example", "--key-id", "k"]].concat());
    assert_eq!(ask(&hub, "GET", &bearer(&token)), "401");
    let log = hub.stop().stderr;
    let told = told(&log).concat();
    for part in ["and the hub cannot fetch the JWK set", "its issuer is \"https://me.example\""] {
        assert!(told.contains(part), "{log} lacks {part}");
    }
    assert!(log.contains("cannot fetch a JWK set: ") && !log.contains(&token), "{log}");
}
