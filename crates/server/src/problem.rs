//! Every reason to refuse a request. Only this module decides the status of the answer to a refused request, and its
//! problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
use crate::{
    auth::{AuthError, Revision},
    form::InvalidForm,
    host::InvalidHost,
};
use axum::response::{IntoResponse, Response};
use fanfare_event_stream::ParseError;
use fanfare_hub::{
    log::{LogError, writer::AppendError},
    topic::{InvalidTopic, matcher::InvalidMatcher},
    update::InvalidUpdate,
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::fmt;

/// The reason why a request is refused. A refused request has changed nothing, except with [`Problem::StreamBroken`],
/// where the first events were published.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The request names no host, or names it in a way that is not allowed.
    Host(InvalidHost),
    /// The query string or the form cannot be read.
    Form(InvalidForm),
    /// The query string or the form has too many fields, on an endpoint that answers this with 413 and not with 400.
    FormTooLarge {
        /// The largest number of fields that is allowed.
        limit: usize,
    },
    /// The path names no topic, or is not UTF-8 after percent-decoding.
    Path,
    /// A topic is not valid.
    Topic(InvalidTopic),
    /// A topic is reserved: it is at or below the hub's path, where only the hub may publish. The value is the revision
    /// of Mercure that the publisher's token belongs to.
    TopicReserved(Revision),
    /// A topic matcher is not valid.
    Matcher(InvalidMatcher),
    /// The name of a query parameter begins with `match` but is not a known type of matcher.
    MatcherType(String),
    /// The subscription has no topic.
    NoMatcher,
    /// The subscription has too many topics.
    TooManyMatchers {
        /// The number of topics that the subscription has.
        count: usize,
        /// The largest number of topics that is allowed.
        limit: usize,
    },
    /// The subscription has too many patterns for a subscriber without a token.
    TooManyPatterns {
        /// The largest number of patterns that is allowed without a token.
        limit: usize,
    },
    /// The compiled patterns of the subscription are too large.
    MatchersTooComplex {
        /// The largest size of all compiled patterns together, in bytes.
        limit: usize,
    },
    /// The URL of the subscription is longer than a topic may be. This matters only if the hub publishes active
    /// subscriptions, because their URLs are topics.
    SubscriptionTooLong {
        /// The length of the URL in bytes.
        bytes: usize,
        /// The greatest length that is allowed, in bytes.
        limit: usize,
    },
    /// The value of the parameter `page` is not from a link in an answer of the hub.
    Page,
    /// The updates about active subscriptions that the answer depends on could not be written to the log.
    Untold,
    /// The value of the parameter `until` is not `now`.
    Until,
    /// The value of the parameter `retry` is not a whole number of milliseconds.
    Retry,
    /// The value of the parameter `ttl` is not a duration.
    Ttl,
    /// The value of the parameter `last` is not a number, or is too large for the number of topics in the request.
    Last {
        /// The greatest number of updates that `last` may select, of all topics together.
        limit: usize,
    },
    /// The value of the parameter `since` is not a time.
    Since,
    /// The value of the parameter `before` is not a time.
    Before,
    /// The value of the parameter `id` in a request to erase updates cannot be the ID of an update.
    EraseId,
    /// A request to erase updates does not name exactly one topic.
    OneTopic,
    /// The log could not erase the updates.
    Erase(LogError),
    /// The request names an ID in its URL, but its body may hold many updates, which cannot have the same ID.
    IdOfMany,
    /// The request gives a prefix for the IDs of lines, but its body does not consist of lines.
    IdPrefixWithoutLines,
    /// The fields of the request do not make a valid update.
    Update(InvalidUpdate),
    /// The body has several lines or events, and one of them is not a valid update.
    Item {
        /// The number of the line or event, counted from 1.
        number: usize,
        /// The reason why this line or event is not valid.
        problem: Box<Problem>,
    },
    /// The body is not UTF-8.
    NotUtf8,
    /// The body is too large.
    BodyTooLarge {
        /// The greatest number of bytes that is allowed.
        limit: usize,
    },
    /// The batch has too many updates.
    BatchTooLarge {
        /// The largest number of updates that is allowed.
        limit: usize,
    },
    /// The body ended before it was complete, or arrived too slowly.
    BodyIncomplete,
    /// The content type of the body is not the type that the endpoint reads.
    ContentType {
        /// The content type that the endpoint reads.
        expected: &'static str,
    },
    /// The body is a multipart form, but the endpoint expects a URL-encoded form.
    MultipartForm,
    /// The body is a multipart form, but the endpoint publishes the whole body as the data of an update.
    MultipartBody {
        /// The URL of the request.
        url: String,
    },
    /// The body is compressed or coded in another way, according to its `Content-Encoding`.
    ContentCoding(String),
    /// The body has a transfer coding other than `chunked`, according to its `Transfer-Encoding`.
    TransferCoding,
    /// The `Accept` header allows no media type that the endpoint can send.
    NotAcceptable {
        /// The media types that the endpoint can send.
        available: &'static str,
    },
    /// The hub cannot serve the subscriber now. A reader of an event stream is told in another way, which does not close
    /// an EventSource.
    Later {
        /// The number of seconds after which the subscriber should ask again.
        seconds: u64,
    },
    /// The server stops, and reads no more of an event stream that a request publishes.
    Stopping,
    /// The server stopped before the body of the request had arrived completely.
    CutShort,
    /// The event stream in the body does not have a valid format.
    EventStream(ParseError),
    /// An event in the body could not be published, or the body could not be read further, after some of its events had
    /// been published.
    StreamBroken {
        /// The number of updates that were published before the problem.
        published: u64,
        /// The problem that ended the publishing.
        problem: Box<Problem>,
    },
    /// The request is not authorized.
    Auth(AuthError),
    /// The log did not append the updates of the request.
    Append(AppendError),
    /// Nothing is served at the path of the request.
    NotFound,
    /// The path does not allow the method of the request.
    Method {
        /// The methods that are allowed, as the `Allow` header lists them.
        allowed: &'static str,
    },
}

impl Problem {
    fn is_of_stopping(&self) -> bool {
        match self {
            Self::Stopping | Self::CutShort => true,
            Self::StreamBroken { problem, .. } => problem.is_of_stopping(),
            _ => false,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Update(
                InvalidUpdate::TooManyTopics { .. }
                | InvalidUpdate::IdTooLong { .. }
                | InvalidUpdate::EventTypeTooLong { .. },
            )
            | Self::Topic(InvalidTopic::TooLong { .. })
            | Self::Append(AppendError::TooLarge { .. })
            | Self::EventStream(_)
            | Self::FormTooLarge { .. }
            | Self::BodyTooLarge { .. }
            | Self::BatchTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Host(_)
            | Self::Form(_)
            | Self::Path
            | Self::Topic(_)
            | Self::Matcher(_)
            | Self::MatcherType(_)
            | Self::NoMatcher
            | Self::TooManyMatchers { .. }
            | Self::TooManyPatterns { .. }
            | Self::MatchersTooComplex { .. }
            | Self::SubscriptionTooLong { .. }
            | Self::Page
            | Self::Until
            | Self::Retry
            | Self::Ttl
            | Self::Last { .. }
            | Self::Since
            | Self::Before
            | Self::EraseId
            | Self::OneTopic
            | Self::NotUtf8
            | Self::BodyIncomplete
            | Self::TopicReserved(Revision::Modern)
            | Self::IdOfMany
            | Self::IdPrefixWithoutLines => StatusCode::BAD_REQUEST,
            Self::Update(_) => StatusCode::BAD_REQUEST,
            Self::Item { problem, .. } | Self::StreamBroken { problem, .. } => problem.status(),
            Self::ContentType { .. } | Self::MultipartForm | Self::MultipartBody { .. } | Self::ContentCoding(_) => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
            Self::TopicReserved(Revision::Legacy) => StatusCode::FORBIDDEN,
            Self::Auth(AuthError::Missing | AuthError::Invalid(_)) => StatusCode::UNAUTHORIZED,
            Self::Auth(AuthError::Malformed(_)) => StatusCode::BAD_REQUEST,
            Self::Auth(AuthError::Origin(_) | AuthError::Proxied(_) | AuthError::Insufficient) => StatusCode::FORBIDDEN,
            Self::Append(_) | Self::Untold | Self::Later { .. } | Self::Stopping | Self::CutShort => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Erase(error) if error.is_full() => StatusCode::INSUFFICIENT_STORAGE,
            Self::Erase(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        // A problem with status 503 is the hub's fault, so it is logged, except while the hub stops. A failure of the
        // event log is not logged again for each request, because the writer of the event log has already logged it
        // once. The same is true for a hub that has no room for more subscribers.
        let is_told = matches!(self, Self::Append(AppendError::Log(_)) | Self::Later { .. });
        if status == StatusCode::SERVICE_UNAVAILABLE && !self.is_of_stopping() && !is_told {
            tracing::error!(%status, "{self}");
        }
        let mut document =
            json!({ "status": status.as_u16(), "title": status.canonical_reason(), "detail": self.to_string() });
        if let Self::StreamBroken { published, .. } = self {
            document["published"] = published.into();
        }
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, json)], document.to_string()).into_response();
        match self {
            Self::Method { allowed } => {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            Self::ContentCoding(_) => {
                response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            Self::Later { seconds } => {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                // A connection that is kept alive would keep one of the few files that subscribers leave to others.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        if let Self::Auth(error) = &self
            && let Some(challenge) = error.challenge()
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(error) => error.fmt(f),
            Self::Form(error) => error.fmt(f),
            Self::FormTooLarge { limit } => InvalidForm::TooManyFields { limit: *limit }.fmt(f),
            Self::Path => {
                f.write_str("the topic in the path is not valid UTF-8; encode it as UTF-8 before it is percent-encoded")
            }
            Self::Topic(error) => error.fmt(f),
            Self::TopicReserved(_) => {
                f.write_str("only the hub may publish topics at or below its own path; choose another topic")
            }
            Self::Matcher(error) => error.fmt(f),
            Self::MatcherType(name) => write!(
                f,
                "{name:?} is not a type of matcher; the hub knows 'match', 'match_exact' and 'match_urlpattern' (and \
                 'topic' of the protocol's older revision)"
            ),
            Self::NoMatcher => f.write_str("a subscription needs at least one topic"),
            Self::TooManyMatchers { count, limit } => {
                write!(
                    f,
                    "the subscription has {count} topics; at most {limit} are allowed (the hub's option max-topics)"
                )
            }
            Self::TooManyPatterns { limit } => write!(
                f,
                "the subscription has too many patterns: at most {limit} are allowed without a token (the hub's option \
                 max-anonymous-patterns)"
            ),
            Self::MatchersTooComplex { limit } => {
                write!(
                    f,
                    "the patterns of the subscription need more than {limit} bytes of memory; use fewer or simpler \
                     patterns"
                )
            }
            Self::SubscriptionTooLong { bytes, limit } => {
                write!(f, "the URL of the subscription would have {bytes} bytes; at most {limit} are allowed")
            }
            Self::Page => {
                f.write_str("the value of 'page' is not one that this hub gave: follow the links in its answers")
            }
            Self::Untold => f.write_str(
                "the hub cannot publish active subscriptions, because its log is closed; try again when the hub runs \
                 again",
            ),
            Self::Until => {
                f.write_str("'until' can only be 'now', which ends the stream after the updates that are in the log")
            }
            Self::Last { limit } => {
                write!(
                    f,
                    "'last' must be a number of updates for each topic; at most {limit} are allowed for all topics \
                     together"
                )
            }
            Self::Since => f.write_str(
                "'since' must be a duration before now, such as '10m', or a time, such as '2026-01-31T12:00:00Z'",
            ),
            Self::Before => f.write_str(
                "'before' must be a duration before now, such as '10m', or a time, such as '2026-01-31T12:00:00Z'",
            ),
            Self::EraseId => f.write_str("'id' contains a line end or NUL, which the ID of an update cannot contain"),
            Self::OneTopic => f.write_str("name exactly one topic, in the path or as the parameter 'topic'"),
            Self::Erase(error) => write!(f, "the updates could not be erased: {error}"),
            Self::Ttl => f.write_str("'ttl' must be a duration, such as '10m' or '90s', or a number of seconds"),
            Self::Retry => f.write_str("'retry' must be a number of milliseconds, with digits only"),
            Self::IdOfMany => f.write_str("one 'id' cannot be given to many updates; give each event an ID"),
            Self::IdPrefixWithoutLines => f.write_str(
                "'id-prefix' is only for a body of the type application/x-ndjson, with one update in each line; for a \
                 single update, use 'id'",
            ),
            Self::Update(error) => error.fmt(f),
            Self::Item { number, problem } => write!(f, "update number {number} of the batch: {problem}"),
            Self::NotUtf8 => f.write_str("the body is not valid UTF-8"),
            Self::BodyTooLarge { limit } => {
                write!(f, "the body has more than {limit} bytes, the most that this hub accepts")
            }
            Self::BatchTooLarge { limit } => {
                write!(f, "the batch has more than {limit} updates, the most that this hub accepts at once")
            }
            Self::BodyIncomplete => f.write_str("the body did not arrive completely"),
            Self::ContentType { expected } => write!(f, "the body's content type must be {expected}"),
            Self::MultipartForm => f.write_str(
                "the body is a multipart form, as curl -F sends it; send the fields with curl --data-urlencode \
                 'topic=TOPIC' --data-urlencode 'data=TEXT', or 'data@FILE' for the contents of a file",
            ),
            Self::MultipartBody { url } => write!(
                f,
                "the body is a multipart form, as curl -F sends it, but here the whole body is the data; send it with \
                 curl --data-binary @FILE '{url}', or curl -d 'TEXT' '{url}'"
            ),
            Self::ContentCoding(name) => {
                write!(f, "the body has the content coding {name:?}; send it without Content-Encoding")
            }
            Self::TransferCoding => f.write_str("unknown Transfer-Encoding; the hub understands only 'chunked'"),
            Self::NotAcceptable { available } => {
                write!(f, "the hub can only send {available}, but the Accept header does not allow it")
            }
            Self::Later { seconds } => write!(
                f,
                "the hub cannot serve this subscriber now, because it has too many or cannot read its log; ask again \
                 in {seconds} seconds"
            ),
            Self::Stopping => f.write_str("the hub is stopping; send the remaining events when it runs again"),
            Self::CutShort => f.write_str(
                "the hub is stopping, and the body has not arrived completely, so nothing of it was published; send \
                 the request again when the hub runs again",
            ),
            Self::EventStream(error) => error.fmt(f),
            Self::StreamBroken { published, problem } => {
                write!(f, "{problem}; {published} events before it were published")
            }
            Self::Auth(error) => error.fmt(f),
            Self::Append(error) => error.fmt(f),
            Self::NotFound => f.write_str("there is nothing at this path"),
            Self::Method { allowed } => write!(f, "method not allowed; use {allowed}"),
        }
    }
}

impl std::error::Error for Problem {}

macro_rules! problem_from {
    ($($error:ty => $variant:ident),* $(,)?) => {
        $(impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

problem_from! {
    InvalidHost => Host, InvalidForm => Form, InvalidTopic => Topic, InvalidMatcher => Matcher, InvalidUpdate => Update,
    AuthError => Auth, AppendError => Append, ParseError => EventStream,
}
