//! Tests of the rules that choose a proxy: environment variables, and their exceptions.
use std::collections::HashMap;

use super::{ProxyError, ProxyUrl, Route, Rules, with_port};

fn rules(variables: &[(&str, &str)]) -> Rules {
    let variables: HashMap<_, _> = variables.iter().map(|&(name, value)| (name, value.to_owned())).collect();
    Rules::from_variables(|name| variables.get(name).cloned())
}

/// Returns the route as text: its kind, the proxy's URL, and the credentials for the proxy.
fn way(rules: &Rules, url: &str) -> String {
    let credentials = |value: Option<http::HeaderValue>| match value {
        Some(value) => format!(" {}", value.to_str().expect("visible characters")),
        None => String::new(),
    };
    match rules.route(&url.parse().expect("a URL"), false) {
        Ok(Route::Direct) => "direct".into(),
        Ok(Route::Forward(hop)) => format!("forward {}{}", hop.uri, credentials(hop.authorization)),
        Ok(Route::Tunnel(hop)) => format!("tunnel {}{}", hop.uri, credentials(hop.authorization)),
        Ok(Route::Socks { uri, credentials: None, .. }) => format!("socks {uri}"),
        Ok(Route::Socks { uri, credentials: Some((user, password)), .. }) => format!("socks {uri} {user} {password}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_environment_says_which_proxy_serves_which_scheme() {
    type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);
    let cases: &[Case] = &[
        (&[], "http://a/", "direct"),
        (&[("http_proxy", "http://p:1")], "http://a/", "forward http://p:1/"),
        (&[("http_proxy", "http://p:1")], "https://a/", "direct"),
        (&[("HTTP_PROXY", "http://p:1")], "http://a/", "forward http://p:1/"),
        (&[("https_proxy", "http://p:1")], "https://a/", "tunnel http://p:1/"),
        (&[("HTTPS_PROXY", "http://p:1")], "https://a/", "tunnel http://p:1/"),
        (&[("HTTPS_PROXY", "http://p:1")], "http://a/", "direct"),
        (&[("ALL_PROXY", "http://p:1")], "http://a/", "forward http://p:1/"),
        (&[("all_proxy", "http://p:1")], "https://a/", "tunnel http://p:1/"),
        (&[("all_proxy", "http://p:1"), ("http_proxy", "http://q:2")], "http://a/", "forward http://q:2/"),
        (&[("all_proxy", "http://p:1"), ("http_proxy", "http://q:2")], "https://a/", "tunnel http://p:1/"),
        (&[("http_proxy", "http://low:1"), ("HTTP_PROXY", "http://high:1")], "http://a/", "forward http://low:1/"),
        (&[("http_proxy", ""), ("HTTP_PROXY", "http://high:1")], "http://a/", "forward http://high:1/"),
        // httpoxy: in CGI, the request header `Proxy` becomes this variable.
        (&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil:1")], "http://a/", "direct"),
        (&[("REQUEST_METHOD", "GET"), ("http_proxy", "http://p:1")], "http://a/", "forward http://p:1/"),
        (&[("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", "http://p:1")], "https://a/", "tunnel http://p:1/"),
        // A URL without a scheme, and URLs with credentials.
        (&[("http_proxy", "p:3128")], "http://a/", "forward http://p:3128/"),
        (&[("http_proxy", "http://u:s%20t@p:1")], "http://a/", "forward http://p:1/ Basic dTpzIHQ="),
        (&[("https_proxy", "http://u:s%20t@p:1")], "https://a/", "tunnel http://p:1/ Basic dTpzIHQ="),
        (&[("all_proxy", "socks5://p")], "http://a/", "socks socks5://p:1080/"),
        (&[("all_proxy", "socks5h://u:s@p:9")], "https://a/", "socks socks5h://p:9/ u s"),
        // An invalid proxy is an error and is not bypassed. The error never shows the password.
        (
            &[("http_proxy", "ftp://u:secret@p:1")],
            "http://a/",
            "http_proxy: proxies with the scheme \"ftp\" are not supported",
        ),
        (&[("http_proxy", "http://u:secret@ p")], "http://a/", "http_proxy: the proxy must be given as a URL"),
        (&[("http_proxy", "ftp://p:1")], "https://a/", "direct"),
    ];
    for (variables, url, expected) in cases {
        assert_eq!(way(&rules(variables), url), *expected, "{variables:?} {url}");
    }
}

#[test]
fn no_proxy_lists_who_is_reached_directly() {
    let cases = [
        ("example.com", "http://example.com/", true),
        ("example.com", "http://EXAMPLE.com:8080/", true),
        ("example.com", "http://sub.example.com/", true),
        (".example.com", "http://sub.example.com/", true),
        (".example.com", "http://example.com/", true),
        ("*.example.com", "http://sub.example.com/", true),
        ("example.com", "http://badexample.com/", false),
        ("example.com", "http://example.com.evil/", false),
        ("other, example.com ,", "http://example.com/", true),
        ("10.0.0.0/8", "http://10.1.2.3/", true),
        ("10.0.0.0/8", "http://11.1.2.3/", false),
        ("127.0.0.1", "http://127.0.0.1:80/", true),
        ("::1", "http://[::1]/", true),
        ("*", "http://anywhere/", true),
        ("*", "http://192.0.2.1/", true),
        ("", "http://anywhere/", false),
    ];
    for (list, url, is_direct) in cases {
        for name in ["no_proxy", "NO_PROXY"] {
            let rules = rules(&[("http_proxy", "http://p:1"), (name, list)]);
            assert_eq!(way(&rules, url) == "direct", is_direct, "{list:?} {url}");
        }
    }
}

#[test]
fn http2_from_the_first_byte_needs_a_tunnel() {
    let rules = rules(&[("http_proxy", "http://p:1")]);
    let route = rules.route(&"http://a/".parse().expect("a URL"), true);
    assert!(matches!(route, Ok(Route::Tunnel(_))), "{route:?}");
}

#[test]
fn a_proxy_url_is_one_and_keeps_its_password() {
    for good in ["http://p", "https://p:1", "HTTP://p", "socks5://p", "socks5h://u:s@[::1]:9", "p:1", "u:secret@p:1"] {
        let url = good.parse::<ProxyUrl>().expect(good);
        assert!(!format!("{url} {url:?}").contains("secret"), "{url:?}");
    }
    for (bad, error) in [
        ("", ProxyError::Syntax),
        ("http://", ProxyError::Syntax),
        ("/path", ProxyError::Syntax),
        ("http://u:s@", ProxyError::Syntax),
        ("socks4://p", ProxyError::Scheme { scheme: "socks4".into() }),
        ("a-scheme-much-longer-than-that://p", ProxyError::Scheme { scheme: "a-scheme-much-lo".into() }),
    ] {
        assert_eq!(bad.parse::<ProxyUrl>().err(), Some(error), "{bad}");
    }
}

#[test]
fn ports_are_written_out() {
    for (uri, expected) in
        [("http://a/", "http://a:80/"), ("http://a:1/", "http://a:1/"), ("http://[::1]/", "http://[::1]:80/")]
    {
        assert_eq!(with_port(&uri.parse().expect("a URL"), 80).to_string(), expected);
    }
}
