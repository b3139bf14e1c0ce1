//! Nothing that is printed holds a secret, and no argument makes the builder panic.
use crate::{
    connection::Connection,
    fixture::{Expect as _, run, source_of},
    server::Server,
};
use fanfare_client::{BuildError, EventSource, HookError, ManualClock};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

const SECRETS: [&str; 4] = ["s3cret", "Bearer", "pa55", "c00kie"];

#[track_caller]
fn is_clean(shown: &str) {
    assert!(!SECRETS.iter().any(|secret| shown.contains(secret)), "{shown}");
}

#[test]
fn what_can_be_printed_holds_no_secret() {
    run(async {
        let clock = ManualClock::new();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nSet-Cookie: a=c00kie\r\n\r\n";
        let refused = "Set-Cookie: a=c00kie\r\nX-Auth-Token: s3cret\r\n";
        let elsewhere = "Location: ftp://me:pa55@h/?token=s3cret\r\n";
        let server = Server::start([
            Connection::raw(head),
            Connection::answer(403, refused, ""),
            Connection::answer(302, elsewhere, ""),
        ]);
        let url = server.url("/?topic=t&token=s3cret&access_token=s3cret").replace("://", "://me:pa55@");
        let hook = |attempt: fanfare_client::Attempt| async move {
            is_clean(&format!("{attempt:?}"));
            Ok::<_, HookError>(attempt)
        };
        let builder = || source_of(&url, &clock).bearer("s3cret").header("X-Api-Key", "s3cret").before_attempt(hook);
        is_clean(&format!("{:?}", builder()));
        let source = builder().build().unwrap();
        is_clean(&format!("{source:?} {:?}", source.handle()));
        let mut signals = source.signals();
        is_clean(&format!("{signals:?}"));
        let opened = signals.opened().await;
        is_clean(&format!("{opened:?}"));
        assert!(format!("{opened:?}").contains("topic=t"), "what is no secret is shown: {opened:?}");
        for _ in 0..2 {
            let error = builder().build().unwrap().signals().error().await;
            is_clean(&format!("{error} {error:?}"));
        }
    });
}

#[test]
fn a_url_that_cannot_be_asked_is_told_without_its_secrets() {
    for url in [
        "ftp://me:pa55@h/?token=s3cret",
        "http://me:pa55@/?token=s3cret",
        "me:pa55@h?token=s3cret",
        "http://h:99999/?token=s3cret",
    ] {
        let error = EventSource::new(url).unwrap_err();
        is_clean(&format!("{error} {error:?}"));
    }
}

#[test]
fn long_arguments_are_errors() {
    let long = "x".repeat(1 << 20);
    let error = EventSource::new(format!("http://h/{long}")).unwrap_err();
    assert!(matches!(&error, BuildError::Url(told) if told.len() < 1000), "{} bytes", error.to_string().len());
    let builder = || EventSource::builder("http://h/");
    assert!(builder().header("x-long", &*long).build().is_ok(), "a server may take it");
    for error in [
        builder().header(&long, "x").build().unwrap_err(),
        builder().header("x", "a\nb").build().unwrap_err(),
        builder().last_event_id(format!("{long}\n")).build().unwrap_err(),
        builder().bearer("\u{7f}").build().unwrap_err(),
    ] {
        assert!(error.to_string().len() < 1000 && format!("{error:?}").len() < 1000);
    }
    assert_eq!(builder().basic("a:b", "c").build().unwrap_err(), BuildError::User);
    assert!(builder().basic(&long, &long).build().is_ok());
    assert_eq!(builder().method(Method::CONNECT).build().unwrap_err(), BuildError::Method);
}

#[test]
fn more_headers_than_there_can_be_are_an_error() {
    let name = |number: usize| HeaderName::try_from(format!("x-{number}")).unwrap();
    let many = (0..40_000).fold(EventSource::builder("http://h/"), |builder, number| builder.header(name(number), "x"));
    assert_eq!(many.build().unwrap_err(), BuildError::TooManyHeaders);
    let mut most = HeaderMap::new();
    let mut number = 0;
    while most.try_insert(name(number), HeaderValue::from_static("x")).is_ok() {
        number += 1;
    }
    let error = EventSource::builder("http://h/").headers(most).build().unwrap_err();
    assert_eq!(error, BuildError::TooManyHeaders);
}
