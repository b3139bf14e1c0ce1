//! Exit codes, which let a script distinguish failures. They are the same for all commands.
use std::process::ExitCode;

/// The text about exit codes under the help of each command that connects to a hub.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  failed on this machine (reading, writing), or the answer broke off or reports an error
  2  wrong arguments or configuration
  3  the server requires a token, or refuses this one (401, 403)
  4  the server rejects the request (any other 4xx), or its answer is not an event stream
  5  the server cannot be reached, or fails (5xx)";

/// The exit code of a command that has failed. It tells what kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The command failed on this machine, for example while it read or wrote.
    Failed = 1,
    /// The arguments or the configuration are wrong. The parser of the arguments (clap) exits with the same code.
    Usage = 2,
    /// The server answered 401 or 403.
    Unauthorized = 3,
    /// The server rejected the request; or `fanfare lint` found errors in a stream.
    Rejected = 4,
    /// The server gave no answer, or answered that it has failed.
    Unreachable = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
