//! The arguments and the exit codes that all verbs of `fanfare log` have.
use std::path::PathBuf;

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or updates are lost, or something is wrong with the log
  2  wrong arguments, or no log there";

/// The directory that every verb has.
#[derive(Debug, clap::Args)]
pub(super) struct Directory {
    /// Directory of the log: the --data of the hub
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
}
