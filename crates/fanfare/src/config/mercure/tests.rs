//! Tests with environments as compose files have them.
use super::*;
use std::collections::HashMap;
use toml::Table;

fn translated(variables: &[(&str, &str)]) -> Translation {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    translate(&|name| variables.get(name).map(|&value| value.to_owned()), &[])
}

fn values(translation: &Translation) -> Table {
    translation.layers.iter().flat_map(|layer| layer.values.clone()).collect()
}

fn directives(text: &str) -> Translation {
    translated(&[("MERCURE_EXTRA_DIRECTIVES", text)])
}

#[test]
fn variables_in_our_terms() {
    let secret = "!ChangeThisMercureHubJWTSecretKey!";
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], ""),
        (
            &[
                ("SERVER_NAME", ":80"),
                ("MERCURE_PUBLISHER_JWT_KEY", secret),
                ("MERCURE_SUBSCRIBER_JWT_KEY", "x"),
                ("MERCURE_SUBSCRIBER_JWT_ALG", "HS512"),
            ],
            "publisher-key = '!ChangeThisMercureHubJWTSecretKey!'\nsubscriber-key = 'x'\n\
             subscriber-algorithm = ['HS512']\nlisten = '0.0.0.0:80'",
        ),
        (
            &[("MERCURE_TRUSTED_ISSUERS", "https://a"), ("MERCURE_PUBLISHER_JWT_KEY", "x")],
            "issuer = [{ name = 'https://a', publisher-key = 'x' }]",
        ),
        (
            &[("SERVER_NAME", "http://hub.example:3000"), ("MERCURE_TRANSPORT_URL", "local://local")],
            "memory = true\nlisten = '0.0.0.0:3000'\npublic-url = 'http://hub.example:3000/'",
        ),
        (
            &[("MERCURE_TRANSPORT_URL", "bolt:///data/mercure.db?size=100")],
            "retention-count = 100\ndata = '/data/fanfare-data'",
        ),
        (
            &[("TRANSPORT_URL", "bolt://updates.db?size=0"), ("JWT_KEY", "x")],
            "key = 'x'\nretention-count = 'off'\ndata = 'fanfare-data'",
        ),
        (
            &[
                ("JWT_KEY", "x"),
                ("JWT_ALGORITHM", "RS256"),
                ("ADDR", ":3000"),
                ("ALLOW_ANONYMOUS", "1"),
                ("CORS_ALLOWED_ORIGINS", "https://a.example http://b.example/"),
                ("PUBLISH_ALLOWED_ORIGINS", "https://a.example"),
                ("HEARTBEAT_INTERVAL", "15s"),
                ("WRITE_TIMEOUT", "0s"),
                ("DISPATCH_TIMEOUT", "5s"),
            ],
            "key = 'x'\nalgorithm = ['RS256']\nanonymous = true\ncors-origin = ['https://a.example', 'http://b.example']\n\
             publish-origin = ['https://a.example']\nheartbeat-interval = '15s'\nmax-lifetime = 'off'\n\
             write-timeout = '5s'\nlisten = '0.0.0.0:3000'",
        ),
        // Names that other programs use too count only together with a key.
        (&[("ADDR", ":1"), ("DEBUG", "1"), ("SERVER_NAME", "x"), ("KEY_FILE", "/x"), ("ALLOW_ANONYMOUS", "1")], ""),
    ];
    for (variables, expected) in cases {
        let translation = translated(variables);
        assert_eq!(values(&translation), expected.parse::<Table>().unwrap(), "{variables:?}");
        assert!(translation.heed(&[]).is_ok(), "{:?}", translation.refusals);
    }
}

#[test]
fn directives_in_our_terms() {
    let cases = [
        ("anonymous", "anonymous = true"),
        (
            "cors_origins http://a.example https://b.example:81",
            "cors-origin = ['http://a.example', 'https://b.example:81']",
        ),
        ("publish_origins https://a.example", "publish-origin = ['https://a.example']"),
        ("heartbeat 1m30s", "heartbeat-interval = '1m30s'"),
        ("write_timeout 600s", "max-lifetime = '600s'"),
        ("dispatch_timeout 5s", "write-timeout = '5s'"),
        ("publisher_jwt \"a b\" HS384", "publisher-key = 'a b'\npublisher-algorithm = ['HS384']"),
        ("subscriber_jwt {env.NONE}x", "subscriber-key = 'x'"),
        ("publisher_jwks_url https://l.example/k", "publisher-jwks = ['https://l.example/k']"),
        ("subscriber_jwks_url https://l.example/k", "subscriber-jwks = ['https://l.example/k']"),
        ("publisher_jwks_url file:///k.json", "publisher-key-file = '/k.json'"),
        (
            "issuer a {\n subscriber {\n jwks_uri file:///k.json\n }\n}",
            "issuer = [{ name = 'a', subscriber-key-file = '/k.json' }]",
        ),
        ("cookie_name token", "cookie-name = 'token'"),
        ("resource_identifier https://h.example", "audience = 'https://h.example'"),
        ("public_urls https://h.example/", "public-url = 'https://h.example/'"),
        ("max_request_body_size 512KB", "max-body = '512KB'"),
        ("subscriptions", "subscriptions = true"),
        ("transport local", "memory = true"),
        ("transport bolt {\n path /d/m.db\n size 5\n}", "data = '/d/fanfare-data'\nretention-count = 5"),
        (
            "issuer https://a {\n publisher {\n jwt k HS512\n }\n subscriber {\n jwks_uri https://a/k RS256 ES256\n }\n}\nissuer b {\n publisher {\n jwt l\n }\n}",
            "issuer = [{ name = 'https://a', publisher-key = 'k', publisher-algorithm = ['HS512'], \
             subscriber-jwks = ['https://a/k'], subscriber-algorithm = ['RS256', 'ES256'] }, \
             { name = 'b', publisher-key = 'l' }]",
        ),
    ];
    for (text, expected) in cases {
        let translation = directives(text);
        // The last layer of issuers contains the issuers of earlier layers.
        assert_eq!(values(&translation), expected.parse::<Table>().unwrap(), "{text}");
        assert!(translation.heed(&[]).is_ok(), "{text}: {:?}", translation.refusals);
    }
}

/// Everything that has no effect here causes a warning.
#[test]
fn what_has_no_meaning_here_is_a_warning() {
    let lines = [
        "demo",
        "ui",
        "debugger",
        "topic_selector_cache 1 2",
        "topic_matcher_cache 1",
        "subscriber_list_cache_size 1",
        "cache_size_approx 1",
        "drain_timeout 1s",
        "name x",
        "protocol_version_compatibility 7",
        "heartbeat 0s",
        "dispatch_timeout 0",
        "max_request_body_size 0",
        "transport bolt {\n bucket_name x\n}",
    ];
    for line in lines {
        let translation = directives(line);
        assert!(values(&translation).is_empty(), "{line}");
        let warnings = translation.heed(&[]).unwrap();
        assert!(!warnings.is_empty() && warnings[0].starts_with("MERCURE_EXTRA_DIRECTIVES: "), "{line}: {warnings:?}");
    }
    for name in ["MERCURE_LICENSE", "GLOBAL_OPTIONS", "CADDY_EXTRA_CONFIG", "CADDY_SERVER_EXTRA_DIRECTIVES"] {
        let translation = translated(&[("MERCURE_PUBLISHER_JWT_KEY", "x"), (name, "x")]);
        assert_eq!(translation.heed(&[]).unwrap().len(), 1, "{name}");
    }
    for name in ["DEBUG", "DEMO", "COMPRESS", "METRICS_ENABLED", "USE_FORWARDED_HEADERS", "READ_TIMEOUT"] {
        assert_eq!(translated(&[("JWT_KEY", "x"), (name, "1")]).heed(&[]).unwrap().len(), 1, "{name}");
        assert_eq!(translated(&[("JWT_KEY", "x"), (name, "0")]).heed(&[]).unwrap().len(), 0, "{name}");
    }
}

#[test]
fn what_cannot_be_is_refused_unless_it_is_said_otherwise() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("MERCURE_PUBLISHER_JWT_KEY", "x"), ("SERVER_NAME", "hub.example.com")], "listen"),
        (&[("MERCURE_PUBLISHER_JWT_KEY", "x"), ("SERVER_NAME", "https://hub.example.com:3000")], "listen"),
        (&[("MERCURE_PUBLISHER_JWT_KEY", "x"), ("SERVER_NAME", "localhost")], "listen"),
        (&[("JWT_KEY", "x"), ("ACME_HOSTS", "hub.example.com")], "listen"),
        (&[("JWT_KEY", "x"), ("CERT_FILE", "/x")], "listen"),
        (&[("JWT_KEY", "x"), ("ALLOW_ANONYMOUS", "maybe")], "anonymous"),
        (&[("MERCURE_TRANSPORT_URL", "redis://x")], "data"),
        (&[("MERCURE_TRANSPORT_URL", "nonsense")], "data"),
        (&[("MERCURE_PUBLISHER_JWT_KEY", "x"), ("MERCURE_PUBLISHER_JWT_ALG", "none")], "publisher-algorithm"),
        (&[("MERCURE_EXTRA_DIRECTIVES", "publish_origins *")], "publish-origin"),
        (&[("MERCURE_EXTRA_DIRECTIVES", "cors_origins https://*.example.com")], "cors-origin"),
        (&[("MERCURE_EXTRA_DIRECTIVES", "publisher_jwks_url http://l.example/k")], "publisher-jwks"),
        (&[("MERCURE_EXTRA_DIRECTIVES", "heartbeat soon")], ""),
        (&[("MERCURE_EXTRA_DIRECTIVES", "hearbeat 1s")], ""),
        (&[("MERCURE_EXTRA_DIRECTIVES", "playground")], ""),
        (&[("MERCURE_EXTRA_DIRECTIVES", "anonymous {")], ""),
        (&[("MERCURE_EXTRA_DIRECTIVES", "issuer a {\n publisher {\n key x\n }\n}")], "issuer"),
    ];
    for (variables, key) in cases {
        let translation = translated(variables);
        let refused = translation.heed(&[]).unwrap_err().to_string();
        assert!(
            refused.starts_with(variables.last().unwrap().0.split(':').next().unwrap()),
            "{variables:?}: {refused}"
        );
        if !key.is_empty() {
            assert!(translation.heed(&[key]).is_ok(), "{variables:?}: {:?}", translation.refusals);
        }
    }
}

#[test]
fn bare_names_are_another_programs_beside_our_keys() {
    let environment = |name: &str| ["JWT_KEY", "ADDR"].contains(&name).then(|| ":80".to_owned());
    let translation = translate(&environment, &["memory", "key"]);
    assert!(values(&translation).is_empty());
    assert!(
        translation.heed(&[]).unwrap()[0].starts_with("JWT_KEY: the variables of the older Mercure hub have no effect")
    );
    assert_eq!(values(&translate(&environment, &["memory"])).len(), 2);
}
