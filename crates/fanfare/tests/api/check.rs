//! `fanfare check`: configurations and tokens, explained.
use crate::{
    config::File,
    keys::test_key,
    program::{Ended, SECRET, run},
};

fn token(arguments: &[&str]) -> String {
    let ended = run(&[&["token", "--key", SECRET], arguments].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout.trim_end().to_owned()
}

fn explain(token: &str, more: &[&str]) -> Ended {
    run(&[&["check", "--key", SECRET, "--token", token], more].concat())
}

fn assert_says(ended: &Ended, code: i32, parts: &[&str]) {
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, code, "{text}");
    for part in parts {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn a_configuration_file_with_several_issuers() {
    let public = test_key("ed25519-public.pem");
    let text = format!(
        "public-url = 'https://hub.example/'\nkey = '{SECRET}'\n[[issuer]]\nname = 'https://a.example'\n\
         audience = 'account'\nkey-file = '{}'\n[[issuer]]\nname = 'https://b.example'\n\
         publisher-jwks = ['https://b.example/k']\nsubscriber-key = '{SECRET}b'\n",
        public.display()
    );
    let file = File::new("issuers.toml", &text);
    let checked = run(&["check", file.path()]);
    let parts = [
        "# Publishers' tokens without a known issuer are verified with a secret of 32 bytes for HS256",
        "# Subscribers' tokens of https://a.example are verified with an Ed25519 key for EdDSA",
        "# Publishers' tokens of https://b.example are verified with the keys at https://b.example/k",
        "# Subscribers' tokens of https://b.example are verified with a secret of 33 bytes for HS256",
    ];
    assert_says(&checked, 0, &parts);
    assert!(!checked.stdout.contains(SECRET), "{}", checked.stdout);
    let twice = File::new("twice.toml", "issuer = [{ name = 'a', key = 'x' }, { name = 'a', key = 'y' }]");
    assert_says(&run(&["check", twice.path()]), 2, &["the issuer a is given twice"]);
    let short = File::new("short.toml", "issuer = [{ name = 'a', publisher-key = 'x' }]");
    assert_says(&run(&["check", short.path()]), 2, &["cannot be used: the key has 1 bytes"]);
    let none = File::new("none.toml", "issuer = [{ name = 'a' }]");
    assert_says(&run(&["check", none.path()]), 2, &["an issuer needs keys"]);
    let unknown = File::new("unknown.toml", "issuer = [{ name = 'a', jkws = ['https://a/'] }]");
    assert_says(&run(&["check", unknown.path()]), 2, &["line 1", "unknown key `jkws`"]);
}

#[test]
fn an_alias_that_nobody_reaches() {
    let warned = run(&["check", "--alias", "/healthz=news", "--alias", "/fanfare=news", "--alias", "/sse=news"]);
    let parts = ["nobody reaches the alias /healthz", "nobody reaches the alias /fanfare"];
    assert_says(&warned, 0, &parts);
    assert!(!warned.stderr.contains("/sse,"), "{}", warned.stderr);
    let without_page = run(&["check", "--alias", "/fanfare=news", "--page=off"]);
    assert_eq!((without_page.code, without_page.stderr.as_str()), (0, ""));
}

#[test]
fn a_good_token() {
    let token = token(&["--publish", "news", "--subscribe", "weather/{place}"]);
    let parts = ["of the older revision", "HS256", "publishes  news", "receives   weather/{place}", "Z, in "];
    assert_says(&explain(&token, &[]), 0, &parts);
    let covered = explain(&token, &["--topic", "news", "--topic", "weather/rome"]);
    assert_says(&covered, 0, &["news: the bearer may publish under it, and may not receive its private updates"]);
    assert_says(&explain(&token, &["--topic", "sports"]), 3, &["sports: the bearer may not publish under it"]);
}

#[test]
fn why_a_token_is_refused_and_what_to_change() {
    let other = run(&["token", "--publish", "*", "--key", &SECRET.replace('0', "x")]).stdout;
    assert_says(
        &explain(other.trim_end(), &[]),
        3,
        &["none of the hub's keys verifies the token's signature", "sign the token with the key"],
    );
    let wrong_algorithm = token(&["--publish", "*", "--algorithm", "HS384", "--allow-short-keys"]);
    assert_says(&explain(&wrong_algorithm, &[]), 3, &["signed with HS384, but must be signed with HS256"]);
    let modern = |issuer: &str, audience: &str| {
        token(&["--modern", "--publish", "*", "--issuer", issuer, "--audience", audience])
    };
    assert_says(
        &explain(&modern("https://a", "https://h"), &[]),
        3,
        &["give the hub the issuer of this token: --issuer 'https://a'"],
    );
    let trusted = ["--issuer", "https://a", "--audience", "https://h"];
    assert_says(&explain(&modern("https://a", "https://h"), &trusted), 0, &["of the issuer https://a"]);
    assert_says(&explain(&modern("https://a", "https://x"), &trusted), 3, &["the token's `aud` must be \"https://h\""]);
    assert_says(
        &explain(&modern("https://b", "https://h"), &trusted),
        3,
        &["--issuer 'https://b=https://…/jwks.json'"],
    );
    assert_says(&explain("nonsense", &[]), 3, &["not a JSON Web Token"]);
    // {"alg":"none"}
    assert_says(
        &explain("eyJhbGciOiJub25lIn0.e30.", &[]),
        3,
        &["not a JSON Web Token that is signed with a known algorithm"],
    );
    assert_says(&run(&["check", "--token", "x.y.z"]), 0, &["The hub is open"]);
}
