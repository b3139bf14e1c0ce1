//! Tests of the cookie jar: which cookies it keeps, for which URLs, and how many.
use super::*;

fn sent(set: &[(&str, &str)], to: &str) -> String {
    let jar = CookieJar::new();
    for (url, cookie) in set {
        jar.set(&url.parse().unwrap(), cookie);
    }
    let header = jar.header(&to.parse().unwrap(), None);
    header.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
}

#[test]
fn a_cookie_goes_back_to_whom_it_is_from() {
    let url = "http://a.example/x/y";
    let cases: &[(&str, &str, &str)] = &[
        ("a=1", "http://a.example/x/z", "a=1"),
        ("a=1", "http://a.example:81/x", "a=1"),
        ("a=1", "https://a.example/x/", "a=1"),
        ("a=1", "http://a.example/", ""),
        ("a=1", "http://a.example/xy", ""),
        ("a=1; Path=/", "http://a.example/", "a=1"),
        ("a=1; path=/x/", "http://a.example/x/q", "a=1"),
        ("a=1; Path=relative", "http://a.example/", ""),
        ("a=1; Path=/", "http://b.example/", ""),
        ("a=1; Path=/; Domain=a.example", "http://a.example/", "a=1"),
        ("a=1; Path=/; Domain=.example", "http://b.example/", ""),
        ("a=1; Path=/; Domain=b.example", "http://a.example/", ""),
        ("a=1; Path=/; Domain=b.example", "http://b.example/", ""),
        ("a=1; Path=/; Secure", "https://a.example/", ""),
        ("__Secure-a=1; Path=/", "http://a.example/", ""),
        ("__Host-a=1; Path=/", "http://a.example/", ""),
        ("a=1; Path=/; Max-Age=0", "http://a.example/", ""),
        ("a=1; Path=/; Max-Age=-1", "http://a.example/", ""),
        ("a=1; Path=/; Max-Age=99999999999999999999", "http://a.example/", "a=1"),
        ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "http://a.example/", ""),
        ("a=1; Path=/; Expires=Thu, 01-Jan-1970 00:00:01 GMT", "http://a.example/", ""),
        ("a=1; Path=/; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "http://a.example/", "a=1"),
        ("a=b=c; Path=/; HttpOnly; SameSite=Lax", "http://a.example/", "a=b=c"),
        ("=1; Path=/", "http://a.example/", ""),
        ("a=1; Path=/; Domain=", "http://a.example/", "a=1"),
        ("a=1; Path=/; Domain=example", "http://a.example/", ""),
        ("a=1; Path=/; Domain=.example", "http://a.example/", ""),
        ("a=1; Path=/; Domain=..a.example", "http://a.example/", ""),
        ("a=1\u{1}; Path=/", "http://a.example/", ""),
    ];
    for (cookie, to, expected) in cases {
        assert_eq!(sent(&[(url, cookie)], to), *expected, "{cookie} to {to}");
    }
    let secure = ("https://a.example/", "a=1; Secure");
    assert_eq!(sent(&[secure], "https://a.example/"), "a=1");
    assert_eq!(sent(&[secure], "http://a.example/"), "");
}

#[test]
fn a_cookie_replaces_the_one_of_its_name_and_path() {
    let url = "http://a.example/x/y";
    let set = [(url, "a=1"), (url, "b=2; Path=/"), (url, "a=3"), (url, "a=4; Path=/")];
    assert_eq!(sent(&set, url), "a=3; b=2; a=4");
    assert_eq!(sent(&[(url, "a=1"), (url, "a=; Max-Age=0")], url), "");
}

/// `Domain` is the host, or a parent domain of more than one label.
#[test]
fn a_domain_has_to_be_the_hosts() {
    let cases = [
        ("http://a.b.example/", "b.example", true),
        ("http://a.b.example/", "B.Example", true),
        ("http://a.b.example/", "example", false),
        ("http://a.b.example/", ".example", false),
        ("http://a.b.example/", "c.example", false),
        ("http://ab.example/", "b.example", false),
        ("http://b.example/", "a.b.example", false),
        ("http://localhost/", "localhost", true),
        ("http://a.localhost/", "localhost", false),
        ("http://127.0.0.1/", "127.0.0.1", true),
        ("http://127.0.0.1/", "0.0.1", false),
        ("http://[::1]/", "[::1]", true),
    ];
    for (url, domain, kept) in cases {
        let expected = if kept { "a=1" } else { "" };
        assert_eq!(sent(&[(url, &format!("a=1; Path=/; Domain={domain}"))], url), expected, "{domain} from {url}");
    }
}

/// A name with such a prefix promises properties of its cookie ([6265bis,
/// 4.1.3](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis)).
#[test]
fn a_name_with_a_prefix_keeps_its_promise() {
    let url = "https://a.b.example/";
    let cases = [
        ("__Secure-a=1; Secure", true),
        ("__Secure-a=1", false),
        ("__secure-a=1", false),
        ("__Secure-a=1; Secure; Domain=b.example", true),
        ("__Host-a=1; Secure; Path=/", true),
        ("__HOST-a=1; Secure; Path=/", true),
        ("__Host-a=1; Path=/", false),
        ("__Host-a=1; Secure", false),
        ("__Host-a=1; Secure; Path=/x", false),
        ("__Host-a=1; Secure; Path=/; Domain=a.b.example", false),
    ];
    for (cookie, kept) in cases {
        assert_eq!(sent(&[(url, cookie)], url).is_empty(), !kept, "{cookie}");
        assert_eq!(sent(&[("http://a.b.example/", cookie)], url), "", "{cookie} without TLS");
    }
}

/// Without TLS, anybody between client and server can answer in the server's name.
#[test]
fn a_secure_cookie_is_left_alone_without_tls() {
    let (tls, plain) = ("https://a.example/x/y", "http://a.example/x/y");
    let secure = (tls, "a=1; Secure; Path=/x");
    for cookie in ["a=2; Path=/x", "a=2; Path=/x; Max-Age=0", "a=2; Path=/x/y", "a=2"] {
        assert_eq!(sent(&[secure, (plain, cookie)], tls), "a=1", "{cookie}");
        assert_eq!(sent(&[secure, (plain, cookie)], plain), "", "{cookie}");
    }
    // A cookie with a shorter path, or with another name or host, is another cookie.
    assert_eq!(sent(&[secure, (plain, "a=2; Path=/")], tls), "a=1; a=2");
    assert_eq!(sent(&[secure, (plain, "b=2; Path=/x")], tls), "a=1; b=2");
    assert_eq!(sent(&[secure, ("http://b.example/", "a=2")], "http://b.example/"), "a=2");
    // Over TLS, any cookie may replace it, also one that is not `Secure`.
    assert_eq!(sent(&[secure, (tls, "a=2; Path=/x")], plain), "a=2");
    assert_eq!(sent(&[secure, (tls, "a=2; Path=/x; Max-Age=0")], tls), "");
    // An expired cookie protects nothing.
    let jar = CookieJar::new();
    let now = SystemTime::now();
    jar.keep(&tls.parse().unwrap(), b"a=1; Secure; Max-Age=9", now);
    jar.keep(&plain.parse().unwrap(), b"a=2", now + Duration::from_secs(9));
    assert_eq!(jar.header(&plain.parse().unwrap(), None).unwrap(), "a=2");
}

fn host(number: usize) -> Url {
    format!("https://h{number:03}.example/").parse().unwrap()
}

/// Returns the numbers in the names of the cookies for `url`, in order.
fn numbers(jar: &CookieJar, url: &Url) -> Vec<usize> {
    let header = jar.header(url, None).map_or(String::new(), |value| value.to_str().unwrap().to_owned());
    let name = |pair: &str| pair.split_once('=').map(|(name, _)| name[1..].parse().unwrap());
    header.split("; ").filter_map(name).collect()
}

#[test]
fn the_number_of_cookies_is_bounded() {
    let jar = CookieJar::new();
    for number in 0..OF_HOST.cookies {
        jar.set(&host(0), format!("c{number}=1"));
    }
    assert_eq!(numbers(&jar, &host(0)), (0..OF_HOST.cookies).collect::<Vec<_>>());
    jar.set(&host(0), "c50=1");
    assert_eq!(numbers(&jar, &host(0)), (1..=OF_HOST.cookies).collect::<Vec<_>>(), "the oldest went");
    let jar = CookieJar::new();
    for number in 0..OF_ALL.cookies {
        jar.set(&host(number), "c0=1");
    }
    assert_eq!((numbers(&jar, &host(0)).len(), jar.lock().len()), (1, OF_ALL.cookies));
    jar.set(&host(OF_ALL.cookies), "c0=1");
    assert_eq!((numbers(&jar, &host(0)).len(), jar.lock().len()), (0, OF_ALL.cookies));
}

#[test]
fn the_bytes_of_cookies_are_bounded() {
    let jar = CookieJar::new();
    jar.set(&host(0), format!("a={}", "x".repeat(MAX_COOKIE_BYTES - 2)));
    jar.set(&host(0), format!("b={}", "x".repeat(MAX_COOKIE_BYTES - 1)));
    assert_eq!(jar.lock().len(), 1);
    // Each cookie has 2 KiB, with host and path.
    let cookie = |number: usize, more: usize| {
        let fixed = format!("c{number:02}=;").len() - 2 + "h000.example/".len();
        format!("c{number:02}={}", "x".repeat(2048 - fixed + more))
    };
    let jar = CookieJar::new();
    for number in 0..32 {
        jar.set(&host(0), cookie(number, 0));
    }
    assert_eq!(numbers(&jar, &host(0)).len(), 32, "64 KiB");
    jar.set(&host(0), cookie(31, 1));
    assert_eq!(numbers(&jar, &host(0)), (1..32).collect::<Vec<_>>(), "a byte more");
    // The long path of the request is stored with the cookie, so it counts.
    let long: Url = format!("https://h001.example/{}/", "p".repeat(OF_HOST.bytes)).parse().unwrap();
    jar.set(&long, "c0=1");
    assert_eq!(numbers(&jar, &long).len(), 0);
    let jar = CookieJar::new();
    for number in 0..=8 {
        for cookie in (0..32).map(|number| cookie(number, 0)) {
            jar.set(&host(number), cookie);
        }
        let bytes: usize = jar.lock().iter().map(Cookie::bytes).sum();
        assert_eq!(bytes, OF_HOST.bytes * (number + 1).min(8));
    }
    assert_eq!(numbers(&jar, &host(0)).len(), 0);
}

/// Otherwise an attacker without TLS could push out the cookies of the real server with many others.
#[test]
fn a_secure_cookie_is_displaced_by_secure_ones_alone() {
    let (tls, plain) = (host(0), Url::parse("http://h000.example/").unwrap());
    let jar = CookieJar::new();
    jar.set(&tls, "c0=1; Secure");
    for number in 1..3 * OF_HOST.cookies {
        jar.set(&plain, format!("c{number}=1"));
    }
    assert_eq!(numbers(&jar, &tls)[0], 0);
    assert_eq!(numbers(&jar, &tls).len(), OF_HOST.cookies);
    for number in 1..OF_HOST.cookies {
        jar.set(&tls, format!("c{}=1; Secure", 1000 + number));
    }
    jar.set(&plain, "c1=1");
    assert_eq!(numbers(&jar, &plain), Vec::<usize>::new(), "there is no room");
    jar.set(&tls, "c2000=1; Secure");
    assert_eq!(numbers(&jar, &tls)[0], 1001, "the oldest went");
    // The same is true for the limit of all hosts together.
    let jar = CookieJar::new();
    jar.set(&tls, "c0=1; Secure");
    for number in 1..2 * OF_ALL.cookies {
        jar.set(&host(number), "c0=1");
    }
    assert_eq!((numbers(&jar, &tls).len(), jar.lock().len()), (1, OF_ALL.cookies));
}

#[test]
fn what_the_program_says_itself_stands_before() {
    let (jar, url) = (CookieJar::new(), "http://a.example/".parse().unwrap());
    let own = HeaderValue::from_static("own=1");
    assert_eq!(jar.header(&url, Some(&own)).unwrap(), "own=1");
    jar.set(&url, "a=2");
    assert_eq!(jar.header(&url, Some(&own)).unwrap(), "own=1; a=2");
    assert!(!format!("{jar:?}").contains('2'));
}
