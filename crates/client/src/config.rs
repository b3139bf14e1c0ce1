//! The settings of an event source: the same for all its attempts.
use crate::{Attempt, Clock, CookieJar, HookError, Reconnect, Verdict, target::Target, transport::Erased};
use http::response::Parts;
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// The hook for attempts.
pub(crate) type BeforeAttempt =
    dyn Fn(Attempt) -> Pin<Box<dyn Future<Output = Result<Attempt, HookError>> + Send>> + Send + Sync;
/// The hook for responses.
pub(crate) type OnResponse = dyn Fn(&Parts) -> Verdict + Send + Sync;

pub(crate) struct Config {
    pub target: Target,
    pub transport: Box<dyn Erased>,
    pub before_attempt: Option<Box<BeforeAttempt>>,
    pub on_response: Option<Box<OnResponse>>,
    pub reconnect: Reconnect,
    /// True if the request may be sent again after it has been sent once.
    pub repeat: bool,
    pub connect_timeout: Option<Duration>,
    pub response_timeout: Duration,
    pub idle_timeout: Option<Duration>,
    pub max_redirects: u8,
    pub clock: Arc<dyn Clock>,
    pub cookies: Option<CookieJar>,
    /// An event that is too large does not end the event source.
    pub skips_large: bool,
    /// The end of a response ends its last event too.
    pub finishes: bool,
    /// Blocks that are no events are signals.
    pub gives_blocks: bool,
}
