//! The option `--reconnect` of `publish` and `subscribe`.
use clap::ValueEnum;

/// The cases in which a server is asked again that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reconnect {
    Never,
    AfterOpen,
    Always,
}

impl Reconnect {
    /// True if a server is asked again that does not answer now, and was there before or not.
    pub(crate) fn asks_again(self, was_there: bool) -> bool {
        match self {
            Self::Never => false,
            Self::AfterOpen => was_there,
            Self::Always => true,
        }
    }
}
