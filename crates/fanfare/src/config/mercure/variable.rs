//! Translates each variable of a Mercure hub. The tables follow the documentation of the reference hub.
use super::{directive, translator::Translator, transport};
use toml::{Table, Value};

/// Variables of the reference hub's container image that have no effect on this hub, and the warning about each.
const IMAGE_WITHOUT_MEANING: [(&str, &str); 4] = [
    ("MERCURE_LICENSE", "this hub needs no license; the variable has no effect"),
    ("GLOBAL_OPTIONS", "options of Caddy have no effect on this hub"),
    ("CADDY_EXTRA_CONFIG", "configuration of Caddy has no effect on this hub; use a proxy in front of the hub for it"),
    (
        "CADDY_SERVER_EXTRA_DIRECTIVES",
        "configuration of Caddy has no effect on this hub; use a proxy in front of the hub for it",
    ),
];

/// Variables of the older Mercure hub, without a prefix, that have no effect on this hub, and the warning about each.
const BARE_WITHOUT_MEANING: [(&str, &str); 8] = [
    ("DEBUG", "the variable has no effect on this hub: set FANFARE_LOG_LEVEL=debug to log more"),
    ("DEMO", "the hub's page is at /fanfare, unless FANFARE_PAGE is off; the variable has no effect"),
    ("COMPRESS", "this hub does not compress streams; a proxy in front of the hub can compress them"),
    ("METRICS_ENABLED", "this hub has no metrics"),
    (
        "USE_FORWARDED_HEADERS",
        "the variable has no effect on this hub: set FANFARE_PUBLIC_URL to the hub's URL for clients",
    ),
    ("READ_TIMEOUT", "this hub waits at most 30 s for the body of a request; the variable has no effect"),
    ("READ_HEADER_TIMEOUT", "this hub waits at most 60 s for the head of a request; the variable has no effect"),
    ("ACME_HTTP01_ADDR", NO_TLS),
];

/// Variables with which the older Mercure hub serves TLS.
const BARE_TLS: [&str; 3] = ["ACME_HOSTS", "CERT_FILE", "KEY_FILE"];

pub(super) const NO_TLS: &str = "the hub does not support TLS itself: use a proxy with a certificate in front of it, \
     and set FANFARE_LISTEN (such as 0.0.0.0:3000) and FANFARE_PUBLIC_URL (such as https://hub.example.com/)";

/// Translates every variable that is set.
pub(super) fn translate(translator: &mut Translator<'_>, has_our_keys: bool) {
    if !has_our_keys {
        bare(translator);
    } else if translator.variable("JWT_KEY").is_some() {
        translator.warn("the variables of the older Mercure hub have no effect, because options of Fanfare give keys");
    }
    image(translator);
}

/// Translates the variables of the older Mercure hub, from before it became a module of Caddy. Their names have no
/// prefix.
fn bare(translator: &mut Translator<'_>) {
    const KEYS: [(&str, &str, &str, &str); 3] = [
        ("JWT_KEY", "key", "JWT_ALGORITHM", "algorithm"),
        ("PUBLISHER_JWT_KEY", "publisher-key", "PUBLISHER_JWT_ALGORITHM", "publisher-algorithm"),
        ("SUBSCRIBER_JWT_KEY", "subscriber-key", "SUBSCRIBER_JWT_ALGORITHM", "subscriber-algorithm"),
    ];
    // The older Mercure hub did not start without a key. If no variable gives a key, all these variables belong to
    // another program.
    if !KEYS.iter().any(|(name, ..)| translator.peek(name).is_some()) {
        return;
    }
    for (key_variable, key, algorithm_variable, algorithm) in KEYS {
        keys(translator, (key_variable, key), (algorithm_variable, algorithm));
    }
    for (name, key) in [("ALLOW_ANONYMOUS", "anonymous"), ("SUBSCRIPTIONS", "subscriptions")] {
        if let Some(value) = translator.variable(name) {
            boolean(translator, key, &value);
        }
    }
    for (name, key) in [("CORS_ALLOWED_ORIGINS", "cors-origin"), ("PUBLISH_ALLOWED_ORIGINS", "publish-origin")] {
        if let Some(value) = translator.variable(name) {
            directive::origins(translator, key, &value.split_whitespace().collect::<Vec<_>>());
        }
    }
    let durations = [
        ("HEARTBEAT_INTERVAL", "heartbeat"),
        ("WRITE_TIMEOUT", "write_timeout"),
        ("DISPATCH_TIMEOUT", "dispatch_timeout"),
    ];
    for (name, directive) in durations {
        if let Some(value) = translator.variable(name) {
            directive::duration(translator, directive, &value);
        }
    }
    if let Some(value) = translator.variable("TRANSPORT_URL") {
        transport::url(translator, &value);
    }
    if let Some(value) = translator.variable("ADDR") {
        address(translator, &value);
    }
    for name in BARE_TLS {
        if translator.variable(name).is_some() {
            translator.refuse("listen", NO_TLS);
        }
    }
    for (name, instead) in BARE_WITHOUT_MEANING {
        if translator.variable(name).is_some_and(|value| value != "0" && value != "false") {
            translator.warn(instead);
        }
    }
}

/// Translates the variables of the reference hub's container image.
fn image(translator: &mut Translator<'_>) {
    let issuers = translator.peek("MERCURE_TRUSTED_ISSUERS");
    if let Some(issuers) = &issuers {
        translator.at("MERCURE_TRUSTED_ISSUERS".to_owned());
        for name in names(issuers) {
            let issuer = trusted_issuer(translator, name);
            translator.add_issuer(issuer);
        }
    } else {
        let publisher = ("MERCURE_PUBLISHER_JWT_KEY", "publisher-key");
        keys(translator, publisher, ("MERCURE_PUBLISHER_JWT_ALG", "publisher-algorithm"));
        let subscriber = ("MERCURE_SUBSCRIBER_JWT_KEY", "subscriber-key");
        keys(translator, subscriber, ("MERCURE_SUBSCRIBER_JWT_ALG", "subscriber-algorithm"));
    }
    if let Some(value) = translator.variable("MERCURE_TRANSPORT_URL") {
        transport::url(translator, &value);
    }
    if let Some(directives) = translator.variable("MERCURE_EXTRA_DIRECTIVES") {
        directive::translate(translator, &directives);
    }
    // Other programs use `SERVER_NAME` too. It is meant for this hub only if one of these variables is set.
    const OURS: [&str; 5] = [
        "MERCURE_PUBLISHER_JWT_KEY",
        "MERCURE_SUBSCRIBER_JWT_KEY",
        "MERCURE_TRUSTED_ISSUERS",
        "MERCURE_EXTRA_DIRECTIVES",
        "MERCURE_TRANSPORT_URL",
    ];
    if !OURS.iter().any(|name| translator.peek(name).is_some()) {
        return;
    }
    if let Some(value) = translator.variable("SERVER_NAME") {
        server_name(translator, &value);
    }
    for (name, instead) in IMAGE_WITHOUT_MEANING {
        if translator.variable(name).is_some() {
            translator.warn(instead);
        }
    }
}

fn keys(translator: &mut Translator<'_>, key: (&str, &'static str), algorithm: (&str, &'static str)) {
    if let Some(text) = translator.variable(key.0) {
        translator.set(key.1, text);
        if let Some(name) = translator.variable(algorithm.0) {
            translator.set_list(algorithm.1, [name]);
        }
    }
}

/// Returns the issuer `name` with the keys from `MERCURE_PUBLISHER_JWT_KEY` and `MERCURE_SUBSCRIBER_JWT_KEY`. The
/// reference hub's image uses these keys for all its issuers.
fn trusted_issuer(translator: &Translator<'_>, name: &str) -> Table {
    let mut issuer = Table::from_iter([("name".to_owned(), Value::String(name.to_owned()))]);
    for purpose in ["publisher", "subscriber"] {
        let variable = |what: &str| translator.peek(&format!("MERCURE_{}_JWT_{what}", purpose.to_uppercase()));
        if let Some(key) = variable("KEY") {
            issuer.insert(format!("{purpose}-key"), Value::String(key));
            if let Some(algorithm) = variable("ALG") {
                issuer.insert(format!("{purpose}-algorithm"), Value::Array(vec![Value::String(algorithm)]));
            }
        }
    }
    issuer
}

/// Returns the names in a list that white space or commas separate.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(|character: char| character == ',' || character.is_whitespace()).filter(|name| !name.is_empty())
}

fn boolean(translator: &mut Translator<'_>, key: &'static str, value: &str) {
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => translator.set(key, true),
        "0" | "f" | "false" => translator.set(key, false),
        _ => translator.refuse(key, format!("'{value}' is neither true nor false")),
    }
}

/// Sets the address to listen on. `:3000` means every address, as in Go.
fn address(translator: &mut Translator<'_>, value: &str) {
    let value = value.trim();
    match value.strip_prefix(':') {
        Some(port) => translator.set("listen", format!("0.0.0.0:{port}")),
        None => translator.set("listen", value.replace("localhost:", "127.0.0.1:")),
    }
}

/// Sets the address from the name of a site in a Caddyfile: `:80`, `http://hub.example.com:3000`, or a host name for
/// which Caddy gets a certificate.
fn server_name(translator: &mut Translator<'_>, value: &str) {
    let mut names = names(value);
    let Some(name) = names.next() else { return };
    if names.next().is_some() {
        translator.warn("the hub answers requests for every host name; only the port of the first name is used");
    }
    let (is_plain, rest) = match name.split_once("://") {
        Some(("http", rest)) => (true, rest),
        Some(_) => (false, name),
        None => (false, name),
    };
    let (host, port) = rest.rsplit_once(':').unwrap_or((rest, ""));
    let port: Option<u16> = if port.is_empty() { is_plain.then_some(80) } else { port.parse().ok() };
    match port {
        // Caddy serves a site without TLS if the scheme in its name is `http`, if its port is 80, or if its name is
        // only a port other than 443.
        Some(port) if is_plain || port == 80 || (host.is_empty() && port != 443) => {
            translator.set("listen", format!("0.0.0.0:{port}"));
            if !host.is_empty() {
                translator.set("public-url", format!("http://{host}:{port}/"));
            }
        }
        _ => translator.refuse("listen", NO_TLS),
    }
}
