//! The arguments and exit codes that all verbs (subcommands) of `fanfare log` have in common.
use std::path::PathBuf;

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or updates are lost, or the log is damaged
  2  wrong arguments, or the directory has no log";

/// The argument that every verb of `fanfare log` has: the directory of the log.
#[derive(Debug, clap::Args)]
pub(super) struct Directory {
    /// Directory of the log, as in `fanfare serve --data`
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
}
