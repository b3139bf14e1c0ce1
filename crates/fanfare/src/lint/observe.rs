//! Requests a stream and observes it for a limited time.
use super::{
    LintError,
    recording::Recording,
    tap::{Head, Tap},
};
use crate::{
    http::{Ending, Party},
    request::{RequestError, Transport},
};
use fanfare_client::{Builder, Error, Reconnect, Signal, Verdict};
use fanfare_hub::notice;
use futures_util::StreamExt as _;
use http::{StatusCode, header::CONTENT_TYPE};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

pub(super) use super::tap::End;

/// The number of events after which an observation ends early, if at least [`ENOUGH_TIME`] has passed: more events
/// would show nothing new.
const ENOUGH_EVENTS: u64 = 100;
const ENOUGH_TIME: Duration = Duration::from_secs(10);
/// The number of events and comments, counted together, after which an observation ends early.
const MAX_SIGNS: u64 = 100_000;

/// The condition that ends the observation, if the stream does not end before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// The observation ends after this time, or after this number of events. If no number is given, it ends early after
    /// [`ENOUGH_EVENTS`] events and [`ENOUGH_TIME`].
    Known { time: Duration, events: Option<u64> },
    /// The observation ends after this time, or after the first event.
    Event { time: Duration },
    /// The observation ends after this time, or after the first event or comment.
    Sign { time: Duration },
}

/// The part of a response that was observed.
#[derive(Debug)]
pub(super) struct Observation {
    /// The heads of the redirects that led to the response, in order.
    pub redirects: Vec<Head>,
    pub head: Head,
    /// The body of the response, with the times at which its bytes arrived.
    pub recording: Recording,
    pub end: End,
    /// The time for which the stream was observed, from the head of the response on.
    pub lasted: Duration,
    /// The time from the head of the response to the first event or comment that the client decoded.
    pub first_sign: Option<Duration>,
}

impl Until {
    fn time(self) -> Duration {
        match self {
            Self::Known { time, .. } | Self::Event { time } | Self::Sign { time } => time,
        }
    }

    /// Returns true if the observation can end before its time is over. It has lasted for the time `lasted`, and has
    /// seen `events` events, and `signs` events and comments together.
    fn is_reached(self, events: u64, signs: u64, lasted: Duration) -> bool {
        match self {
            Self::Known { .. } if signs >= MAX_SIGNS => true,
            Self::Known { events: Some(count), .. } => events >= count,
            Self::Known { events: None, .. } => events >= ENOUGH_EVENTS && lasted >= ENOUGH_TIME,
            Self::Event { .. } => events > 0,
            Self::Sign { .. } => signs > 0,
        }
    }
}

/// Sends the request of `builder` once, and observes the response. Redirects, credentials and events are handled by the
/// client, as in all other commands.
///
/// # Errors
/// [`LintError`] if there is no answer.
pub(super) async fn observe(
    builder: Builder,
    transport: &Transport,
    party: Party,
    until: Until,
) -> Result<Observation, LintError> {
    let tap = Tap::new(transport.clone());
    let builder = builder.transport(tap.clone()).reconnect(Reconnect::never());
    let is_untyped = |response: &http::response::Parts| {
        response.status == StatusCode::OK && !response.headers.contains_key(CONTENT_TYPE)
    };
    // A response that lacks only its content type is observed too, although the client would refuse it.
    let builder =
        builder.on_response(move |response| if is_untyped(response) { Verdict::Accept } else { Verdict::ByPolicy });
    let mut signals = builder.build().map_err(|error| LintError::Request(RequestError::Build(error)))?.signals();
    let (mut events, mut signs, mut first_sign) = (0, 0, None);
    let mut deadline = None;
    let error = loop {
        let next = match deadline {
            // Until the head of the response has arrived, only the client's own timeout limits the wait.
            None => signals.next().await,
            Some(deadline) => match timeout_at(deadline, signals.next()).await {
                Ok(next) => next,
                Err(_) => break None,
            },
        };
        let since = tap.passed().since;
        match next {
            None => break None,
            Some(Err(error)) => break Some(error),
            Some(Ok(Signal::Open(_))) => deadline = since.checked_add(until.time()),
            Some(Ok(Signal::Event(event))) if notice::is_about_the_connection(&event.event_type) => signs += 1,
            Some(Ok(Signal::Event(_))) => (events, signs) = (events + 1, signs + 1),
            Some(Ok(Signal::Comment(_))) => signs += 1,
            Some(Ok(_)) => {}
        }
        if signs > 0 {
            first_sign.get_or_insert_with(|| since.elapsed());
        }
        if until.is_reached(events, signs, since.elapsed()) {
            tap.passed().end.get_or_insert(End::Stopped);
            break None;
        }
    };
    drop(signals);
    let ending = error.map(|error| Box::new(Ending { party: transport.party(&party), error }));
    observation(&tap, ending, first_sign)
}

fn observation(
    tap: &Tap,
    ending: Option<Box<Ending<Error>>>,
    first_sign: Option<Duration>,
) -> Result<Observation, LintError> {
    let mut passed = tap.passed();
    // If the request to the target of a redirect got no answer, the last recorded head is the head of the redirect, and
    // not the head of the stream.
    let head = if passed.is_waiting { None } else { passed.heads.pop() };
    let Some(head) = head else {
        return Err(LintError::NoAnswer(ending));
    };
    Ok(Observation {
        redirects: std::mem::take(&mut passed.heads),
        head,
        recording: std::mem::replace(&mut passed.recording, Recording::new()),
        end: passed.end.take().unwrap_or(End::Stopped),
        lasted: Instant::now() - passed.since,
        first_sign,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::lint::recording::tests::recorded;
    use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version};

    /// Makes an observation of a stream with these headers, whose bytes arrived at these times in milliseconds.
    pub(in super::super) fn observed(
        headers: &[(&'static str, &'static str)],
        arrivals: &[(u64, &[u8])],
    ) -> Observation {
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let head = Head {
            uri: Uri::from_static("http://a.example/"),
            status: StatusCode::OK,
            version: Version::HTTP_2,
            headers: HeaderMap::from_iter(pairs),
            after: Duration::ZERO,
        };
        let recording = recorded(arrivals);
        let lasted = recording.arrivals.last().map(|arrival| arrival.at).unwrap_or_default();
        Observation { redirects: Vec::new(), head, recording, end: End::Stopped, lasted, first_sign: None }
    }

    #[test]
    fn enough_is_a_number_of_events_or_enough_over_time() {
        let known = |events| Until::Known { time: Duration::MAX, events };
        let cases = [
            (known(Some(3)), 2, 9, 0, false),
            (known(Some(3)), 3, 3, 0, true),
            (known(None), 100, 100, 9, false),
            (known(None), 99, 99, 10, false),
            (known(None), 100, 100, 10, true),
            (known(None), 99_999, 99_999, 0, false),
            (known(None), 100_000, 100_000, 0, true),
            (known(Some(u64::MAX)), 100_000, 100_000, 0, true),
            (Until::Event { time: Duration::MAX }, 0, 1, 0, false),
            (Until::Event { time: Duration::MAX }, 1, 1, 0, true),
            (Until::Sign { time: Duration::MAX }, 0, 0, 0, false),
            (Until::Sign { time: Duration::MAX }, 0, 1, 0, true),
        ];
        for (until, events, signs, seconds, reached) in cases {
            assert_eq!(until.is_reached(events, signs, Duration::from_secs(seconds)), reached, "{until:?} {events}");
        }
    }
}
