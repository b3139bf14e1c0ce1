//! Translates the directives of `mercure { … }` in a Caddyfile into Fanfare's options.
use super::{
    caddyfile::{self, Directive},
    translator::Translator,
    transport,
};
use fanfare_mask::MASK;
use toml::{Table, Value};

/// The beginning of the URL of a JWK set that is in a file.
const FILE: &str = "file://";

const VARIABLE: &str = "MERCURE_EXTRA_DIRECTIVES";

/// Directives that have no effect on this hub, and the warning about each.
const WITHOUT_MEANING: [(&str, &str); 10] = [
    ("demo", "the hub's page is at /fanfare, unless FANFARE_PAGE is off; there are no demonstration endpoints"),
    ("ui", "the hub's page is at /fanfare, unless FANFARE_PAGE is off; the directive has no effect"),
    ("debugger", "the hub's page is at /fanfare, unless FANFARE_PAGE is off; the directive has no effect"),
    ("topic_selector_cache", "this hub needs no cache to match topics; the directive has no effect"),
    ("topic_matcher_cache", "this hub needs no cache to match topics; the directive has no effect"),
    ("subscriber_list_cache_size", "this hub needs no cache to find subscribers; the directive has no effect"),
    ("cache_size_approx", "this hub needs no cache to match topics; the directive has no effect"),
    (
        "drain_timeout",
        "streams end at once when the hub stops, and other requests have 4 s to finish; the directive has no effect",
    ),
    ("name", "a process runs only one hub, which needs no name; the directive has no effect"),
    (
        "authorization_server",
        "every issuer is advertised as an authorization server, under its name; the directive has no effect",
    ),
];

/// Translates all directives in `text`, the value of `MERCURE_EXTRA_DIRECTIVES`.
pub(super) fn translate(translator: &mut Translator<'_>, text: &str) {
    let directives = caddyfile::parse(text, &|name| translator.peek(name));
    match directives {
        Ok(directives) => directives.iter().for_each(|directive| one(translator, directive)),
        Err(caddyfile::SyntaxError::Unbalanced) => {
            translator.refuse("", "a quotation mark or a brace has no counterpart");
        }
        Err(caddyfile::SyntaxError::TooDeep) => translator.refuse("", "the blocks are nested too deeply"),
    }
}

fn one(translator: &mut Translator<'_>, directive: &Directive) {
    let Directive { name, arguments, block } = directive;
    // A word that cannot be the name of a directive is masked in messages: it may be a key that stands on a line of its
    // own.
    let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    translator.at(format!("{VARIABLE}: {}", if is_name { name } else { MASK }));
    if let Some((_, why)) = WITHOUT_MEANING.iter().find(|(known, _)| known == name) {
        return translator.warn(why);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match (name.as_str(), &arguments[..]) {
        ("anonymous", []) => translator.set("anonymous", true),
        ("subscriptions", []) => translator.set("subscriptions", true),
        ("cors_origins", [_, ..]) => origins(translator, "cors-origin", &arguments),
        ("publish_origins", [_, ..]) => origins(translator, "publish-origin", &arguments),
        ("heartbeat" | "write_timeout" | "dispatch_timeout", [value]) => duration(translator, name, value),
        ("publisher_jwt", [key, algorithm @ ..]) => {
            set_key(translator, ("publisher-key", key), ("publisher-algorithm", algorithm));
        }
        ("subscriber_jwt", [key, algorithm @ ..]) => {
            set_key(translator, ("subscriber-key", key), ("subscriber-algorithm", algorithm));
        }
        ("publisher_jwks_url", [url]) => set_jwks(translator, ["publisher-jwks", "publisher-key-file"], url),
        ("subscriber_jwks_url", [url]) => set_jwks(translator, ["subscriber-jwks", "subscriber-key-file"], url),
        ("cookie_name", [name]) => translator.set("cookie-name", *name),
        ("resource_identifier", [audience]) => translator.set("audience", *audience),
        ("public_urls", [url, more @ ..]) => {
            translator.set("public-url", *url);
            if !more.is_empty() {
                translator.warn("this hub has only one public URL: it uses the first one in the list");
            }
        }
        ("max_request_body_size", [size]) => body_size(translator, size),
        ("transport_url", [url]) => transport::url(translator, url),
        ("transport", [kind]) => {
            let options: Vec<_> =
                block.iter().map(|option| (option.name.clone(), option.arguments.join(" "))).collect();
            transport::named(translator, kind, &options);
        }
        ("issuer", [name]) => issuer(translator, name, block),
        ("protocol_version_compatibility", ["7" | "8"]) => {
            translator.warn("this hub always supports both revisions of Mercure; the directive has no effect");
        }
        ("playground", []) => translator.refuse(
            "",
            "this hub has no mode that gives everybody a token for everything: remove the directive, and run the hub on \
             a loopback address without keys to try things",
        ),
        _ => translator.refuse("", "this directive is not known, or has a wrong number of arguments; remove it"),
    }
}

/// Sets the option `key` to a list of origins. A slash at the end of an origin is removed, because browsers send
/// origins without it.
pub(super) fn origins(translator: &mut Translator<'_>, key: &'static str, origins: &[&str]) {
    if key == "publish-origin" && origins.contains(&"*") {
        return translator.refuse(
            key,
            "pages of every origin would publish with the cookies of their visitors: list the origins in \
             FANFARE_PUBLISH_ORIGIN",
        );
    }
    translator.set_list(key, origins.iter().map(|origin| origin.trim_end_matches('/')));
}

/// Translates a directive whose value is a duration in the syntax of Go. In a Mercure hub, zero means that the limit or
/// the heartbeat is switched off. Where this hub does not allow that, its default applies, and a warning says so.
pub(super) fn duration(translator: &mut Translator<'_>, directive: &str, value: &str) {
    let mut digits = value.chars().filter(char::is_ascii_digit).peekable();
    let is_zero = digits.peek().is_some() && digits.all(|digit| digit == '0');
    match (directive, is_zero) {
        ("write_timeout", true) => translator.set("max-lifetime", "off"),
        ("write_timeout", false) => translator.set("max-lifetime", value),
        ("heartbeat", true) => translator.warn(
            "a stream without events always has heartbeats here, because proxies close silent connections; the \
             interval is 20 s",
        ),
        ("heartbeat", false) => translator.set("heartbeat-interval", value),
        (_, true) => translator.warn(
            "a connection whose peer takes no data for a minute is always closed; FANFARE_WRITE_TIMEOUT sets another time",
        ),
        (_, false) => translator.set("write-timeout", value),
    }
}

fn body_size(translator: &mut Translator<'_>, size: &str) {
    if size == "0" {
        translator.warn("this hub always limits the size of request bodies, to at most 16 MiB; the default is used");
    } else {
        translator.set("max-body", size);
    }
}

fn set_key(translator: &mut Translator<'_>, key: (&'static str, &str), algorithm: (&'static str, &[&str])) {
    translator.set(key.0, key.1);
    if !algorithm.1.is_empty() {
        translator.set_list(algorithm.0, algorithm.1.iter().copied());
    }
}

/// Sets the option `jwks` to the URL of a JWK set. If the URL begins with `file://`, sets the option `file` to the path
/// in the URL instead.
fn set_jwks(translator: &mut Translator<'_>, [jwks, file]: [&'static str; 2], url: &str) {
    match url.strip_prefix(FILE) {
        Some(path) => translator.set(file, path),
        None => translator.set_list(jwks, [url]),
    }
}

/// Translates `issuer NAME { publisher { jwt KEY [ALG] | jwks_uri URL [ALG…] } subscriber { … } }`.
fn issuer(translator: &mut Translator<'_>, name: &str, block: &[Directive]) {
    let mut issuer = Table::from_iter([("name".to_owned(), Value::String(name.to_owned()))]);
    for purpose in block {
        match purpose.name.as_str() {
            "authorization_server" => one(translator, purpose),
            "publisher" | "subscriber" => {
                for directive in &purpose.block {
                    let Some(first) = directive.arguments.first() else {
                        return translator.refuse("issuer", format!("'{}' needs an argument", directive.name));
                    };
                    let (what, value) = match directive.name.as_str() {
                        "jwt" => ("key", Value::String(first.clone())),
                        "jwks_uri" if first.starts_with(FILE) => {
                            ("key-file", Value::String(first[FILE.len()..].to_owned()))
                        }
                        "jwks_uri" => ("jwks", Value::Array(vec![Value::String(first.clone())])),
                        other => return translator.refuse("issuer", format!("'{other}' is not known")),
                    };
                    issuer.insert(format!("{}-{what}", purpose.name), value);
                    let algorithms: Vec<_> = directive.arguments[1..].iter().cloned().map(Value::String).collect();
                    if !algorithms.is_empty() {
                        issuer.insert(format!("{}-algorithm", purpose.name), Value::Array(algorithms));
                    }
                }
            }
            other => return translator.refuse("issuer", format!("'{other}' is not known")),
        }
    }
    translator.at(format!("{VARIABLE}: issuer {name}"));
    translator.add_issuer(issuer);
}
