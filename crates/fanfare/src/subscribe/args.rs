//! The arguments of `fanfare subscribe`.
use super::field::FieldPath;
use crate::{
    exit, http,
    quantity::{ByteSize, HumanDuration, Invalid},
    reconnect::Reconnect,
    request::RequestArgs,
    topic,
};
use clap::ValueEnum;
use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

const EXAMPLES: &str = "\
Examples:
  fanfare subscribe news                              a topic of the hub
  fanfare subscribe news --last 10                    its newest 10 updates, then new ones
  fanfare subscribe https://example.com/events        any event stream; resumes by itself
  fanfare subscribe URL --state last-id --exec ./job  a command for each event, also after restarts
  fanfare subscribe URL -H 'Authorization: Bearer …' -d @prompt.json --field choices.0.delta.content --join --until '[DONE]'
  curl -N URL | fanfare subscribe - --format data     an event stream from standard input
  fanfare lint URL                                    report what is wrong with a server's stream";

/// The part of the help that explains what the command does if a stream reports an error.
const ERRORS: &str = "\
Exit code 1 if an event has the type error, or its data is an error object. If the stream is one answer (-d, -X POST, \
--until, --field, --join), the command ends at once; otherwise it continues, and the exit code reports the error at \
the end. This does not apply to topics of a hub, with --state, and with --event error.";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{ERRORS}\n\n{}\n\n{}\n\n{}", http::HABITS, http::HELP, exit::HELP))]
pub(crate) struct SubscribeArgs {
    /// Topics of the hub, `*` for all; or URLs (http or https) of event streams, of any server; or `-` for an event
    /// stream from standard input
    #[arg(required_unless_present_any = ["topics", "lint"], value_name = "TOPIC|URL|-", value_parser = topic::matcher)]
    pub from: Vec<String>,

    /// A topic, also one that looks like a URL; repeatable
    #[arg(long = "topic", value_name = "TOPIC", value_parser = topic::matcher)]
    pub topics: Vec<String>,

    #[command(flatten)]
    pub request: RequestArgs,

    #[command(flatten)]
    pub(super) resume: ResumeArgs,

    #[command(flatten)]
    pub(super) select: SelectArgs,

    #[command(flatten)]
    pub(super) print: PrintArgs,

    /// Removed: use `fanfare lint`. The option is still parsed, so that the error message can say this.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub lint: Option<String>,
}

/// Options for reconnecting and for saving the last event ID.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Resuming")]
pub(super) struct ResumeArgs {
    /// File to save the last event ID: the next run begins where this one stopped. The ID of an event is saved after
    /// the event is printed and its command has succeeded
    #[arg(long, value_name = "FILE", conflicts_with = "last_event_id")]
    pub state: Option<PathBuf>,

    /// Reconnect: never; only after a first connection was made, so that a wrong address is reported at once; or always
    #[arg(long, value_name = "WHEN", default_value = "after-open")]
    pub reconnect: Reconnect,

    /// Reconnect when nothing, not even a comment, has arrived for this time [default: never]
    #[arg(long, value_name = "DURATION")]
    pub idle_timeout: Option<HumanDuration>,
}

/// Options that say which events are printed, and how many.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectArgs {
    /// Print only events of this type; repeatable
    #[arg(long = "event", value_name = "TYPE")]
    pub types: Vec<String>,

    /// Print only this part of data that is JSON, such as `choices.0.delta.content`. Events without this part are
    /// skipped; data that is not JSON is skipped with a warning
    #[arg(long, value_name = "PATH")]
    pub field: Option<FieldPath>,

    /// Stop at the event whose data is this text, such as `[DONE]`, and do not print it. Exit code 1 if the stream ends
    /// without it. If --reconnect allows it, the command repeats the request, until three streams in a row ended within
    /// 10 seconds and without an event that has a new ID
    #[arg(long, value_name = "DATA")]
    pub until: Option<String>,

    /// The largest size of the data of an event, at least 1 KiB. A larger event ends the stream
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = event_size)]
    pub max_event: ByteSize,

    /// Skip an event that is larger than --max-event, with a warning, instead of stopping
    #[arg(long)]
    pub skip_large: bool,

    /// Also print the last event of a stream that ends without a blank line. The event may be incomplete, so its ID is
    /// not saved
    #[arg(long)]
    pub unfinished: bool,

    /// Stop after this many events
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// The smallest value that `--max-event` allows.
const MIN_EVENT_BYTES: u64 = 1 << 10;
/// The largest value that `--max-event` allows.
const MAX_EVENT_BYTES: u64 = 1 << 30;

fn event_size(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse().map_err(|error: Invalid<ByteSize>| error.to_string())?;
    match size.0 {
        MIN_EVENT_BYTES..=MAX_EVENT_BYTES => Ok(size),
        _ => Err(format!("{size} is out of bounds: {} to {}", ByteSize(MIN_EVENT_BYTES), ByteSize(MAX_EVENT_BYTES))),
    }
}

/// Options that say how events are printed, or to which command they are given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct PrintArgs {
    /// Print events in this form [default: pretty in a terminal, json in a pipe, data with --field or --join]
    #[arg(long)]
    pub format: Option<Format>,

    /// Print no line end after data: for text that arrives in pieces
    #[arg(long)]
    pub join: bool,

    /// Print the time of arrival before each event, in the formats that do not contain it (data, raw)
    #[arg(long)]
    pub timestamps: bool,

    /// Run this command in the shell for each event: data on its standard input, and FANFARE_EVENT_TYPE,
    /// FANFARE_EVENT_ID and FANFARE_EVENT_ORIGIN in its environment. The next event waits until the command ends. If
    /// the command fails, `subscribe` ends with exit code 1
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,

    /// Print only errors on standard error. Without this option, a lost connection is reported too, if standard
    /// error is a terminal
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Report connections that are opened or lost, even if standard error is not a terminal
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text for people: time, topic, type, ID, and the data indented
    Pretty,
    /// Only the data, with a line end after each event
    Data,
    /// JSON for programs: one object on each line, with id, topics, type, data (a string), private and time_ms
    Json,
    /// The event stream as it arrived, with comments
    Raw,
}

impl PrintArgs {
    /// Returns the format, or the default if none is given; `field` is true if only a part of the data is printed.
    pub(super) fn format(&self, field: bool) -> Format {
        self.format.unwrap_or(match io::stdout().is_terminal() {
            _ if field || self.join => Format::Data,
            true => Format::Pretty,
            false => Format::Json,
        })
    }
}
