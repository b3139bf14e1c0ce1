//! The servers that a transport trusts.

use fanfare_client::transport::{CertificateDer, CustomRoots, Roots, TlsError};
use tower_service::Service;

use crate::{direct, fetch, get, server::Server};

fn trusting(certificate: CertificateDer<'static>) -> Roots {
    Roots::Custom(CustomRoots::from_der([certificate]).expect("a root"))
}

#[tokio::test]
async fn a_certificate_of_nobody_that_is_trusted_is_refused_and_told() {
    let (server, _) = Server::secure(&["http/1.1"]).await;
    let (_, other) = Server::secure(&[]).await;
    for roots in [trusting(other), Roots::Webpki] {
        let error = direct().roots(roots).build().call(get(&server.https("/"))).await.expect_err("a stranger");
        assert!(error.is_connect(), "{error}");
        assert!(error.to_string().starts_with("cannot connect: invalid peer certificate"), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused_and_told() {
    let (server, certificate) = Server::secure(&["http/1.1"]).await;
    let url = format!("https://{}/", server.address);
    let error = direct().roots(trusting(certificate)).build().call(get(&url)).await.expect_err("another name");
    assert!(error.to_string().contains("certificate not valid for name"), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told() {
    let server = Server::plain().await;
    let (_, certificate) = Server::secure(&[]).await;
    let error = direct().roots(trusting(certificate)).build().call(get(&server.https("/"))).await.expect_err("no TLS");
    assert!(error.is_connect() && error.to_string().starts_with("the server does not use TLS"), "{error}");
}

#[tokio::test]
async fn roots_are_needed_for_https_alone() {
    // What the system trusts is not known here; that it is not asked for plain HTTP is.
    let server = Server::plain().await;
    fetch(&mut direct().roots(Roots::Native).build(), get(&server.http("/"))).await.expect("an answer");
}

#[test]
fn what_is_no_certificate_is_no_root() {
    assert_eq!(CustomRoots::from_der([]).err(), Some(TlsError::NoRoots { reasons: Vec::new() }));
    let error = CustomRoots::from_der([CertificateDer::from(b"not DER".to_vec())]).expect_err("nonsense");
    assert!(matches!(error, TlsError::Certificate { index: 0, .. }), "{error}");
}
