//! The hooks by which programs decide at each attempt and at each response.
use crate::{
    connection::Connection,
    fixture::{Expect as _, SECOND, data, play, run, source},
    log::Log,
    server::Server,
};
use fanfare_client::{Attempt, BoxError, Cause, Error, HookError, ManualClock, Reconnect, Verdict};
use http::StatusCode;
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

#[test]
fn a_token_that_expires_is_refreshed_and_no_event_is_lost() {
    run(async {
        let clock = ManualClock::new();
        let log = Log::new((1..=7).map(|number| number.to_string()));
        let mut good_for = (String::new(), 0);
        let kept = log.clone();
        // Each token is good for two connections, and each connection brings one event.
        let server = Server::answering(move |_, request| {
            let token = String::from_utf8_lossy(request.header("authorization").unwrap_or_default()).into_owned();
            if good_for.0 != token {
                good_for = (token, 2);
            } else if good_for.1 == 0 {
                return Connection::answer(401, "", "expired");
            }
            good_for.1 -= 1;
            let rest = kept.after(request.last_event_id());
            if rest.is_empty() {
                return Connection::answer(204, "", "");
            }
            let first = rest.windows(2).position(|bytes| bytes == b"\n\n").unwrap() + 2;
            Connection::stream().piece(&rest[..first]).end()
        });
        let token = Arc::new(AtomicU64::new(1));
        let used = Arc::clone(&token);
        let refresh = move |mut attempt: Attempt| {
            if attempt.cause.as_ref().and_then(Cause::status) == Some(StatusCode::UNAUTHORIZED) {
                token.fetch_add(1, SeqCst);
            }
            let value = format!("Bearer {}", token.load(SeqCst));
            async move {
                attempt.request.headers_mut().insert("authorization", value.parse()?);
                Ok(attempt)
            }
        };
        let expired = |parts: &http::response::Parts| match parts.status {
            StatusCode::UNAUTHORIZED => Verdict::Retry,
            _ => Verdict::ByPolicy,
        };
        let builder = source(&server, &clock).before_attempt(refresh).on_response(expired);
        let (events, error) = play(&mut builder.build().unwrap().signals(), &clock).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(data(&events), ["1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(used.load(SeqCst), 4);
    });
}

#[test]
fn the_hook_sees_each_attempt_and_what_it_changes_counts_for_one() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([
            Connection::stream().piece("id:1\ndata:\n\n").end(),
            Connection::silent().reset(),
            Connection::answer(204, "", ""),
        ]);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let attempts = Arc::clone(&seen);
        let hook = move |mut attempt: Attempt| {
            let cause = attempt.cause.as_ref().map(|cause| format!("{cause:?}")[..6].to_owned());
            let sent = attempt.request.headers().get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
            attempts.lock().unwrap().push((attempt.number, attempt.last_event_id.to_string(), sent, cause));
            async move {
                assert_eq!(attempt.request.uri().query(), None);
                let url = format!("{}?number={}", attempt.request.uri(), attempt.number);
                *attempt.request.uri_mut() = url.parse()?;
                Ok(attempt)
            }
        };
        let (_, error) =
            play(&mut source(&server, &clock).before_attempt(hook).build().unwrap().signals(), &clock).await;
        assert!(error.is_none(), "{error:?}");
        let one = |cause: &str| (String::from("1"), Some(String::from("1")), Some(cause.to_owned()));
        let [end, broken] = ["EndOfS", "Transp"].map(one);
        let expected = [(1, String::new(), None, None), (2, end.0, end.1, end.2), (3, broken.0, broken.1, broken.2)];
        assert_eq!(*seen.lock().unwrap(), expected);
        let lines: Vec<_> = server.requests().iter().map(|request| request.line.clone()).collect();
        assert_eq!(lines, ["1", "2", "3"].map(|number| format!("GET /events?number={number} HTTP/1.1")));
    });
}

#[test]
fn a_hook_that_fails_is_tried_again_or_ends_it() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([]);
        let hook = |attempt: Attempt| async move {
            if attempt.number < 3 {
                Err(io::Error::other("no token yet"))?;
            }
            Err(HookError::Fail("no token ever".into()))
        };
        let mut signals = source(&server, &clock).before_attempt(hook).build().unwrap().signals();
        for _ in 0..2 {
            let (cause, delay) = signals.reconnecting().await;
            assert!(matches!(&cause, Cause::Hook(error) if error.to_string() == "no token yet"), "{cause:?}");
            clock.advance(delay);
        }
        let error = signals.error().await;
        assert!(matches!(&error, Error::Hook(error) if error.to_string() == "no token ever"), "{error:?}");
        signals.ended().await;
        assert!(server.requests().is_empty());
    });
}

#[test]
fn a_hook_cannot_ask_what_cannot_be_asked() {
    run(async {
        for url in ["/path", "ftp://h/", "*"] {
            let server = Server::start([]);
            let hook = move |mut attempt: Attempt| async move {
                *attempt.request.uri_mut() = url.parse()?;
                Ok(attempt)
            };
            let clock = ManualClock::new();
            let error = source(&server, &clock).before_attempt(hook).build().unwrap().signals().error().await;
            assert!(matches!(error, Error::Hook(_)), "{error:?}");
        }
    });
}

/// Returns what becomes of a response of `status` about which the hook for responses says `verdict`.
async fn judged(status: u16, verdict: fn() -> Verdict, policy: Reconnect) -> Result<Option<(Cause, Duration)>, Error> {
    let clock = ManualClock::new();
    let server = Server::start([Connection::answer(status, "Content-Type: text/plain\r\n", "data:1\n\n")]);
    let builder = source(&server, &clock).reconnect(policy.seed(1)).on_response(move |_| verdict());
    let mut signals = builder.build().expect("it can be built").signals();
    match futures_util::StreamExt::next(&mut signals).await.expect("something") {
        Ok(fanfare_client::Signal::Open(_)) => {
            assert_eq!(signals.event().await.data, "1");
            Ok(None)
        }
        Ok(fanfare_client::Signal::Reconnecting { cause, delay }) => Ok(Some((cause, delay))),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    }
}

#[test]
fn a_verdict_counts_more_than_the_policy() {
    run(async {
        for policy in [Reconnect::spec(), Reconnect::resilient(), Reconnect::never()] {
            let judged = |status, verdict| judged(status, verdict, policy.clone());
            assert!(judged(201, || Verdict::Accept).await.unwrap().is_none());
            for status in [200, 404, 500] {
                let (cause, delay) = judged(status, || Verdict::Retry).await.unwrap().unwrap();
                assert!(matches!(&cause, Cause::Verdict(told) if told.parts.status.as_u16() == status), "{cause:?}");
                assert!(delay >= 3 * SECOND, "{delay:?}");
                let (_, delay) = judged(status, || Verdict::RetryAfter(SECOND)).await.unwrap().unwrap();
                assert_eq!(delay, SECOND);
                let error = judged(status, || Verdict::Fail(BoxError::from("no"))).await.unwrap_err();
                assert!(matches!(&error, Error::Hook(error) if error.to_string() == "no"), "{error:?}");
            }
            assert!(matches!(judged(200, || Verdict::ByPolicy).await, Err(Error::ContentType { .. })));
        }
    });
}

#[test]
fn a_verdict_does_not_lead_beyond_the_attempts_that_there_may_be() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::answering(|_, _| Connection::answer(401, "", ""));
        let builder = source(&server, &clock).reconnect(Reconnect::spec().max_attempts(3));
        let mut signals = builder.on_response(|_| Verdict::RetryAfter(Duration::ZERO)).build().unwrap().signals();
        let (_, error) = play(&mut signals, &clock).await;
        assert!(matches!(error, Some(Error::GaveUp { attempts: 3, cause: Cause::Verdict(_) })), "{error:?}");
        assert_eq!(server.requests().len(), 3);
    });
}
