//! The configuration of `serve`: flags over environment over file over defaults.
use crate::program::{Ended, SECRET, end, fanfare, run};
use std::{path::PathBuf, process::Stdio};

/// A file for one test, gone with it.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fanfare-test-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// `fanfare serve --check` with some flags and variables.
fn check(flags: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = fanfare();
    command.args(["serve", "--check"]).args(flags).envs(variables.iter().copied());
    end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// The line that `--check` prints about `key`, its blanks squeezed.
fn line(ended: &Ended, key: &str) -> String {
    let line = ended.stdout.lines().find(|line| line.starts_with(&format!("{key} ="))).unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_layer_goes_before_the_ones_under_it() {
    let file = File::new("layers.toml", "max-topics = 7\nmax-body = '2MiB'\nheartbeat-interval = '5s'\n");
    let variables =
        [("FANFARE_CONFIG", file.path()), ("FANFARE_MAX_BODY", "3MiB"), ("FANFARE_HEARTBEAT_INTERVAL", "6s")];
    let checked = check(&["--heartbeat-interval", "7s"], &variables);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_eq!(line(&checked, "listen"), "listen = \"127.0.0.1:3000\" # default");
    assert_eq!(line(&checked, "max-topics"), format!("max-topics = 7 # {}", file.path()));
    assert_eq!(line(&checked, "max-body"), "max-body = \"3MiB\" # environment");
    assert_eq!(line(&checked, "heartbeat-interval"), "heartbeat-interval = \"7s\" # flag");
}

#[test]
fn a_flag_can_take_back_what_a_file_says() {
    let text =
        "memory = true\nmax-lifetime = '1h'\nretention-age = '1d'\nalias = [{ path = '/a', topics = ['x', 'y'] }]";
    let file = File::new("take-back.toml", text);
    let checked = check(
        &[
            "--config",
            file.path(),
            "--memory=false",
            "--max-lifetime",
            "off",
            "--retention-age",
            "off",
            "--alias",
            "/b=z",
        ],
        &[],
    );
    assert_eq!(line(&checked, "memory"), "memory = false # flag");
    assert_eq!(line(&checked, "max-lifetime"), "max-lifetime = \"off\" # flag");
    assert_eq!(line(&checked, "retention-age"), "retention-age = \"off\" # flag");
    assert_eq!(line(&checked, "alias"), r#"alias = [{ path = "/b", topics = ["z"] }] # flag"#);
}

#[test]
fn lists_in_the_environment_are_separated_by_spaces() {
    let variables =
        [("FANFARE_ALIAS", "/a=x,y /b=*"), ("FANFARE_CORS_ORIGIN", "https://a.example http://b.example:81")];
    let checked = check(&[], &variables);
    assert_eq!(
        line(&checked, "alias"),
        r#"alias = [{ path = "/a", topics = ["x", "y"] }, { path = "/b", topics = ["*"] }] # environment"#
    );
    assert_eq!(
        line(&checked, "cors-origin"),
        r#"cors-origin = ["https://a.example", "http://b.example:81"] # environment"#
    );
}

/// In the environment, in a flag and in the file.
#[test]
fn any_white_space_separates_the_values_of_a_list() {
    let wanted = r#"cors-origin = ["https://a.example", "https://b.example"]"#;
    for between in [" ", "  ", "\t", "\n", " \r\n "] {
        let text = format!("{between}https://a.example{between}https://b.example{between}");
        let file = File::new("white-space.toml", &format!("cors-origin = \"\"\"{text}\"\"\""));
        for checked in [
            check(&[], &[("FANFARE_CORS_ORIGIN", &text)]),
            check(&["--cors-origin", &text], &[]),
            check(&["--config", file.path()], &[]),
        ] {
            let line = line(&checked, "cors-origin");
            assert_eq!((checked.code, line.split(" #").next()), (0, Some(wanted)), "{text:?}: {checked:?}");
        }
    }
    let checked = check(&["--cors-origin", "https://a.example", "--cors-origin", "https://b.example"], &[]);
    assert_eq!(line(&checked, "cors-origin"), format!("{wanted} # flag"));
    // Only the word that is wrong is shown, and nothing but blanks is wrong as well.
    let checked = check(&[], &[("FANFARE_JWKS", "https://a.example/k\t\tnonsense")]);
    assert!(checked.code == 2 && checked.stderr.contains("invalid value 'nonsense'"), "{checked:?}");
    for blank in [" ", "\t\n"] {
        let file = File::new("blank.toml", &format!("jwks = \"\"\"{blank}\"\"\""));
        for checked in [
            check(&[], &[("FANFARE_JWKS", blank)]),
            check(&["--jwks", blank], &[]),
            check(&["--config", file.path()], &[]),
        ] {
            assert!(checked.code == 2 && checked.stderr.contains("JWK set"), "{blank:?}: {checked:?}");
        }
    }
}

/// A file with every key: what `--check` prints is a configuration that means the same.
#[test]
fn what_is_printed_can_be_read_back() {
    let flags = [
        "--listen=[::1]:4000 --data=d --memory --public-url=https://h.example/ --static=. --fallback=Cargo.toml --page=off --start-event=off --open-behind-proxy --alias=/a=x --relay=http://h/=x --clock=false",
        "--issuer=https://i.example=https://i.example/k --audience=https://h.example --anonymous --cors-origin=*",
        "--jwks=https://j.example/k --algorithm=HS256 --algorithm=RS512 --allow-short-keys --allow-private-jwks=false",
        "--publisher-jwks=https://p.example/k --publisher-algorithm=ES256 --cookie-name=c --access-cookie-name=d",
        "--subscriber-jwks=https://s.example/k --subscriber-algorithm=EdDSA --publish-origin=https://p.example",
        "--heartbeat-interval=1500ms --max-lifetime=10m --max-body=1500000 --max-subscribers=9 --max-topics=3 --max-anonymous-patterns=2",
        "--max-subscription-memory=100MiB --max-anonymous-memory=1500000 --max-comparisons=4 --max-anonymous-comparisons=1",
        "--write-timeout=5s --keep-alive-timeout=90s --delivery=io-uring --delivery-threads=3 --tls-only-known-names",
        "--retention-age=36h --retention-bytes=5GB --retention-count=12 --log-level=warn,fanfare_hub=debug",
        "--key=0123456789abcdef0123456789abcdef --subscriptions --allow-erase --retention=chat/{room}=1h",
    ];
    let flags: Vec<&str> = flags.iter().flat_map(|line| line.split(' ')).collect();
    let first = check(&flags, &[]);
    assert_eq!((first.code, first.stdout.lines().count()), (0, flags.len() - 1), "{first:?}");
    // The key is masked, and so no longer one.
    let masked = first.stdout.replace("********", SECRET);
    let file = File::new("read-back.toml", &masked);
    let second = check(&["--config", file.path()], &[]);
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(" # ").next().unwrap_or_default().trim_end().to_owned()).collect()
    };
    assert_eq!(values(&first.stdout), values(&second.stdout), "{}", second.stderr);
}

#[test]
fn faults_of_the_file_are_named_with_their_line() {
    let cases = [
        ("max-topics = 7\nlisten-on = 'x'\n", ["line 2", "unknown key `listen-on`"]),
        ("listen = '127.0.0.1'\n", ["line 1", "invalid socket address"]),
        ("heartbeat-interval = 20\n", ["line 1", "expected a duration such as 500ms, 20s"]),
        ("\n\nmax-body = '1 piece'\n", ["line 3", "expected a size such as 65536"]),
        ("cors-origin = ['https://a.example/']\n", ["line 1", "browsers write this origin as https://a.example"]),
        ("delivery = 'kqueue'\n", ["line 1", "`auto`, `epoll`, `io-uring`, `hyper`"]),
        ("log-level = 'loud'\n", ["line 1", "expected error, warn, info"]),
        ("alias = [{ path = 'sse', topics = ['x'] }]\n", ["line 1", "'sse' is not a path such as /sse"]),
        ("relay = [{ url = 'sse', topics = ['x'] }]\n", ["line 1", "'sse' is not the URL of an event stream"]),
        ("listen = \n", ["line 1", "string values must be quoted"]),
    ];
    for (text, wanted) in cases {
        let file = File::new("faults.toml", text);
        let checked = check(&["--config", file.path()], &[]);
        assert_eq!((checked.code, checked.stdout.as_str()), (2, ""), "{text}");
        for part in wanted.iter().chain(&[file.path()]) {
            assert!(checked.stderr.contains(part), "{text:?}: {} lacks {part:?}", checked.stderr);
        }
    }
    let missing = check(&["--config", "/nowhere/fanfare.toml"], &[]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.stderr.contains("cannot read the configuration /nowhere/fanfare.toml: No such file"),
        "{missing:?}"
    );
}

#[test]
fn a_value_out_of_bounds_is_named_with_its_source() {
    let checked = check(&["--heartbeat-interval", "1ms"], &[]);
    assert_eq!(checked.code, 2);
    assert_eq!(checked.stderr, "error: heartbeat-interval = 1ms (flag) is out of bounds: 1s to 1h\n");
    let checked = check(&[], &[("FANFARE_MAX_TOPICS", "0")]);
    assert_eq!(checked.stderr, "error: max-topics = 0 (environment) is out of bounds: 1 to 10000\n");
}

/// Also numbers that no configuration file could hold.
#[test]
fn a_number_is_out_of_bounds_however_large_it_is() {
    for number in ["9223372036854775807", "9223372036854775808", "18446744073709551615"] {
        for (key, bounds) in
            [("max-subscribers", "1 to 10000000"), ("max-topics", "1 to 10000"), ("delivery-threads", "1 to 1024")]
        {
            let (flag, variable) = (format!("--{key}"), format!("FANFARE_{}", key.to_uppercase().replace('-', "_")));
            for (checked, source) in
                [(check(&[&flag, number], &[]), "flag"), (check(&[], &[(&variable, number)]), "environment")]
            {
                let said = format!("error: {key} = {number} ({source}) is out of bounds: {bounds}\n");
                assert_eq!((checked.code, checked.stderr), (2, said));
            }
        }
    }
    let checked = check(&["--retention-count", "9223372036854775808"], &[]);
    assert!(checked.stderr.ends_with("is out of bounds: 1 to 9223372036854775807\n"), "{checked:?}");
    for flag in ["--max-topics", "--retention-count", "--max-body", "--retention-bytes"] {
        let checked = check(&[flag, "18446744073709551616"], &[]);
        assert!(checked.code == 2 && checked.stderr.contains("this number is too large"), "{flag}: {checked:?}");
    }
}

#[test]
fn relays_are_shown_without_what_their_headers_say() {
    let text = "[[relay]]\nurl = 'http://h/a'\ntopics = ['x']\nheaders = ['Authorization: Bearer z', 'X-Y: z']\n\
                [[relay]]\nurl = 'http://h/b'\ntopics = ['x']\nidle-timeout = '30s'";
    let file = File::new("relays.toml", text);
    let checked = check(&["--config", file.path()], &[]);
    let shown = concat!(
        r#"relay = [{ url = "http://h/a", topics = ["x"], headers = ["authorization: ********", "x-y: ********"] }, "#,
        r#"{ url = "http://h/b", topics = ["x"], idle-timeout = "30s" }] # "#
    );
    assert_eq!(line(&checked, "relay"), format!("{shown}{}", file.path()), "{checked:?}");
    let checked = check(&[], &[("FANFARE_RELAY", "http://h/=a,b http://h/?x=y=c")]);
    let shown = r#"relay = [{ url = "http://h/", topics = ["a", "b"] }, { url = "http://h/?x=y", topics = ["c"] }]"#;
    assert_eq!(line(&checked, "relay"), format!("{shown} # environment"));
    let twice = check(&["--relay", "http://h/?key=a=x", "--relay", "http://h/?key=a=x"], &[]);
    assert_eq!((twice.code, twice.stderr.as_str()), (2, "error: http://h/ is relayed twice to the same topics\n"));
}

#[test]
fn a_secret_is_shown_nowhere() {
    let shown = [
        check(&["--key", SECRET], &[]),
        check(&[], &[("FANFARE_KEY", SECRET), ("FANFARE_PUBLISHER_KEY", SECRET)]),
        check(&["--help"], &[("FANFARE_KEY", SECRET)]),
        check(&["--key", SECRET, "--max-topics", "x"], &[("FANFARE_SUBSCRIBER_KEY", SECRET)]),
        check(&[], &[("FANFARE_KEY", &SECRET[1..])]),
    ];
    for ended in shown {
        let text = ended.stdout + &ended.stderr;
        assert!(!text.is_empty() && !text.contains(&SECRET[1..]), "{text}");
    }
    assert_eq!(line(&check(&["--key", SECRET], &[]), "key"), "key = \"********\" # flag");
}

#[test]
fn a_secret_may_come_from_a_file() {
    let file = File::new("key", &format!("{SECRET}\n"));
    let checked = check(&["--key-file", file.path(), "--listen", "0.0.0.0:0"], &[]);
    assert_eq!((checked.code, line(&checked, "key")), (0, "key = \"********\" # flag".to_owned()), "{checked:?}");
    // A file that a flag names goes before a key of the environment.
    let checked = check(&["--key-file", file.path()], &[("FANFARE_KEY", "short")]);
    assert_eq!(line(&checked, "key"), "key = \"********\" # flag", "{checked:?}");
    let twice = check(&["--key-file", file.path(), "--key", SECRET], &[]);
    assert_eq!((twice.code, twice.stderr.contains("both key and key-file are given")), (2, true), "{twice:?}");
    let missing = check(&["--key-file", "/nowhere/key"], &[]);
    assert_eq!(
        (missing.code, missing.stderr.contains("cannot read --key-file /nowhere/key")),
        (2, true),
        "{missing:?}"
    );
}

#[test]
fn the_help_says_what_each_option_means() {
    let help = run(&["serve", "--help"]);
    assert_eq!(help.code, 0);
    insta::assert_snapshot!("serve-help", help.stdout);
    insta::assert_snapshot!("publish-help", run(&["publish", "--help"]).stdout);
    insta::assert_snapshot!("relay-help", run(&["relay", "--help"]).stdout);
    insta::assert_snapshot!("subscribe-help", run(&["subscribe", "--help"]).stdout);
    insta::assert_snapshot!("lint-help", run(&["lint", "--help"]).stdout);
    insta::assert_snapshot!("token-help", run(&["token", "--help"]).stdout);
    insta::assert_snapshot!("check-help", run(&["check", "--help"]).stdout);
    insta::assert_snapshot!("load-help", run(&["load", "--help"]).stdout);
}
