//! The commands, and the way from arguments to the one that was asked for.
use crate::{
    check::{self, CheckArgs, CheckError},
    config,
    exit::Exit,
    load::{self, LoadArgs, LoadError},
    publish::{self, PublishArgs, PublishError},
    relay::{self, RelayArgs, RelayError},
    serve::{self, ServeArgs, ServeError},
    subscribe::{self, SubscribeArgs, SubscribeError},
    token::{self, TokenArgs, TokenError},
};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::fmt;

/// A hub for Server-Sent Events: publish with one POST, subscribe with EventSource.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the hub
    Serve(Box<ServeArgs>),
    /// Publish updates: one, a line each from standard input, or one at intervals
    Publish(PublishArgs),
    /// Print events as they arrive: readable in a terminal, JSON lines in a pipe
    Subscribe(Box<SubscribeArgs>),
    /// Pass the event stream of another server on to a hub, which any number of browsers then receive
    Relay(RelayArgs),
    /// Make a token that says what its bearer may do
    Token(TokenArgs),
    /// Check a configuration without running it, or say what a token is worth under it
    Check(Box<CheckArgs>),
    /// Put load on a server of event streams, and say what that cost and whether every event arrived
    Load(Box<LoadArgs>),
    /// One of several processes of a load, which starts it
    #[command(name = fanfare_bench::subscribe::worker::COMMAND, hide = true)]
    LoadWorker,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum CommandError {
    Serve(ServeError),
    Publish(PublishError),
    Subscribe(SubscribeError),
    Relay(RelayError),
    Token(TokenError),
    Check(CheckError),
    Load(LoadError),
}

/// The commands, those with the configuration of a hub documented from where it is defined.
fn command() -> clap::Command {
    Cli::command().mut_subcommand("serve", config::document).mut_subcommand("check", config::document)
}

/// Parses the arguments and runs the command; wrong arguments end the process.
///
/// # Errors
/// Whatever the command ran into.
pub(crate) fn run() -> Result<(), CommandError> {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        Command::Serve(args) => {
            let (_, given) = matches.subcommand().expect("serve is a subcommand");
            serve::run(&args, given).map_err(CommandError::Serve)
        }
        Command::Publish(args) => publish::run(args).map_err(CommandError::Publish),
        Command::Subscribe(args) => subscribe::run(&args).map_err(CommandError::Subscribe),
        Command::Relay(args) => relay::run(args).map_err(CommandError::Relay),
        Command::Token(args) => token::run(args).map_err(CommandError::Token),
        Command::Check(args) => {
            let (_, given) = matches.subcommand().expect("check is a subcommand");
            check::run(&args, given).map_err(CommandError::Check)
        }
        Command::Load(args) => load::run(&args).map_err(CommandError::Load),
        Command::LoadWorker => load::work().map_err(CommandError::Load),
    }
}

impl CommandError {
    /// The exit code that tells this failure.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Serve(error) => error.exit(),
            Self::Publish(error) => error.exit(),
            Self::Subscribe(error) => error.exit(),
            Self::Relay(error) => error.exit(),
            Self::Token(error) => error.exit(),
            Self::Check(error) => error.exit(),
            Self::Load(error) => error.exit(),
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serve(error) => error.fmt(f),
            Self::Publish(error) => error.fmt(f),
            Self::Subscribe(error) => error.fmt(f),
            Self::Relay(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::Check(error) => error.fmt(f),
            Self::Load(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        command().debug_assert();
    }
}
