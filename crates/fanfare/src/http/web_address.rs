//! Web addresses as people type them: with `http://`, or without.
use std::net::{Ipv4Addr, Ipv6Addr};
use url::Url;

/// Returns a correction of `text`, if only its beginning keeps it from being a web URL: leading blanks, a mistyped
/// scheme, or the scheme of a WebSocket, which an event stream never has.
pub(crate) fn corrected(text: &str) -> Option<String> {
    let trimmed = text.trim_start();
    if trimmed.len() < text.len() {
        return corrected(trimmed).or_else(|| has_web_scheme(trimmed).then(|| trimmed.to_owned()));
    }
    for (scheme, web) in [("ws://", "http://"), ("wss://", "https://")] {
        if let Some((beginning, rest)) = text.split_at_checked(scheme.len())
            && beginning.eq_ignore_ascii_case(scheme)
            && !rest.is_empty()
        {
            return Some(format!("{web}{rest}"));
        }
    }
    behind_mistyped_scheme(text).map(either)
}

fn either(rest: &str) -> String {
    format!("http://{rest} or https://{rest}")
}

/// Returns true if `text` begins with `http://` or `https://`, in upper or lower case.
pub(crate) fn has_web_scheme(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme)))
}

/// Returns a correction of `text`, if `text` looks like a URL without its scheme: `localhost:3000/topics/x`,
/// `127.0.0.1:8080`, `example.com/events`.
///
/// A name with dots but without a port or a path, such as `order.created`, is a topic, and so is a word without dots
/// that has a number, such as `user:42`. A mistyped scheme, as in `http:/h` or `htp://h`, is corrected. A text with
/// another scheme, such as `urn:`, is a topic.
pub(crate) fn scheme_hint(text: &str) -> Option<String> {
    if lacks_scheme(text.trim()) { Some(either(text.trim())) } else { corrected(text) }
}

/// Returns the text after a mistyped `http://` or `https://`, or after two slashes at the beginning.
fn behind_mistyped_scheme(text: &str) -> Option<&str> {
    /// The colon after a scheme, and the semicolon, which is on the same key of many keyboards and is typed by mistake.
    const COLONS: [char; 2] = [':', ';'];
    const MISTYPED: [&str; 6] = ["htp", "htps", "http", "https", "hhtp", "hhtps"];
    if has_web_scheme(text) {
        return None;
    }
    let slash = text.find('/')?;
    let (scheme, rest) = (text[..slash].trim_end_matches(COLONS), text[slash..].trim_start_matches('/'));
    let slashes = text.len() - slash - rest.len();
    let is_mistyped = (text[..slash].ends_with(COLONS) || slashes > 1)
        && MISTYPED.iter().any(|mistyped| mistyped.eq_ignore_ascii_case(scheme));
    (!rest.is_empty() && (is_mistyped || (slash == 0 && slashes == 2))).then_some(rest)
}

/// Returns a correction of `text`, the value of an argument that must be a URL. In other arguments, a text such as
/// `hub:3000` could be a topic, but this function corrects it too.
pub(crate) fn url_hint(text: &str) -> Option<String> {
    let is_one = || Url::parse(&format!("http://{text}")).is_ok_and(|url| url.has_host());
    corrected(text).or_else(|| (!text.contains("://") && !text.contains('@') && is_one()).then(|| either(text)))
}

fn lacks_scheme(text: &str) -> bool {
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (authority, rest) = text.split_at(end);
    let Some((host, port)) = split_port(authority) else { return false };
    let is_address = host.parse::<Ipv4Addr>().is_ok()
        || host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .is_some_and(|host| host.parse::<Ipv6Addr>().is_ok());
    let is_name = host.eq_ignore_ascii_case("localhost") || is_public_name(host);
    is_address || (is_name && (port.is_some() || rest.starts_with('/')))
}

/// Returns the host and, if there is one, the port; `None` if the text after the colon is not a port.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let in_brackets = authority.ends_with(']');
    match authority.rsplit_once(':') {
        Some((host, port)) if !in_brackets => Some((host, Some(port.parse().ok()?))),
        _ => Some((authority, None)),
    }
}

/// Returns true if `host` is a name with a dot, and its last label has only letters, as top-level domains do.
fn is_public_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    host.split('.').all(is_label) && last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lacks_its_scheme_is_recognised() {
        let urls = [
            "localhost:3000/topics/x",
            "LOCALHOST/x",
            "127.0.0.1:3000",
            "127.0.0.1",
            "[::1]:3000/x",
            "[::1]",
            "example.com/events",
            "example.com:8080",
            "hub.example.com:443/x?y",
        ];
        for url in urls {
            assert_eq!(scheme_hint(url), Some(format!("http://{url} or https://{url}")));
        }
        for mistyped in
            ["http:/h/x", "http//h/x", "htp://h/x", "HTTPS:/h/x", "//h/x", "http;//h/x", " http:/h/x", "https;/h/x"]
        {
            assert_eq!(scheme_hint(mistyped), Some("http://h/x or https://h/x".to_owned()), "{mistyped}");
        }
        for (text, meant) in [
            ("ws://h/x", "http://h/x"),
            ("WSS://h", "https://h"),
            (" https://h", "https://h"),
            ("\tws://h", "http://h"),
            (" localhost:3000/x", "http://localhost:3000/x or https://localhost:3000/x"),
        ] {
            assert_eq!(scheme_hint(text).as_deref(), Some(meant), "{text}");
        }
        assert_eq!(url_hint("wss://h:1/x").as_deref(), Some("https://h:1/x"));
        let topics = [
            "news",
            "ws://",
            "wss",
            " news",
            "http",
            "http/",
            "http/requests",
            "ftp://h/x",
            "///x",
            "httpbin/x",
            "localhost",
            "user:42",
            "user:42/x",
            "order.created",
            "v1.2/x",
            "books/1",
            "/books/1",
            "urn:uuid:1",
            "a b.example/x",
            "*",
            "",
            "https://example.com/",
            "[x]:1/",
            "a:b:1/",
            "-a.example/",
        ];
        for topic in topics {
            assert_eq!(scheme_hint(topic), None, "{topic}");
        }
        assert_eq!(url_hint("hub:3000"), Some("http://hub:3000 or https://hub:3000".into()));
        for text in ["", "ftp://x", "me:secret@h", "a b"] {
            assert_eq!(url_hint(text), None, "{text}");
        }
        assert!(has_web_scheme("HTTP://x") && has_web_scheme("https://") && !has_web_scheme("http:x"));
        assert!(!has_web_scheme("é") && !has_web_scheme("httpé://"));
    }
}
