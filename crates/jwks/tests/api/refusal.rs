//! Sets that are not fetched, or not taken.
use crate::issuer::{Issuer, http, kids, set, timing};
use fanfare_jwks::{Addresses, Client, FetchError, JwksSource, Timing};
use fanfare_server::auth::{KeyRules, MAX_SET_BYTES};
use std::{net::SocketAddr, sync::Arc};

async fn failure(issuer: &Issuer) -> Arc<FetchError> {
    issuer.source(timing()).ready().await.unwrap_err()
}

/// Server-side request forgery: the address that is really used is checked, also behind a name.
#[tokio::test]
async fn private_addresses_are_not_connected_to_unless_allowed() {
    let issuer = Issuer::answering(set(&["a"], "")).await;
    let port = issuer.url.parse::<url::Url>().unwrap().port().unwrap();
    let refused = [
        (issuer.url.clone(), Addresses::Public),
        (format!("https://127.0.0.1:{port}/"), Addresses::Public),
        (format!("https://localhost:{port}/"), Addresses::Public),
        (format!("https://[::ffff:127.0.0.1]:{port}/"), Addresses::Public),
        (format!("https://0x7f000001:{port}/"), Addresses::Public),
        (format!("https://0.0.0.0:{port}/"), Addresses::Private),
        (format!("https://[::]:{port}/"), Addresses::Private),
        ("https://169.254.169.254/latest/meta-data/".to_owned(), Addresses::Private),
        ("https://10.0.0.1/".to_owned(), Addresses::Public),
        ("https://[fe80::1]/".to_owned(), Addresses::Private),
    ];
    for (url, addresses) in refused {
        let url = url.parse().unwrap();
        let shown = format!("{url}");
        let source = JwksSource::start(url, KeyRules::default(), Client::new(addresses), Timing::default());
        let error = source.ready().await.unwrap_err();
        assert!(matches!(*error, FetchError::Address(_)), "{shown}: {error}");
    }
    assert!(issuer.requests().is_empty());
    assert!(issuer.source(timing()).ready().await.is_ok());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Issuer::answering(set(&["a"], "")).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}\r\n", elsewhere.url);
        let issuer = Issuer::answering(http(status, &location, "")).await;
        assert!(matches!(*failure(&issuer).await, FetchError::Redirect(_)), "{status}");
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_document_is_bounded() {
    let document = set(&["a"], "");
    let (_, body) = document.split_once("\r\n\r\n").unwrap();
    let padded = |bytes: usize| http("200 OK", "", &(body.to_owned() + &" ".repeat(bytes - body.len())));
    let issuer = Issuer::answering(padded(MAX_SET_BYTES)).await;
    assert!(issuer.source(timing()).ready().await.is_ok());
    issuer.answer(padded(MAX_SET_BYTES + 1));
    assert!(matches!(*failure(&issuer).await, FetchError::TooLarge));
    // Without a length it is counted.
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(MAX_SET_BYTES + 1));
    issuer.answer(endless);
    assert!(matches!(*failure(&issuer).await, FetchError::TooLarge));
    issuer.answer(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(64 * 1024)));
    assert!(matches!(*failure(&issuer).await, FetchError::Http(_)));
}

#[tokio::test]
async fn what_is_no_set_is_told() {
    let cases = [
        (http("404 Not Found", "", ""), "its server answers 404 Not Found"),
        (http("304 Not Modified", "", ""), "its server answers 304 Not Modified, and redirects"),
        (http("200 OK", "", "<html>"), "neither a JWK nor a JWK set"),
        (http("200 OK", "", r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#), "was published"),
        (http("200 OK", "content-encoding: x\r\n", "\u{1f}"), "neither a JWK nor a JWK set"),
        (String::new(), "the HTTP exchange failed"),
    ];
    for (answer, reason) in cases {
        let issuer = Issuer::answering(answer).await;
        let error = failure(&issuer).await.to_string();
        assert!(error.contains(reason), "{error} lacks {reason}");
    }
    let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let url = format!("http://{nobody}/").parse().unwrap();
    let source = JwksSource::start(url, KeyRules::default(), Client::new(Addresses::Private), timing());
    assert!(matches!(*source.ready().await.unwrap_err(), FetchError::Connect(_)) && kids(&source).is_empty());
}
