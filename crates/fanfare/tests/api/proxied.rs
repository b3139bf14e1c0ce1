//! A hub without keys, and what a proxy lets in.
use crate::{hub::Hub, program::SECRET};

const FORWARDED: &str = "X-Forwarded-For: 192.0.2.1\r\n";

#[test]
fn an_open_hub_refuses_what_a_proxy_let_in_and_says_what_to_do() {
    let hub = Hub::start();
    let banner = (0..5).map(|_| hub.lines.next()).collect::<Vec<_>>().join("\n");
    for word in ["requests through a proxy are refused", "FANFARE_KEY", "open-behind-proxy"] {
        assert!(banner.contains(word), "{banner} lacks {word}");
    }
    for path in ["/", "/fanfare", "/healthz", "/topics/a?until=now", "/nothing"] {
        assert_eq!(hub.get(path, "").0, if path == "/nothing" { 404 } else { 200 }, "{path}");
        let (status, body) = hub.get(path, FORWARDED);
        assert!(status == 403 && body.contains("open-behind-proxy") && body.contains("FANFARE_KEY"), "{path}: {body}");
        let (status, body) = hub.get(path, &format!("{FORWARDED}Accept: text/html\r\n"));
        assert!(status == 403 && body.starts_with("<!doctype html>") && body.contains("--open-behind-proxy"), "{body}");
    }
    let log = hub.stop().stderr;
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("x-forwarded*"), "{log}");
    assert!(warnings[0].contains("open-behind-proxy") && warnings[0].contains("FANFARE_KEY"), "{log}");
}

#[test]
fn it_answers_behind_a_proxy_if_it_is_told_to_or_has_a_key() {
    let told = Hub::with(&["--memory", "--clock=false", "--open-behind-proxy"]);
    let banner = (0..5).map(|_| told.lines.next()).collect::<Vec<_>>().join("\n");
    assert!(banner.contains("requests through a proxy are answered too"), "{banner}");
    assert_eq!(told.get("/topics/a?until=now", FORWARDED).0, 200);
    let with_key = Hub::with(&["--memory", "--key", SECRET, "--anonymous"]);
    assert_eq!(with_key.get("/topics/a?until=now", FORWARDED).0, 200);
}
