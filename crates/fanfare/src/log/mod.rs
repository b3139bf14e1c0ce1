//! `fanfare log`: reads a log on disk, copies it, and changes it if no hub has it open.
mod arguments;
mod backup;
mod erase;
mod error;
mod export;
mod given;
mod import;
mod line;
mod ls;
mod output;
mod place;
mod printing;
mod progress;
mod quantity;
mod tail;
mod verify;

pub(crate) use error::LogCommandError;

use arguments::EXIT_CODES;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES, subcommand_value_name = "VERB", arg_required_else_help = true)]
pub(crate) struct LogArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the segments of a log
    Ls(ls::LsArgs),
    /// Print the newest updates as JSON lines, and with --follow also new ones
    Tail(tail::TailArgs),
    /// Print updates as JSON lines
    Export(export::ExportArgs),
    /// Append updates from JSON lines, as `export` prints them. No hub may use the log at the same time
    Import(import::ImportArgs),
    /// Check every byte of a log, and print what is wrong
    Verify(verify::VerifyArgs),
    /// Copy a log, also while a hub writes to it
    Backup(backup::BackupArgs),
    /// Erase updates, also from the disk. No hub may use the log at the same time
    Erase(erase::EraseArgs),
}

/// Runs the verb.
///
/// # Errors
/// [`LogCommandError`] says what went wrong, or what is wrong with the log.
pub(crate) fn run(args: LogArgs) -> Result<(), LogCommandError> {
    match args.verb {
        Verb::Ls(args) => ls::run(&args),
        Verb::Tail(args) => tail::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Import(args) => import::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Backup(args) => backup::run(&args),
        Verb::Erase(args) => erase::run(&args),
    }
}
