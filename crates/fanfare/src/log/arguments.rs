//! The arguments and the exit codes that all verbs of `fanfare log` have.
use std::path::PathBuf;

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or updates are lost, or the log is damaged
  2  wrong arguments, or the directory has no log";

/// The directory that every verb has.
#[derive(Debug, clap::Args)]
pub(super) struct Directory {
    /// Directory of the log, as in `fanfare serve --data`
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
}
