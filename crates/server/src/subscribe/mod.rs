//! Subscribing: a request becomes a subscription, and the subscription becomes a stream.
//!
//! [`mercure`] and [`topic`] each read one kind of request. The code of this file makes the stream for both kinds of
//! request.
pub mod compiling;
pub mod mercure;
pub mod topic;

use crate::{
    app::App,
    auth::Credentials,
    connection::{Activity, STAYING_BYTES, StaysWithHyper},
    cursor::Cursor,
    delivery::{
        body::{EventBody, stopping},
        head,
        lifetime::Lifetime,
        replay::ReplayBody,
        stream::{Granted, Stream},
    },
    problem::Problem,
    subscriptions,
};
use axum::{body::Body, response::Response};
use fanfare_hub::{
    audience_key::AudienceKey,
    budget::{OverBudget, Resource},
    grant::Matchers,
    log::LogError,
    representation::Representation,
    topic::matcher::Matcher,
};
use http::{HeaderName, HeaderValue, Method, request::Parts};

/// The media type of event streams.
const EVENT_STREAM: &str = "text/event-stream";

/// The description of the stream that a request asks for.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The topics to subscribe to.
    pub(crate) matchers: Matchers,
    /// The position in the log from which the stream starts.
    pub(crate) cursor: Cursor,
    /// The format in which the updates are sent.
    pub(crate) representation: Representation,
    /// The name of the response header with the position where the stream begins.
    pub(crate) cursor_header: HeaderName,
    /// The condition under which the stream ends.
    pub(crate) until: Until,
}

/// The condition under which a stream ends, as the request asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Until {
    /// The stream does not end by itself.
    #[default]
    Closed,
    /// The stream ends after the updates that are already in the log. If `tells_place` is true, its last event or line
    /// tells the place that it has reached.
    Now { tells_place: bool },
}

/// The properties of a request that are still needed when its texts were read. A subscriber may wait long for its turn
/// to read the log, so the texts are dropped before.
#[derive(Debug)]
pub(crate) struct Asking {
    is_head: bool,
    stays_with_hyper: Option<StaysWithHyper>,
    activity: Option<Activity>,
}

impl Asking {
    pub(crate) fn of(parts: &Parts) -> Self {
        Self {
            is_head: parts.method == Method::HEAD,
            stays_with_hyper: parts.extensions.get().copied(),
            activity: parts.extensions.get().cloned(),
        }
    }
}

/// Answers with the stream that the holder of `credentials` wants. The body of the answer can send the stream. The
/// answer also holds a [`Granted`], from which a shard can take the stream instead.
pub(crate) async fn open(
    app: &App,
    request: Asking,
    credentials: Credentials,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let Wanted { matchers, cursor, representation, cursor_header, until } = wanted;
    if app.subscriptions.is_some() {
        subscriptions::check_length(&matchers)?;
    }
    if request.is_head {
        return Ok(head::alone(representation));
    }
    let Ok(place) = app.places.clone().try_acquire_owned() else {
        if app.crowded.is_due() {
            tracing::warn!(
                limit = app.settings.max_subscribers,
                "the limit of subscribers is reached: further subscribers are asked to come back later"
            );
        }
        return head::come_back_later(representation);
    };
    let Credentials { grant, expires_at, payloads, signer, .. } = credentials;
    let key = AudienceKey::new(matchers, grant.subscribe, representation);
    let key = match app.hub.admit(AudienceKey { is_anonymous: signer.is_none(), ..key }) {
        Ok(key) => key,
        Err(over) => {
            warn_of(app, over);
            return head::come_back_later(representation);
        }
    };
    if until == Until::Closed
        && let Some(activity) = &request.activity
    {
        activity.is_endless();
    }
    // A client that only reads the updates that are in the log now does not count as an active subscription.
    let arrival = match app.subscriptions.as_ref().filter(|_| until == Until::Closed) {
        Some(active) => match active.arrive(&key, &payloads).await {
            Ok(arrival) => Some(arrival),
            // The hub stops or has failed. Another one may take its place.
            Err(_) => return head::come_back_later(representation),
        },
        None => None,
    };
    if until != Until::Closed {
        // The update that the request names by its last event ID may not be in the log yet. So the updates that were
        // published before the request are waited for, but not for long: if the log cannot append them, the updates
        // that it already has can still be read.
        app.hub.settle().await;
    }
    let mut opening = match app.hub.open(key, cursor.start).await {
        Ok(opening) if app.settings.start_event => opening,
        Ok(opening) => opening.without_start_events(),
        Err(error) => {
            match error {
                LogError::OverBudget(over) => warn_of(app, over),
                error if app.failed.is_due() => tracing::error!("cannot subscribe: {error}"),
                _ => {}
            }
            return head::come_back_later(representation);
        }
    };
    // A connection that stays with hyper keeps buffers, which strangers can make as large as they may be. If hyper
    // delivers all streams, the operator has chosen to spend this memory on each subscriber.
    let stays = match request.stays_with_hyper {
        None if until != Until::Closed || !opening.is_short() => Some(STAYING_BYTES),
        stays => stays.map(|stays| stays.bytes),
    };
    if app.shards.is_some()
        && let Some(bytes) = stays
    {
        match opening.with_buffers(bytes) {
            Ok(charged) => opening = charged,
            Err(over) => {
                warn_of(app, over);
                return head::come_back_later(representation);
            }
        }
    }
    // JSON lines have no start event, so the header names the place in every answer.
    let begins_after = match representation {
        _ if cursor.asked => Some(opening.resumed_from().to_owned()),
        Representation::JsonLines => Some(opening.place()),
        Representation::EventStream | Representation::Envelope => None,
    };
    let mut response = match until {
        Until::Now { tells_place } => {
            let body = ReplayBody::new(opening, tells_place, app.settings.heartbeat_interval, place);
            head::stream(representation, Body::new(body))
        }
        Until::Closed => {
            // A rewind is the newest updates that a request asks for with `last`. If a stream begins with a long
            // rewind, hyper delivers the stream, because a long rewind does not fit into the memory that a shard has
            // for a subscriber.
            let can_be_handed_over = opening.is_short();
            let Lifetime { ends, reason } = Lifetime::new(app.settings.max_lifetime, expires_at);
            let stream = Stream::new(opening.until(ends, reason), place, arrival).signed_by(signer);
            let granted = Granted::new(stream);
            let stopping = stopping(app.stopping.clone(), app.hub.clone());
            let body = EventBody::new(granted.clone(), app.settings.heartbeat_interval, stopping);
            let mut response = head::stream(representation, Body::new(body));
            if can_be_handed_over {
                response.extensions_mut().insert(granted);
            }
            response
        }
    };
    if let Some(Ok(id)) = begins_after.map(HeaderValue::try_from) {
        response.headers_mut().insert(cursor_header, id);
    }
    Ok(response)
}

/// Logs that a budget of all subscriptions is used up, with the option that sets the budget.
fn warn_of(app: &App, over: OverBudget) {
    let seldom = if over.is_anonymous { &app.over_anonymous_budget } else { &app.over_budget };
    if seldom.is_due() {
        let option = match (over.resource, over.is_anonymous) {
            (Resource::Bytes | Resource::Buffers, false) => "max-subscription-memory",
            (Resource::Bytes | Resource::Buffers, true) => "max-anonymous-memory",
            (Resource::Comparisons, false) => "max-comparisons",
            (Resource::Comparisons, true) => "max-anonymous-comparisons",
        };
        tracing::warn!("{over} (option {option}): further subscribers are asked to come back later");
    }
}

/// The greatest memory, in bytes, that the compiled patterns of one subscription may take together. Most URL Patterns
/// take no such memory. A URI Template takes 1 KiB, and up to 8 KiB if it names several variables of a query.
pub const MAX_COMPILED_BYTES: usize = 256 << 10;

/// Collects the matchers of a subscription. Fails if there is none, or if they exceed a limit. The matchers beyond a
/// limit are not compiled. The sender of the request was authenticated before, so a request that lacks a token that the
/// hub requires compiles nothing.
pub(crate) fn gather(
    app: &App,
    has_token: bool,
    matchers: impl ExactSizeIterator<Item = Result<Matcher, Problem>>,
) -> Result<Matchers, Problem> {
    let (count, limit) = (matchers.len(), app.settings.max_topics);
    if count == 0 {
        return Err(Problem::NoMatcher);
    }
    if count > limit {
        return Err(Problem::TooManyMatchers { count, limit });
    }
    let max_patterns = if has_token { count } else { app.settings.max_anonymous_patterns };
    let mut compiled_bytes = 0;
    let mut patterns = 0;
    let mut gathered = Vec::with_capacity(count);
    for matcher in matchers {
        let matcher = matcher?;
        patterns += usize::from(matcher.is_pattern());
        if patterns > max_patterns {
            return Err(Problem::TooManyPatterns { limit: max_patterns });
        }
        compiled_bytes += matcher.compiled_bytes();
        if compiled_bytes > MAX_COMPILED_BYTES {
            return Err(Problem::MatchersTooComplex { limit: MAX_COMPILED_BYTES });
        }
        gathered.push(matcher);
    }
    Ok(gathered.into_iter().collect())
}
