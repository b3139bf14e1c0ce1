//! The option `--reconnect` of `publish` and `subscribe`.
use clap::ValueEnum;

/// The cases in which a command continues after a server did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reconnect {
    Never,
    AfterOpen,
    Always,
}

impl Reconnect {
    /// Returns true if the command continues after a server did not answer. `was_there` says whether the server has
    /// answered before.
    pub(crate) fn asks_again(self, was_there: bool) -> bool {
        match self {
            Self::Never => false,
            Self::AfterOpen => was_there,
            Self::Always => true,
        }
    }
}
