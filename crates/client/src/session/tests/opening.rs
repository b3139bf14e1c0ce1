//! Tests of the steps from an attempt to an open stream, or to a refusal.
use super::{
    super::{Answer, Order},
    play::{Play, SECOND, parts, rules},
};
use crate::{
    Acknowledge, Cause, Error, HookError, ReadyState, Reconnect, RedirectError, Verdict, error::EXCERPT_BYTES,
};
use bytes::Bytes;
use std::time::{Duration, SystemTime};

#[test]
fn an_attempt_opens_a_stream() {
    let mut play = Play::new(rules());
    assert!(play.session.take_order().is_none(), "nothing happens before it is polled");
    let target = play.start();
    assert_eq!((target.url.as_str(), target.headers.len()), ("http://one.example/events", 0));
    assert_eq!(play.session.ready_state(), ReadyState::Connecting);
    assert_eq!(play.session.deadline(), Some(play.now + 300 * SECOND));
    play.open();
    assert_eq!((play.session.ready_state(), play.session.deadline()), (ReadyState::Open, None));
    assert_eq!(play.session.opened().map(|opened| opened.url.as_str()), Some("http://one.example/events"));
    assert_eq!(play.chunk(":c\nid:1\ndata:a\n\ndata:b"), ["comment c", "event a"]);
    assert_eq!(play.chunk("\n\n"), ["event b"]);
    assert_eq!(play.session.last_event_id(), "1");
}

#[test]
fn each_redirect_has_the_time_for_a_response_again() {
    let mut play = Play::new(crate::session::Rules { max_redirects: 2, ..rules() });
    play.start();
    for location in ["/a", "http://two.example/b"] {
        play.now += 299 * SECOND;
        play.answer(302, &[("location", location)]);
        assert!(play.request().url.as_str().ends_with(location));
        assert_eq!(play.session.deadline(), Some(play.now + 300 * SECOND));
    }
    play.answer(302, &[("location", "/c")]);
    let error = play.error();
    assert!(matches!(error, Some(Error::Redirect(RedirectError::TooMany { limit: 2 }))), "{error:?}");
}

#[test]
fn a_response_that_does_not_come_is_a_failed_attempt() {
    let mut play = Play::new(rules());
    play.start();
    assert_eq!(play.pass(), 300 * SECOND);
    assert_eq!(play.told(), ["reconnecting: no response came within 300s"]);
    assert!(matches!(play.order(), Order::Rest), "the request is dropped");
    let delay = play.pass();
    assert!((3 * SECOND..=6 * SECOND).contains(&delay), "{delay:?}");
    play.request();
}

#[test]
fn a_refusal_is_read_as_far_as_it_comes_in_time() {
    for (pieces, seconds, excerpt) in [
        (&["no ", "way"][..], 5, "no way".to_owned()),
        (&["x".repeat(5000).as_str()][..], 0, "x".repeat(EXCERPT_BYTES)),
    ] {
        let mut play = Play::new(rules());
        play.start();
        play.answer(403, &[]);
        assert!(matches!(play.order(), Order::Read));
        let mut wants_more = true;
        for piece in pieces {
            wants_more = play.session.receive(Bytes::copy_from_slice(piece.as_bytes()));
        }
        assert_eq!(wants_more, seconds > 0);
        if wants_more {
            assert_eq!(play.pass(), seconds * SECOND);
        } else {
            play.session.body_ended(Cause::EndOfStream, play.now);
        }
        let error = play.error();
        assert_eq!(error.as_ref().and_then(Error::excerpt), Some(excerpt.as_str()), "{error:?}");
    }
}

#[test]
fn the_date_in_a_response_counts_from_the_date_when_it_comes() {
    let mut play = Play::new(crate::session::Rules { reconnect: Reconnect::resilient(), ..rules() });
    play.start();
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_700);
    let head = parts(503, &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]);
    play.session.answered(Answer { parts: head, undecodable: None, date }, |_| Verdict::ByPolicy, play.now);
    play.end_body(Cause::EndOfStream);
    assert_eq!(play.pass(), 77 * SECOND);
}

#[test]
fn a_hook_sees_the_request_and_why_there_is_one() {
    let mut play = Play::new(crate::session::Rules { asks_hook: true, ..rules() });
    for (number, cause) in [(1, None), (2, Some("not yet"))] {
        if number == 1 {
            play.session.start(play.now);
        } else {
            play.pass();
        }
        let Order::Prepare(attempt) = play.order() else { panic!("the hook is asked") };
        assert_eq!((attempt.number, attempt.cause.map(|cause| cause.to_string()).as_deref()), (number, cause));
        assert_eq!(play.session.deadline(), None, "a hook may take its time");
        play.session.prepared(Err(HookError::Retry("not yet".into())), play.now);
        assert_eq!(play.told(), ["reconnecting: not yet"]);
        assert!(matches!(play.order(), Order::Rest));
    }
    play.pass();
    let Order::Prepare(mut attempt) = play.order() else { panic!("the hook is asked") };
    *attempt.request.uri_mut() = "http://one.example/other".parse().unwrap();
    play.session.prepared(Ok(attempt), play.now);
    assert_eq!(play.request().url.path(), "/other");
}

#[test]
fn an_id_that_no_header_can_carry_is_told_once_and_first() {
    let mut play = Play::new(rules());
    play.start();
    play.open();
    play.chunk("id:a\u{1}b\ndata:\n\n");
    for told in [1, 0] {
        play.end_body(Cause::EndOfStream);
        assert!(matches!(play.order(), Order::Rest));
        play.pass();
        if told == 1 {
            assert!(matches!(play.order(), Order::Rest), "nothing is sent before it is told");
            assert_eq!(play.told().len(), 1);
            play.session.start(play.now);
        }
        assert!(!play.request().headers.contains_key("last-event-id"));
        play.open();
    }
}

#[test]
fn a_store_says_where_to_start_from() {
    for (kept, sent) in [(None, None), (Some("7"), Some("7"))] {
        let mut play = Play::keeping(rules(), Acknowledge::OnNext);
        play.session.start(play.now);
        assert!(matches!(play.order(), Order::Load));
        play.session.loaded(Ok(kept.map(str::to_owned)), play.now);
        let target = play.request();
        assert_eq!(target.headers.get("last-event-id").map(|id| id.to_str().unwrap()), sent);
    }
    for failed in [Err("no disk".into()), Ok(Some("a\0b".to_owned()))] {
        let mut play = Play::keeping(rules(), Acknowledge::OnNext);
        play.session.start(play.now);
        play.order();
        play.session.loaded(failed, play.now);
        assert!(matches!(play.error(), Some(Error::Store(_))));
    }
}

#[test]
fn the_last_of_several_answers_decides() {
    // (status, content type, is it open, is there an error)
    for (status, content_type, opens, fails) in [
        (200, "text/event-stream", true, false),
        (200, "text/plain", false, true),
        (204, "text/event-stream", false, false),
        (404, "text/event-stream", false, true),
    ] {
        let mut play = Play::new(rules());
        play.start();
        play.answer(307, &[("location", "/next")]);
        play.request();
        play.answer(status, &[("content-type", content_type)]);
        if opens {
            assert_eq!(play.told(), ["open"]);
            continue;
        }
        play.session.body_ended(Cause::EndOfStream, play.now);
        assert_eq!((play.told().len(), play.error().is_some()), (0, fails), "{status} {content_type}");
    }
}
