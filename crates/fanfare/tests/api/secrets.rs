//! Secrets that stand in what the program is given: none is shown, and those that others can see are warned about.
use crate::{
    config::File,
    hub::Hub,
    peer::Peer,
    program::{Ended, SECRET, end, fanfare, run, run_with_input},
};
use std::process::Stdio;

/// The text that is a secret in URLs.
const TOKEN: &str = "s3cr3t-t0ken";

fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = fanfare();
    command.args(arguments).envs(variables.iter().copied());
    end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

fn shows_no(secret: &str, ended: &Ended) {
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!text.is_empty() && !text.contains(secret), "{text}");
}

#[test]
fn an_error_in_a_file_shows_no_line_of_it() {
    for text in [
        format!("key = {SECRET}\n"),
        format!("key = '{SECRET}' oops\n"),
        format!("key = '{SECRET}\n"),
        format!("key = \"\"\"\n{SECRET}\n"),
        format!("kye = '{SECRET}'\n"),
        format!("publisher-key = ['{SECRET}']\n"),
        "key = 123456789012345678\n".to_owned(),
        format!("[[issuer]]\nname = 'a'\nkey = '{SECRET}'\njkws = 'x'\n"),
        format!("relay = [{{ url = 'http://h/?token={SECRET}', topics = [] }}]\n"),
        format!("relay = [{{ url = 'h/?token={SECRET}', topics = 'x' }}]\n"),
        format!("public-url = 'ftp://me:{SECRET}@h/'\n"),
    ] {
        let file = File::new("secret-line.toml", &text);
        let ended = run(&["check", file.path()]);
        assert_eq!(ended.code, 2, "{text}: {ended:?}");
        shows_no(SECRET, &ended);
        shows_no("12345678901234567", &ended);
    }
}

#[test]
fn secrets_of_urls_are_masked_wherever_they_are_shown() {
    let url = format!("http://127.0.0.1:1/sse?a=b&access_token={TOKEN}");
    let relay = format!("{url}=news");
    let shown = [
        run(&["check", "--relay", &relay]),
        run(&["serve", "--check", "--relay", &relay]),
        with(&["check"], &[("FANFARE_RELAY", &relay)]),
        with(&["check"], &[("FANFARE_JWKS", &format!("https://127.0.0.1:1/?token={TOKEN}"))]),
        with(
            &["check", "--fetch", "--allow-private-jwks"],
            &[("FANFARE_JWKS", &format!("https://127.0.0.1:1/?token={TOKEN}"))],
        ),
        run(&["publish", "t", "x", "--hub", &format!("https://me:{TOKEN}@h/")]),
        run(&["publish", "t", "x", "--hub", &format!("me:{TOKEN}@h:3000")]),
        run(&["publish", "t", "x", "--hub", &format!("http://h/?token={TOKEN}")]),
        with(&["publish", "t", "x"], &[("FANFARE_HUB", &format!("https://me:{TOKEN}@h/"))]),
        with(&["publish", "--help"], &[("FANFARE_HUB", &format!("https://me:{TOKEN}@h/"))]),
        run(&["serve", "--check", "--public-url", &format!("https://me:{TOKEN}@h/")]),
        run(&["serve", "--check", "--relay", &format!("https://me:{TOKEN}@h/=x")]),
        run(&["serve", "--check", "--relay", &format!("h/?token={TOKEN}=x")]),
        run(&["serve", "--check", "--jwks", &format!("https://me:{TOKEN}@h/")]),
        run(&["subscribe", &url]),
        run(&["subscribe", &format!("http://?token={TOKEN}")]),
        run(&["subscribe", "news", &url]),
        run(&["relay", &url, "--topic", "x"]),
        run(&["load", &url]),
        run(&["load", &format!("https://me:{TOKEN}@h/")]),
        run(&["subscribe", "news", "-H", &format!("Authorization Bearer {TOKEN}")]),
        run(&["load", "--header", TOKEN]),
        run(&["publish", "t", "x", &format!("--tokn={TOKEN}")]),
    ];
    for ended in shown {
        shows_no(TOKEN, &ended);
    }
    let peer = Peer::answering(["HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: x\n\n"]);
    let linted = run(&["lint", &format!("{}/?token={TOKEN}", peer.url), "--time=1m", "-n", "1"]);
    assert!(linted.stdout.contains("/?token=********"), "{linted:?}");
    shows_no(TOKEN, &linted);
    let checked = run(&["check", "--relay", &relay]);
    assert!(checked.stdout.contains("http://127.0.0.1:1/sse?a=b&access_token=********"), "{checked:?}");
}

/// A key that was given to the option beside the right one.
#[test]
fn a_key_in_the_wrong_place_is_not_shown() {
    const KEYS: [&str; 3] = [
        "6d2f0c8e41b7a95d6d2f0c8e41b7a95d6d2f0c8e41b7a95d6d2f0c8e41b7a95d",
        "Zq3x/SECRETw9Vt7pL2/mN8kJ4hG6fD1sA9xQ8w=",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
    ];
    for key in KEYS {
        let issuer = format!("me={key}");
        let no_name = format!("={key}");
        for (option, value) in [
            ("--key-file", key),
            ("--publisher-key-file", key),
            ("--subscriber-key-file", key),
            ("--algorithm", key),
            ("--publisher-algorithm", key),
            ("--jwks", key),
            ("--issuer", key),
            ("--issuer", &issuer),
            ("--issuer", &no_name),
        ] {
            let ended = run(&["serve", "--check", option, value]);
            assert_eq!(ended.code, 2, "{option}: {ended:?}");
            shows_no(key, &ended);
        }
        for option in ["--key-file", "--algorithm"] {
            let ended = run(&["token", "--publish", "*", option, key, "--key", SECRET]);
            assert_eq!(ended.code, 2, "{option}: {ended:?}");
            shows_no(key, &ended);
        }
        for (name, code) in [("KEY_FILE", 2), ("ALGORITHM", 2), ("JWKS", 2)] {
            let ended = with(&["serve", "--check"], &[(&format!("FANFARE_{name}"), key)]);
            assert_eq!(ended.code, code, "{name}: {ended:?}");
            shows_no(key, &ended);
        }
        for text in [format!("algorithm = '{key}'\n"), format!("key-file = '{key}'\n"), format!("jwks = '{key}'\n")] {
            let file = File::new("wrong-place.toml", &text);
            let ended = run(&["check", file.path()]);
            assert_eq!(ended.code, 2, "{ended:?}");
            shows_no(key, &ended);
        }
    }
    // A path is one.
    let ended = run(&["serve", "--check", "--key-file", "/nowhere/hub.key"]);
    assert!(ended.code == 2 && ended.stderr.contains("--key-file /nowhere/hub.key: "), "{ended:?}");
}

#[test]
fn the_banner_and_the_log_show_no_secret() {
    let upstream = Peer::answering(["HTTP/1.1 503 Oops\r\ncontent-length: 0\r\n\r\n"; 2]);
    let relay = format!("{}/sse?token={TOKEN}=news", upstream.url);
    let hub = Hub::with_environment(&["--memory", "--log-level", "trace"], &[("FANFARE_RELAY", &relay)]);
    upstream.request();
    let banner: Vec<String> = (0..6).map(|_| hub.lines.next()).collect();
    assert!(!banner.concat().contains(TOKEN) && banner.concat().contains("/sse (news)"), "{banner:?}");
    shows_no(TOKEN, &hub.stop());
}

#[test]
fn secrets_in_arguments_are_warned_about_with_another_way() {
    let token = run(&["token", "--publish", "*", "--key", SECRET]);
    assert!(
        token.stderr.contains("give the secret in the variable FANFARE_KEY, or in a file with --key-file"),
        "{token:?}"
    );
    let hub = ["--hub", "http://127.0.0.1:1"];
    let url = format!("http://127.0.0.1:1/?token={TOKEN}");
    let authorization = format!("Authorization: Bearer {TOKEN}");
    let cases: [(&[&str], &str); 12] = [
        (&["publish", "t", "x", "--token", TOKEN], "in the variable FANFARE_TOKEN"),
        (&["subscribe", "t", "--token", TOKEN], "in the variable FANFARE_TOKEN"),
        (&["subscribe", "t", "-H", &authorization], "--header @FILE"),
        (&["subscribe", &url], "--header @FILE"),
        (&["relay", &url, "--topic", "t"], "--header @FILE"),
        (&["relay", "http://127.0.0.1:1", "--topic", "t", "-H", "X-Api-Key: abc"], "--header @FILE"),
        (&["load", "http://127.0.0.1:1", "--header", &authorization], "--header @FILE"),
        (&["load", "http://127.0.0.1:1", "--token", TOKEN], "in the variable FANFARE_TOKEN"),
        (&["check", "--token", TOKEN], "on standard input, with --token -"),
        (&["check", "--key", SECRET], "FANFARE_KEY, or in a file with --key-file"),
        (&["check", "--relay", &format!("{url}=x")], "FANFARE_RELAY, or in the configuration file"),
        (&["check", "--publisher-key", SECRET, "--anonymous"], "FANFARE_PUBLISHER_KEY, or in a file"),
    ];
    for (arguments, instead) in cases {
        let hub: &[&str] = if ["publish", "subscribe"].contains(&arguments[0]) { &hub } else { &[] };
        let ended = run(&[arguments, hub].concat());
        let warnings = ended.stderr.lines().filter(|line| line.contains("can be seen by other users"));
        let warnings: Vec<&str> = warnings.collect();
        assert!(warnings.len() == 1 && warnings[0].contains(instead), "{arguments:?}: {ended:?}");
    }
    let served = Hub::with(&["--memory", "--key", SECRET]);
    assert!(served.stop().stderr.contains("--key can be seen by other users"), "in the log of the hub");
    let quiet = run(&[&["subscribe", "t", "--token", TOKEN, "--quiet"], &hub[..]].concat());
    assert!(!quiet.stderr.contains("can be seen"), "{quiet:?}");
    // Nothing to see.
    let hidden = with(&[&["subscribe", "t"], &hub[..]].concat(), &[("FANFARE_TOKEN", TOKEN)]);
    assert!(!hidden.stderr.contains("can be seen"), "{hidden:?}");
}

#[test]
fn headers_and_tokens_are_read_where_nobody_sees_them() {
    let file = File::new("headers", &format!("Authorization: Bearer {TOKEN}\n\nX-Other: b\n"));
    let argument = format!("@{}", file.path());
    let peer = Peer::answering(["HTTP/1.1 204 No Content\r\n\r\n"]);
    let ended = run(&["subscribe", &peer.url, "-H", &argument]);
    let head = peer.request();
    assert!(head.contains(&format!("authorization: bearer {TOKEN}\n")) && head.contains("x-other: b\n"), "{head}");
    assert!(!ended.stderr.contains("can be seen"), "{ended:?}");
    let missing = run(&["subscribe", &peer.url, "-H", "@/nowhere"]);
    assert_eq!(
        (missing.code, missing.stderr.contains("cannot read headers from /nowhere: ")),
        (2, true),
        "{missing:?}"
    );
    let bad = File::new("bad-headers", &format!("A: b\n{TOKEN}\n"));
    let ended = run(&["relay", &peer.url, "--topic", "t", "-H", &format!("@{}", bad.path())]);
    assert_eq!((ended.code, ended.stderr.contains(&format!("line 2 of {}", bad.path()))), (2, true), "{ended:?}");
    shows_no(TOKEN, &ended);

    let token = with(&["token", "--publish", "news"], &[("FANFARE_KEY", SECRET)]).stdout;
    assert!(run_with_input(&["check", "--token", "-", "--key", SECRET], &token).stdout.contains("publishes  news"));
}
