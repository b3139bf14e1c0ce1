//! Configurations with which the hub refuses to start, and what it says then.
use crate::program::{SECRET, run};

fn refused(arguments: &[&str], reason: &str) {
    let ended = run(&[&["serve", "--check"], arguments].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}: {ended:?}");
    assert!(ended.stderr.contains(reason), "{arguments:?}: {} lacks {reason:?}", ended.stderr);
}

#[test]
fn without_keys_only_this_machine_may_reach_it() {
    for listen in ["127.0.0.1:0", "127.9.9.9:0", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
        assert_eq!(run(&["serve", "--check", "--listen", listen]).code, 0, "{listen}");
    }
    for listen in ["0.0.0.0:0", "192.168.1.2:80", "[::]:0", "[::ffff:10.0.0.1]:0"] {
        refused(&["--listen", listen], &format!("refusing to listen on {listen} without a key"));
        assert_eq!(run(&["serve", "--check", "--listen", listen, "--key", SECRET]).code, 0, "{listen}");
    }
    // Not only with --check, and it says what to do.
    let started = run(&["serve", "--listen", "0.0.0.0:0", "--memory"]);
    assert_eq!(started.code, 2);
    for advice in ["openssl rand -hex 32", "fanfare serve --listen 127.0.0.1:0"] {
        assert!(started.stderr.contains(advice), "{started:?}");
    }
}

#[test]
fn a_key_that_can_be_guessed_is_refused() {
    refused(&["--key", &SECRET[1..]], "key (flag) cannot be used: the key has 31 bytes, HS256 needs at least 32");
    refused(&["--key", ""], "key (flag) cannot be used: the key is empty");
    refused(&["--key", SECRET, "--publisher-key", "short"], "publisher-key (flag) cannot be used: the key has 5 bytes");
}

#[test]
fn half_a_hub_is_refused() {
    refused(&["--subscriber-key", SECRET], "nobody could publish");
    refused(&["--publisher-key", SECRET], "nobody could subscribe");
    refused(&["--issuer", "https://i.example"], "an issuer needs keys");
    for rest in [["--anonymous", "--clock"], ["--subscriber-key", SECRET]] {
        assert_eq!(run(&[&["serve", "--check", "--publisher-key", SECRET][..], &rest].concat()).code, 0);
    }
}

#[test]
fn places_that_are_none_are_refused() {
    refused(&["--static", "/nowhere"], "static = /nowhere is not a directory");
    refused(&["--public-url", "ftp://h.example/"], "expected the URL of the hub");
    refused(&["--public-url", "https://h.example/?a=b"], "expected the URL of the hub");
    refused(&["--public-url", "https://me:pw@h.example/"], "'https://********@h.example/'");
    refused(&["--listen", "hub.example:3000"], "expected an IP address and a port");
    refused(&["--listen", "127.0.0.1"], "it has no port: did you mean 127.0.0.1:3000?");
    refused(&["--listen", "::1"], "it has no port: did you mean [::1]:3000?");
    refused(&["--listen", "http://127.0.0.1:3000"], "did you mean 127.0.0.1:3000?");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ended = run(&["serve", "--memory", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("another program uses it; give another port"), "{ended:?}");
}
