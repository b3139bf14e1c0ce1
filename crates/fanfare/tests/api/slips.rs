//! Slips in a configuration: what was probably meant is said, and forms that can only mean one thing are taken.
use crate::{
    config::File,
    hub::Hub,
    program::{Ended, Lines, SECRET, end, fanfare, run, signal},
};
use std::process::Stdio;

fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = fanfare();
    command.args(arguments).envs(variables.iter().copied());
    end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

fn line(ended: &Ended, key: &str) -> String {
    let line = ended.stdout.lines().find(|line| line.starts_with(&format!("{key} ="))).unwrap_or_default();
    line.split(" #").next().unwrap_or_default().trim_end().to_owned()
}

#[test]
fn a_variable_that_nobody_reads_is_an_error_of_every_command() {
    let commands: [&[&str]; 6] = [
        &["serve", "--check"],
        &["check"],
        &["publish", "t", "x", "--hub", "http://127.0.0.1:1"],
        &["subscribe", "t", "--hub", "http://127.0.0.1:1"],
        &["relay", "http://127.0.0.1:1", "--topic", "t"],
        &["token", "--publish", "*", "--key", SECRET],
    ];
    for command in commands {
        let ended = with(command, &[("FANFARE_MAX_BODDY", "1MiB")]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        let said = "unknown variable FANFARE_MAX_BODDY in the environment: did you mean FANFARE_MAX_BODY?";
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
    let port = with(&["check"], &[("FANFARE_PORT", "3000")]);
    assert!(port.code == 2 && port.stderr.contains("did you mean FANFARE_LISTEN?"), "{port:?}");
    let unlike = with(&["check"], &[("FANFARE_QQQ", "1")]);
    assert!(unlike.code == 2 && unlike.stderr.contains("no option has this variable"), "{unlike:?}");
    // Those of another command are known, and so are those that others make.
    let made = [
        ("FANFARE_HUB", "http://h"),
        ("FANFARE_EVENT_ID", "7"),
        ("FANFARE_PORT", "tcp://10.0.0.1:3000"),
        ("FANFARE_SERVICE_HOST", "10.0.0.1"),
        ("FANFARE_SERVICE_PORT", "3000"),
        ("FANFARE_SERVICE_PORT_HTTP", "3000"),
        ("FANFARE_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
        ("FANFARE_PORT_3000_TCP_PROTO", "tcp"),
        ("FANFARE_PORT_3000_TCP_PORT", "3000"),
        ("FANFARE_PORT_3000_TCP_ADDR", "10.0.0.1"),
        ("FANFARE_HUB_SERVICE_HOST", "10.0.0.1"),
        ("FANFARE_HUB_PORT", "tcp://10.0.0.1:3000"),
    ];
    assert_eq!(with(&["check"], &made).code, 0);
    // Those of the project's own tests and examples are not the program's.
    for name in ["FANFARE_BIN", "FANFARE_COOKIE", "FANFARE_DISCOVERY", "FANFARE_CHROMIUM", "FANFARE_FIREFOX"] {
        assert_eq!(with(&["check"], &[(name, "x")]).code, 2, "{name}");
    }
    let version = with(&["serve", "--check"], &[("FANFARE_VERSION", "1.2")]);
    assert!(version.code == 2 && version.stderr.contains("such as HUB_VERSION"), "{version:?}");
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let help = run(&["check", "--help"]).stdout;
    // A line of help that begins with a flag is further to the right.
    let flags = help.lines().filter_map(|line| line.strip_prefix("      --")?.split_whitespace().next());
    let mut names: Vec<_> = flags.map(|flag| format!("FANFARE_{}", flag.replace('-', "_").to_uppercase())).collect();
    names.retain(|name| !["FANFARE_FETCH", "FANFARE_TOPIC", "FANFARE_HELP"].contains(&name.as_str()));
    let (keys, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| gives_a_key(name));
    assert_eq!(keys.len(), 10, "{keys:?}");
    names = others;
    names.extend(["FANFARE_HUB", "FANFARE_CONFIG"].map(str::to_owned));
    assert!(names.len() > 40 && names.iter().any(|name| name == "FANFARE_STATIC"), "{names:?}");
    let empty: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let with_key: &[&str] = &["--key", SECRET];
    let commands: [&[&str]; 7] = [
        &["check"],
        &["serve", "--check"],
        &["serve", "--listen", "0.0.0.0:0"],
        &["publish", "t", "x", "--hub", "http://127.0.0.1:1"],
        &["subscribe", "t", "--hub", "http://127.0.0.1:1"],
        &["relay", "http://127.0.0.1:1", "--topic", "t", "--hub", "http://127.0.0.1:1"],
        &["load", "http://127.0.0.1:1"],
    ];
    for command in commands {
        let (set, unset) = (with(command, &empty), run(command));
        assert_eq!((set.code, &set.stdout, &set.stderr), (unset.code, &unset.stdout, &unset.stderr), "{command:?}");
    }
    let token = with(&[&["token", "--publish", "*"], with_key].concat(), &empty);
    assert_eq!(token.code, 0, "{token:?}");
    // The hub of commands without a flag for it is the usual one.
    for name in ["publish", "subscribe"] {
        let ended = with(&[name, "t", "x", "--hub", "http://127.0.0.1:1"], &[("FANFARE_HUB", "")]);
        assert!(!ended.stderr.contains("invalid value"), "{ended:?}");
    }
}

fn gives_a_key(variable: &str) -> bool {
    ["_KEY", "_KEY_FILE", "_JWKS", "_ISSUER"].iter().any(|end| variable.ends_with(end))
        && !["_ALLOW_", "_TLS_"].iter().any(|other| variable.contains(other))
}

/// A hub without a key is open. Nobody who has a variable for the key means that by leaving it empty.
#[test]
fn a_key_that_is_empty_does_not_open_the_hub() {
    let ours =
        ["", "PUBLISHER_", "SUBSCRIBER_"].map(|whose| ["KEY", "KEY_FILE", "JWKS"].map(|what| format!("{whose}{what}")));
    let mut names: Vec<_> = ours.as_flattened().iter().map(|name| format!("FANFARE_{name}")).collect();
    names.extend(
        ["FANFARE_ISSUER", "MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY", "MERCURE_TRUSTED_ISSUERS"]
            .map(str::to_owned),
    );
    for name in &names {
        for command in [&["serve", "--memory", "--listen", "127.0.0.1:0"][..], &["serve", "--check"], &["check"]] {
            let ended = with(command, &[(name.as_str(), "")]);
            assert!(ended.code == 2 && ended.stderr.contains(&format!("{name} is empty")), "{name}: {ended:?}");
        }
        assert_eq!(with(&["check", "--key", SECRET], &[(name.as_str(), "")]).code, 0, "{name}");
    }
}

/// A short value is a name, and not a key that had to be hidden.
#[test]
fn a_short_value_is_quoted() {
    for (arguments, quoted) in [(["--algorithm", "HS265"], "'HS265'"), (["--jwks", ""], "''"), (["--issuer", ""], "''")]
    {
        let ended = run(&[&["check"][..], &arguments].concat());
        assert!(ended.code == 2 && ended.stderr.contains(&format!("invalid value {quoted}")), "{ended:?}");
    }
}

#[test]
fn slips_in_a_file_are_told_with_what_was_meant() {
    let cases = [
        ("max_body = '1MiB'", "did you mean `max-body`?"),
        ("cors-origins = []", "did you mean `cors-origin`?"),
        ("port = 3000", "did you mean `listen`?"),
        ("[limits]\nmax-body = '1MiB'", "the only sections are [[issuer]], [[relay]], [[alias]] and [[retention]]"),
        ("[[alias]]\npath = '/a'\ntopics = 'x'\nlisten = ':0'", "listen is a key of the hub, so write it above"),
        ("delivery = 'epol'", "did you mean `epoll`?"),
        ("page = 1", "this value is a whole number; expected \"on\" or \"off\", in quotation marks"),
        ("delivery = 1", "this value is not a text; expected a text in quotation marks"),
        ("max-lifetime = true", "expected a duration such as 500ms, 20s, 1h 30m or 7d, or off"),
        ("data = 1979-05-27", "this value is a date; write a text in quotation marks"),
        ("public-url = 'hub'", "expected the URL of the hub, such as https://hub.example.com/"),
    ];
    for (text, said) in cases {
        let file = File::new("slips.toml", text);
        let ended = run(&["check", file.path()]);
        assert_eq!(ended.code, 2, "{text}: {ended:?}");
        assert!(ended.stderr.contains(said), "{text}: {ended:?}");
    }
    let flag = run(&["serve", "--cors-origins", "*"]);
    assert!(flag.code == 2 && flag.stderr.contains("--cors-origin"), "{flag:?}");
}

#[test]
fn a_list_may_be_one_value() {
    let text = "cors-origin = 'https://a.example'\npublish-origin = 'https://a.example https://b.example'\n\
                jwks = 'https://a.example/k'\nalgorithm = 'RS256'\nalias = '/sse=news,weather'\n\
                [relay]\nurl = 'http://h/'\ntopics = 'news'\nheaders = 'A: b'\n";
    let file = File::new("one-value.toml", text);
    let checked = run(&["check", file.path()]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_eq!(line(&checked, "cors-origin"), r#"cors-origin = ["https://a.example"]"#);
    assert_eq!(line(&checked, "publish-origin"), r#"publish-origin = ["https://a.example", "https://b.example"]"#);
    assert_eq!(line(&checked, "alias"), r#"alias = [{ path = "/sse", topics = ["news", "weather"] }]"#);
    assert!(line(&checked, "relay").starts_with(r#"relay = [{ url = "http://h/", topics = ["news"]"#), "{checked:?}");
}

#[test]
fn an_address_is_taken_in_the_forms_that_people_write() {
    for (form, address) in [
        (":3000", "0.0.0.0:3000"),
        ("localhost:3000", "127.0.0.1:3000"),
        ("3000", "127.0.0.1:3000"),
        ("[::]:0", "[::]:0"),
    ] {
        let flag = run(&["serve", "--check", "--listen", form, "--key", SECRET]);
        let variable = with(&["serve", "--check", "--key", SECRET], &[("FANFARE_LISTEN", form)]);
        let file = File::new("listen.toml", &format!("listen = '{form}'\nkey = '{SECRET}'"));
        let file = run(&["serve", "--check", "--config", file.path()]);
        for ended in [flag, variable, file] {
            assert_eq!(line(&ended, "listen"), format!("listen = \"{address}\""), "{form}: {ended:?}");
        }
    }
    // The forms of Mercure's hub.
    let variables = [("JWT_KEY", SECRET), ("ADDR", ":3000")];
    assert_eq!(line(&with(&["check"], &variables), "listen"), "listen = \"0.0.0.0:3000\"");
}

#[test]
fn a_hub_on_this_machine_needs_no_scheme() {
    let hub = Hub::start();
    let port = hub.url.rsplit_once(':').unwrap().1;
    for form in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!(":{port}"), port.to_owned()] {
        assert_eq!(run(&["publish", "t", "x", "--hub", &form]).code, 0, "{form}");
        assert_eq!(with(&["publish", "t", "x"], &[("FANFARE_HUB", &form)]).code, 0, "{form}");
    }
    for (form, said) in [
        ("hub.example.com", "did you mean http://hub.example.com, or the same with https?"),
        ("http://hub.example.com/topics/news", "did you mean http://hub.example.com/?"),
        ("https://me:pw@hub.example.com", "without user and password"),
    ] {
        let ended = run(&["publish", "t", "x", "--hub", form]);
        assert!(ended.code == 2 && ended.stderr.contains(said), "{form}: {ended:?}");
    }
}

#[test]
fn the_first_line_says_where_the_hub_listens() {
    for (listen, said) in [
        ("127.0.0.1:0", "Fanfare listens on http://127.0.0.1:"),
        (":0", "every IPv4 address of this machine; from here, open http://127.0.0.1:"),
        ("0.0.0.0:0", "Fanfare listens on 0.0.0.0:"),
    ] {
        let mut command = fanfare();
        command.args(["serve", "--memory", "--listen", listen]).env("FANFARE_KEY", SECRET);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        let line = lines.next();
        assert!(line.contains(said) && !line.contains(":0"), "{line}");
        signal(i32::try_from(child.id()).unwrap(), "TERM");
        assert_eq!(end(child).code, 0);
    }
}

#[test]
fn an_open_hub_says_what_it_refuses() {
    let hub = Hub::start();
    let lines: Vec<String> = (0..6).map(|_| hub.lines.next()).collect();
    assert!(lines.iter().any(|line| line.contains("open-behind-proxy")), "{lines:?}");
}
