//! C7, and what C14 comes to for a program.
use crate::{
    connection::Connection,
    fixture::{Expect as _, event, play, run, signals, source},
    server::Server,
};
use fanfare_client::{Error, ManualClock, RedirectError};
use http::{HeaderMap, HeaderValue, Method};

const DEFAULT_MAX_REDIRECTS: usize = 20;

#[test]
fn c07_redirects_are_followed() {
    run(async {
        for status in [301, 302, 303, 307, 308] {
            for (location, line) in
                [("/b?c", "GET /b?c HTTP/1.1"), ("b", "GET /b HTTP/1.1"), ("?d", "GET /events?d HTTP/1.1")]
            {
                let clock = ManualClock::new();
                let server =
                    Server::start([Connection::redirect(status, location), Connection::stream().piece("data:1\n\n")]);
                let mut signals = signals(&server, &clock);
                let opened = signals.opened().await;
                assert_eq!(server.requests()[1].line, line, "{status}");
                assert_eq!(opened.url.path(), line.split([' ', '?']).nth(1).unwrap());
                assert_eq!(signals.event().await.data, "1");
            }
        }
    });
}

#[test]
fn c07_the_next_connection_goes_to_the_original_url() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([
            Connection::redirect(301, "/b"),
            Connection::stream().piece("id:1\ndata:\n\n").end(),
            Connection::redirect(307, "/c"),
            Connection::answer(204, "", ""),
        ]);
        let (_, error) = play(&mut signals(&server, &clock), &clock).await;
        assert!(error.is_none(), "{error:?}");
        let asked: Vec<_> =
            server.requests().iter().map(|request| format!("{} {}", request.line, request.last_event_id())).collect();
        assert_eq!(asked, ["GET /events HTTP/1.1 ", "GET /b HTTP/1.1 ", "GET /events HTTP/1.1 1", "GET /c HTTP/1.1 1"]);
    });
}

#[test]
fn p21_the_origin_is_that_of_the_url_that_answered() {
    run(async {
        let clock = ManualClock::new();
        let second = Server::start([Connection::stream().piece("data:1\n\n")]);
        let first = Server::start([Connection::redirect(302, &second.url("/b"))]);
        let mut source = source(&first, &clock).build().unwrap();
        assert_eq!(event(&mut source).await.origin.as_str(), second.origin());
        assert_eq!(source.url().as_str(), first.url("/events"));
    });
}

#[test]
fn c07_a_post_becomes_a_get_where_the_standard_says_so() {
    run(async {
        for (status, line, body) in [
            (301, "GET /b HTTP/1.1", ""),
            (302, "GET /b HTTP/1.1", ""),
            (303, "GET /b HTTP/1.1", ""),
            (307, "POST /b HTTP/1.1", "question"),
            (308, "POST /b HTTP/1.1", "question"),
        ] {
            let clock = ManualClock::new();
            let server = Server::start([Connection::redirect(status, "/b"), Connection::stream()]);
            let builder =
                source(&server, &clock).method(Method::POST).body("question").header("content-type", "text/plain");
            builder.build().unwrap().signals().opened().await;
            let request = &server.requests()[1];
            assert_eq!((&*request.line, request.body.as_slice()), (line, body.as_bytes()), "{status}");
            assert_eq!(request.header("content-type").is_some(), !body.is_empty());
        }
    });
}

/// A program has no origin that CORS could speak of. What corresponds: another origin sees no credentials.
#[test]
fn c14_credentials_do_not_reach_another_origin() {
    run(async {
        let clock = ManualClock::new();
        let second = Server::start([Connection::stream()]);
        let first =
            Server::start([Connection::redirect(307, "/same"), Connection::redirect(307, &second.url("/other"))]);
        let mut key = HeaderValue::from_static("secret");
        key.set_sensitive(true);
        let headers = HeaderMap::from_iter([("x-api-key".parse().unwrap(), key)]);
        let builder =
            source(&first, &clock).bearer("token").header("cookie", "c=1").header("x-plain", "1").headers(headers);
        builder.last_event_id("7").build().unwrap().signals().opened().await;
        for (request, there) in first.requests().iter().chain(&second.requests()).zip([true, true, false]) {
            for name in ["authorization", "cookie", "x-api-key"] {
                assert_eq!(request.header(name).is_some(), there, "{name} in {}", request.line);
            }
            assert_eq!(request.header("x-plain"), Some(&b"1"[..]));
            assert_eq!(request.last_event_id(), "7");
        }
        assert_eq!(second.requests()[0].header("host"), second.origin().strip_prefix("http://").map(str::as_bytes));
    });
}

#[test]
fn c14_the_user_of_the_url_is_sent_and_does_not_reach_another_origin() {
    run(async {
        let clock = ManualClock::new();
        let second = Server::start([Connection::stream()]);
        let first = Server::start([Connection::redirect(307, &second.url("/"))]);
        let url = first.url("/").replace("://", "://me:p%40ss@");
        crate::fixture::source_of(&url, &clock).build().unwrap().signals().opened().await;
        assert_eq!(first.requests()[0].header("authorization"), Some(&b"Basic bWU6cEBzcw=="[..]));
        assert_eq!(second.requests()[0].header("authorization"), None);
    });
}

#[test]
fn c07_there_is_an_end_to_redirects() {
    run(async {
        for (limit, redirects, followed) in [
            (None, DEFAULT_MAX_REDIRECTS, true),
            (None, DEFAULT_MAX_REDIRECTS + 1, false),
            (Some(0), 1, false),
            (Some(0), 0, true),
            (Some(1), 1, true),
        ] {
            let clock = ManualClock::new();
            let server = Server::answering(move |number, _| match number {
                number if number < redirects => Connection::redirect(302, "/again"),
                _ => Connection::stream(),
            });
            let builder = source(&server, &clock);
            let builder = if let Some(limit) = limit { builder.max_redirects(limit) } else { builder };
            let mut signals = builder.build().unwrap().signals();
            if followed {
                signals.opened().await;
                continue;
            }
            let error = signals.error().await;
            let expected = limit.unwrap_or(20);
            assert!(
                matches!(error, Error::Redirect(RedirectError::TooMany { limit }) if limit == expected),
                "{error:?}"
            );
            assert_eq!(server.requests().len(), redirects, "the last redirect is not followed");
            signals.ended().await;
        }
    });
}

#[test]
fn c07_a_redirect_to_nowhere_ends_it() {
    run(async {
        for location in ["ftp://h/", "http://", "javascript:alert(1)", "http://["] {
            let clock = ManualClock::new();
            let server = Server::start([Connection::redirect(302, location)]);
            let error = signals(&server, &clock).error().await;
            let Error::Redirect(RedirectError::Location(told)) = error else { panic!("{error:?}") };
            assert_eq!(told, location);
        }
        let clock = ManualClock::new();
        let server = Server::start([Connection::answer(307, "", "")]);
        let error = signals(&server, &clock).error().await;
        assert!(matches!(error, Error::Redirect(RedirectError::NoLocation)), "{error:?}");
    });
}

#[test]
fn c07_a_server_that_is_away_behind_a_redirect_is_tried_again() {
    run(async {
        let clock = ManualClock::new();
        let away = Server::down();
        let server = Server::start([Connection::redirect(302, &away.url("/")), Connection::stream()]);
        let mut signals = signals(&server, &clock);
        clock.advance(signals.reconnecting().await.1);
        signals.opened().await;
        assert_eq!(server.requests().len(), 2);
    });
}
