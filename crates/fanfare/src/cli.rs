//! The commands of the program, and how the arguments select one of them.
use crate::{
    check::{self, CheckArgs, CheckError},
    config::{self, UnknownVariable},
    exit::Exit,
    exposed,
    lint::{self, LintArgs, LintError},
    load::{self, LoadArgs, LoadError},
    log::{self, LogArgs, LogCommandError},
    publish::{self, PublishArgs, PublishError},
    relay::{self, RelayArgs, RelayError},
    serve::{self, ServeArgs, ServeError},
    stderr, stdout,
    subscribe::{self, SubscribeArgs, SubscribeError},
    token::{self, TokenArgs, TokenError},
    warning,
};
use clap::{
    ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue},
};
use fanfare_mask::{MASK, masked};
use std::{
    env, fmt,
    io::{self, Write as _},
    process,
};

/// The greatest number of characters of a wrong value that an error message shows.
const MAX_SHOWN_CHARACTERS: usize = 200;

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
    /// Publish updates: one update, each line of standard input, or one at intervals
    Publish(PublishArgs),
    /// Print events as they arrive: readable in a terminal, JSON lines in a pipe
    Subscribe(Box<SubscribeArgs>),
    /// Report errors and weaknesses of an event stream
    ///
    /// Checks its headers, its format, what delays its events, and whether it can be resumed. Exit code 4 if there are
    /// errors
    Lint(Box<LintArgs>),
    /// Publish the event stream of another server to a hub, so that any number of browsers can receive it
    Relay(RelayArgs),
    /// Make a token for publishers or subscribers
    Token(TokenArgs),
    /// Check a configuration without starting a hub, or show what a token allows under that configuration
    Check(Box<CheckArgs>),
    /// Put load on a server of event streams, and report its cost and whether every event arrived
    Load(Box<LoadArgs>),
    /// Show, check, copy or change a log on disk
    Log(LogArgs),
    /// Print a document that lists all options of `serve`
    #[command(hide = true)]
    Options {
        #[arg(value_enum)]
        document: Document,
    },
    /// A worker process that `fanfare load` starts
    #[command(name = fanfare_load::subscribe::worker::COMMAND, hide = true)]
    LoadWorker,
}

/// A document that `fanfare options` generates from the definitions of the options of `serve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Document {
    /// An example of a configuration file, with all options
    Example,
    /// The page of the documentation that describes all options
    Reference,
}

/// The reason why a command failed.
#[derive(Debug)]
pub(crate) enum CommandError {
    Variable(UnknownVariable),
    Serve(ServeError),
    Publish(PublishError),
    Subscribe(SubscribeError),
    Lint(LintError),
    Relay(RelayError),
    Token(TokenError),
    Check(CheckError),
    Load(LoadError),
    Log(LogCommandError),
    /// The output of `fanfare options`, the version or a help text cannot be printed.
    Print(io::Error),
}

/// Returns the parser of all commands. The help of `serve` and `check` has the defaults and bounds of the hub's
/// options.
fn command() -> clap::Command {
    Cli::command().mut_subcommand("serve", config::document).mut_subcommand("check", config::document)
}

/// Parses the arguments and runs the command that they name. If the arguments are wrong, the process ends.
///
/// # Errors
/// [`CommandError`] holds the error of the command.
pub(crate) fn run() -> Result<(), CommandError> {
    let mut command = command();
    command.build();
    let mut parsed = config::without_empty(self::command());
    let matches = parsed.try_get_matches_from_mut(env::args_os()).unwrap_or_else(|error| refuse(&command, error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| refuse(&command, error));
    if !matches!(cli.command, Command::LoadWorker) {
        // The environment variables of a worker process are not checked: the process that started it has checked them
        // already.
        config::check_variables(&command, env::vars_os()).map_err(CommandError::Variable)?;
    }
    let (name, given) = matches.subcommand().expect("a command is required");
    let exposed =
        exposed::warnings(command.find_subcommand(name).expect("clap accepts only commands that exist"), given);
    if !matches!(cli.command, Command::Serve(_) | Command::Check(_)) {
        warn(&exposed, given);
    }
    match cli.command {
        Command::Serve(args) => serve::run(&args, given, exposed).map_err(CommandError::Serve),
        Command::Publish(args) => publish::run(args).map_err(CommandError::Publish),
        Command::Subscribe(args) => subscribe::run(&args).map_err(CommandError::Subscribe),
        Command::Lint(args) => lint::run(&args).map_err(CommandError::Lint),
        Command::Relay(args) => relay::run(args).map_err(CommandError::Relay),
        Command::Token(args) => token::run(args).map_err(CommandError::Token),
        Command::Check(args) => check::run(&args, given, exposed).map_err(CommandError::Check),
        Command::Load(args) => load::run(&args).map_err(CommandError::Load),
        Command::Log(args) => log::run(args).map_err(CommandError::Log),
        Command::Options { document } => {
            let text = match document {
                Document::Example => config::example(),
                Document::Reference => config::reference(),
            };
            stdout::print(&text).map(drop).map_err(CommandError::Print)
        }
        Command::LoadWorker => load::work().map_err(CommandError::Load),
    }
}

/// Prints the warnings, unless `--quiet` was given.
fn warn(warnings: &[String], given: &ArgMatches) {
    const QUIET: &str = "quiet";
    let is_quiet = given.ids().any(|id| id.as_str() == QUIET) && given.get_flag(QUIET);
    warnings.iter().filter(|_| !is_quiet).for_each(|text| warning::print(text));
}

/// Prints what is wrong with the arguments, or the help that was asked for, and ends the process. Secrets are masked,
/// because the error and the help may quote wrong values and the values of variables.
fn refuse(command: &clap::Command, mut error: clap::Error) -> ! {
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    let shown = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) if is_secret(command, &argument, value) => Some(MASK.to_owned()),
        Some(ContextValue::String(value)) if value.chars().count() > MAX_SHOWN_CHARACTERS => {
            Some(value.chars().take(MAX_SHOWN_CHARACTERS).chain(['…']).collect())
        }
        _ => None,
    };
    if let Some(shown) = shown {
        error.insert(ContextKind::InvalidValue, ContextValue::String(shown));
    }
    let text = error.render().ansi().to_string();
    let text = masked(&text);
    if error.use_stderr() {
        stderr::print(&text);
    } else {
        let mut out = anstream::stdout().lock();
        if let Err(error) = stdout::unless_closed(write!(out, "{text}").and_then(|()| out.flush())) {
            let error = CommandError::Print(error);
            error.print();
            process::exit(error.exit() as i32)
        }
    }
    process::exit(error.exit_code())
}

/// The endings of the names of arguments, such as `publisher-algorithm`, to which people give a key by mistake, because
/// the help lists these arguments next to the arguments for keys.
const BESIDE_KEYS: [&str; 3] = ["algorithm", "jwks", "issuer"];
/// The greatest length, in bytes, of a wrong value of an argument in [`BESIDE_KEYS`] that an error message shows. A
/// value this short is a misspelt name and not a key; a longer value may be a key.
const MAX_NAME_BYTES: usize = 8;

/// Returns true if the wrong value `value` may be a secret. `argument` is the name of the argument in clap's error,
/// such as `--header <NAME: VALUE>`.
fn is_secret(command: &clap::Command, argument: &str, value: &str) -> bool {
    let mut arguments = command.get_subcommands().flat_map(clap::Command::get_arguments);
    arguments.any(|known| {
        let is_meant = known.to_string().split(' ').next() == argument.split(' ').next();
        let names = known.get_value_names().unwrap_or_default();
        let may_be_key = value.len() > MAX_NAME_BYTES && !value.contains("://");
        let is_beside_keys = may_be_key && BESIDE_KEYS.iter().any(|name| known.get_id().as_str().ends_with(name));
        is_meant
            && (known.is_hide_env_values_set()
                || is_beside_keys
                || names.iter().any(|name| name.starts_with(exposed::HEADER)))
    })
}

impl CommandError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Variable(_) => Exit::Usage,
            Self::Serve(error) => error.exit(),
            Self::Publish(error) => error.exit(),
            Self::Subscribe(error) => error.exit(),
            Self::Lint(error) => error.exit(),
            Self::Relay(error) => error.exit(),
            Self::Token(error) => error.exit(),
            Self::Check(error) => error.exit(),
            Self::Load(error) => error.exit(),
            Self::Log(error) => error.exit(),
            Self::Print(_) => Exit::Failed,
        }
    }

    /// Prints this error on standard error, with secrets masked.
    pub(crate) fn print(&self) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        stderr::print(format_args!("{style}error:{style:#} {}\n", masked(&self.to_string())));
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(error) => error.fmt(f),
            Self::Serve(error) => error.fmt(f),
            Self::Publish(error) => error.fmt(f),
            Self::Subscribe(error) => error.fmt(f),
            Self::Lint(error) => error.fmt(f),
            Self::Relay(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::Check(error) => error.fmt(f),
            Self::Load(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Print(error) => write!(f, "cannot print to standard output: {error}"),
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
