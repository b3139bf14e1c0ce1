//! The settings of a session, which are the same for all its attempts.
use crate::{Reconnect, target::Target};
use std::time::Duration;

pub(crate) struct Rules {
    pub target: Target,
    pub reconnect: Reconnect,
    /// True if the request may be sent again after it has been sent once.
    pub repeat: bool,
    /// True if there is a hook that sees each attempt before it is sent.
    pub asks_hook: bool,
    pub response_timeout: Duration,
    pub idle_timeout: Option<Duration>,
    pub max_redirects: u8,
    /// True if an event that is too large is skipped, instead of ending the event source.
    pub skips_large: bool,
    /// True if the last event of a response is also given to the program if the response ends without the blank line
    /// after it.
    pub finishes: bool,
    /// True if blocks that are not events are given to the program as signals.
    pub gives_blocks: bool,
}
