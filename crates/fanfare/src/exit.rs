//! Exit codes: what a script can tell apart. The same for all commands.
use std::process::ExitCode;

/// Shown under the help of each command that speaks with a hub.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  failed here: reading, writing, or an answer that breaks off or says that it failed
  2  wrong arguments or configuration
  3  the server wants a token, or another one (401, 403)
  4  the server rejects what was asked (any other 4xx, or no event stream)
  5  the server cannot be reached, or fails (5xx)";

/// The way in which a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Reading, writing, or something else on this side.
    Failed = 1,
    /// Wrong arguments or configuration; clap exits with the same code.
    Usage = 2,
    /// The hub answers 401 or 403.
    Unauthorized = 3,
    /// The hub answers that the request is at fault; or there are errors in a stream that was looked at.
    Rejected = 4,
    /// The hub gives no answer, or one that says that it has failed.
    Unreachable = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
