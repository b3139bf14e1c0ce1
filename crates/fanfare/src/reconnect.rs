//! The option `--reconnect` of `publish` and `subscribe`.
use clap::ValueEnum;

/// The cases in which a command repeats a request to a server that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reconnect {
    Never,
    AfterOpen,
    Always,
}

impl Reconnect {
    /// Returns true if a request to a server that does not answer is repeated. `was_there` says whether the server has
    /// answered before.
    pub(crate) fn asks_again(self, was_there: bool) -> bool {
        match self {
            Self::Never => false,
            Self::AfterOpen => was_there,
            Self::Always => true,
        }
    }
}
