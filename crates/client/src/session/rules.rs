//! The settings by which a session decides: the same for all its attempts.
use crate::{Reconnect, target::Target};
use std::time::Duration;

pub(crate) struct Rules {
    pub target: Target,
    pub reconnect: Reconnect,
    /// True if the request may be sent again after it has been sent once.
    pub repeat: bool,
    /// There is a hook that sees each attempt before it is sent.
    pub asks_hook: bool,
    pub response_timeout: Duration,
    pub idle_timeout: Option<Duration>,
    pub max_redirects: u8,
    /// An event that is too large does not end the event source.
    pub skips_large: bool,
    /// The end of a response ends its last event too.
    pub finishes: bool,
    /// Blocks that are not events are signals.
    pub gives_blocks: bool,
}
