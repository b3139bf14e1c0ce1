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

/// The file compose.yaml as Symfony's recipe makes it, with a secret of one's own.
#[test]
fn a_compose_file_works_as_it_is() {
    let secret = crate::program::SECRET;
    let variables = [
        ("SERVER_NAME", ":80"),
        ("MERCURE_PUBLISHER_JWT_KEY", secret),
        ("MERCURE_SUBSCRIBER_JWT_KEY", secret),
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
    assert!(!(checked.stdout + &checked.stderr).contains(secret));
    // What is ours goes before it.
    let ours = with(&["check", "--listen", "127.0.0.1:0"], &variables);
    assert_eq!(line(&ours, "listen"), "listen = \"127.0.0.1:0\" # flag");
}

/// Everybody who reads the recipe has its secret.
#[test]
fn the_secret_of_a_recipe_opens_no_hub_to_others() {
    let encoded = "IUNoYW5nZVRoaXNNZXJjdXJlSHViSldUU2VjcmV0S2V5IQ==";
    let caddyfile = format!("publisher_jwt {SECRET}\nanonymous");
    let jwk = r#"{"kty":"oct","k":"IUNoYW5nZVRoaXNNZXJjdXJlSHViSldUU2VjcmV0S2V5IQ"}"#;
    let file = crate::config::File::new("sample-key", &format!("{SECRET}\n"));
    let file_of_set = crate::config::File::new("sample-set", &format!(r#"{{"keys":[{jwk}]}}"#));
    let table =
        format!("[[issuer]]\nname = 'me'\npublisher-key = '{SECRET}'\n[[relay]]\nurl = 'http://h/'\ntopics = ['a']\n");
    let config = crate::config::File::new("sample.toml", &table);
    // Arguments, variables, and where the key is found.
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 8] = [
        (&[], &[("MERCURE_PUBLISHER_JWT_KEY", SECRET)], "publisher-key (MERCURE_PUBLISHER_JWT_KEY)"),
        (&[], &[("MERCURE_PUBLISHER_JWT_KEY", encoded)], "publisher-key (MERCURE_PUBLISHER_JWT_KEY)"),
        (&[], &[("MERCURE_EXTRA_DIRECTIVES", &caddyfile)], "publisher-key (MERCURE_EXTRA_DIRECTIVES"),
        (&[], &[("JWT_KEY", SECRET)], "key (JWT_KEY)"),
        (&["--key", jwk], &[], "key (flag)"),
        (&["--key-file", file.path()], &[], "key (flag)"),
        (&["--key-file", file_of_set.path()], &[], "key (flag)"),
        (&[], &[("FANFARE_CONFIG", config.path())], "issuer me: publisher-key"),
    ];
    for (arguments, variables, place) in cases {
        for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
            let refused =
                with(&[&["serve", "--memory", "--anonymous", "--listen", listen], arguments].concat(), variables);
            assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{arguments:?} {variables:?} {refused:?}");
            for part in ["a key from public documentation", place, "openssl rand -hex 32"] {
                assert!(refused.stderr.contains(part), "{} lacks {part}", refused.stderr);
            }
            assert!(!refused.stderr.contains(SECRET) && !refused.stderr.contains(encoded), "{}", refused.stderr);
        }
        let checking = ["check", "--anonymous", "--listen", "127.0.0.1:0"];
        let checked = with(&[&checking[..], arguments].concat(), variables);
        assert_eq!(checked.code, 0, "{arguments:?} {variables:?} {checked:?}");
        assert!(checked.stderr.contains("is from public documentation"), "{}", checked.stderr);
    }
    let named = with(&["check", "--anonymous"], &[("SERVER_NAME", ":80"), ("MERCURE_PUBLISHER_JWT_KEY", SECRET)]);
    assert!(named.code == 2 && named.stderr.contains("refusing to listen on 0.0.0.0:80"), "{named:?}");
    // A pair whose private half is published is no better.
    let pair = crate::keys::test_key("rsa-pkcs1-public.pem");
    let pair = with(&["check", "--listen", "0.0.0.0:0", "--key-file", pair.to_str().unwrap()], &[]);
    assert_eq!(pair.code, 2, "{pair:?}");
}

#[test]
fn what_cannot_be_says_what_to_write_instead() {
    let key = ("MERCURE_PUBLISHER_JWT_KEY", SECRET);
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[key, ("SERVER_NAME", "hub.example.com")], "SERVER_NAME: the hub does not support TLS itself"),
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
