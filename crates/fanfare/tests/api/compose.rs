//! The environment of a Mercure hub, as compose files have it, given to the real binary.
use crate::program::{Ended, PATIENCE, end, fanfare, run};
use std::process::Stdio;

const SECRET: &str = "!ChangeThisMercureHubJWTSecretKey!";

fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = fanfare();
    command.args(arguments).envs(variables.iter().copied());
    end(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

fn line(ended: &Ended, key: &str) -> String {
    let line = ended.stdout.lines().find(|line| line.starts_with(&format!("{key} ="))).unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What Symfony's recipe puts into compose.yaml.
#[test]
fn a_compose_file_works_as_it_is() {
    let variables = [
        ("SERVER_NAME", ":80"),
        ("MERCURE_PUBLISHER_JWT_KEY", SECRET),
        ("MERCURE_SUBSCRIBER_JWT_KEY", SECRET),
        ("MERCURE_EXTRA_DIRECTIVES", "cors_origins http://127.0.0.1:8000\nanonymous\nsubscriptions"),
    ];
    let checked = with(&["check"], &variables);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_eq!(line(&checked, "listen"), "listen = \"0.0.0.0:80\" # SERVER_NAME");
    let anonymous = "anonymous = true # MERCURE_EXTRA_DIRECTIVES: anonymous";
    assert_eq!(line(&checked, "anonymous"), anonymous);
    assert_eq!(line(&checked, "publisher-key"), "publisher-key = \"********\" # MERCURE_PUBLISHER_JWT_KEY");
    let subscriptions = "subscriptions = true # MERCURE_EXTRA_DIRECTIVES: subscriptions";
    assert_eq!(line(&checked, "subscriptions"), subscriptions);
    assert!(checked.stderr.contains("stands in public documentation"), "{}", checked.stderr);
    assert!(!(checked.stdout + &checked.stderr).contains(SECRET));
    // What is ours goes before it.
    let ours = with(&["check", "--listen", "127.0.0.1:0"], &variables);
    assert_eq!(line(&ours, "listen"), "listen = \"127.0.0.1:0\" # flag");
}

#[test]
fn what_cannot_be_says_what_to_write_instead() {
    let key = ("MERCURE_PUBLISHER_JWT_KEY", SECRET);
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[key, ("SERVER_NAME", "hub.example.com")], "SERVER_NAME: the hub does not speak TLS itself"),
        (&[key, ("MERCURE_EXTRA_DIRECTIVES", "publish_origins *")], "list the origins in FANFARE_PUBLISH_ORIGIN"),
        (&[("MERCURE_PUBLISHER_JWT_KEY", "!ChangeMe!")], "the key has 10 bytes, HS256 needs at least 32"),
        (&[key], "nobody could subscribe"),
    ];
    for (variables, reason) in cases {
        let refused = with(&["serve", "--check"], variables);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{variables:?}");
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    }
    let listening = with(&["check", "--listen=127.0.0.1:0", "--anonymous"], &[key, ("SERVER_NAME", "hub.example.com")]);
    assert_eq!(listening.code, 0, "{listening:?}");
    let short = [("MERCURE_PUBLISHER_JWT_KEY", "!ChangeMe!"), ("FANFARE_ALLOW_SHORT_KEYS", "true")];
    let allowed = with(&["check", "--anonymous"], &short);
    assert!(allowed.code == 0 && allowed.stderr.contains("shorter than the 32 bytes"), "{allowed:?}");
}

#[test]
fn a_hub_of_a_compose_file_takes_its_tokens() {
    let variables = [("MERCURE_PUBLISHER_JWT_KEY", SECRET), ("MERCURE_EXTRA_DIRECTIVES", "anonymous")];
    let hub = crate::hub::Hub::with_environment(&["--memory"], &variables);
    let token = run(&["token", "--publish", "*", "--key", SECRET]).stdout;
    let publish = |token: &str| run(&["publish", "t", "x", "--hub", &hub.url, "--token", token]).code;
    assert_eq!(publish(token.trim_end()), 0, "within {PATIENCE:?}");
    assert_eq!(publish(run(&["token", "--publish", "*", "--key", &SECRET.replace('T', "t")]).stdout.trim_end()), 3);
}
