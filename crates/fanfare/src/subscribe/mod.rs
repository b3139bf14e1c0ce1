//! `fanfare subscribe`: prints events as they arrive, and goes on where it stopped when the connection is lost.
//!
//! [`source`] says where events come from, [`request`] how they are asked for, [`follow`] is the way of each event:
//! through [`filter`] to [`output`], and to a command ([`exec`]). [`lint`] looks at the stream instead.
mod cookies;
mod ends;
mod error;
mod exec;
mod failure;
mod field;
mod filter;
mod follow;
mod format;
mod json;
mod lint;
mod output;
mod received;
mod request;
mod source;
mod status;
mod stdin;
mod transport;

pub(crate) use error::SubscribeError;

use crate::{
    exit,
    http::{self, ConnectionArgs, HeaderArgument, HubArgs, RewindQuery},
    notice::notice,
    quantity::{ByteSize, HumanDuration, InvalidSize},
    secret::Secret,
    topic,
};
use ::http::Method;
use clap::ValueEnum;
use cookies::Cookies;
use field::FieldPath;
use request::RequestBody;
use source::Source;
use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

const EXAMPLES: &str = "\
Examples:
  fanfare subscribe news                              a topic of the hub
  fanfare subscribe news --last 10                    its newest 10 updates first, then what comes
  fanfare subscribe https://example.com/events        any event stream, resumed when it breaks
  fanfare subscribe URL --state last-id --exec ./job  each event to a command, at least once, across restarts
  fanfare subscribe URL -H 'Authorization: Bearer …' -d @prompt.json --field choices.0.delta.content --join --until '[DONE]'
  curl -N URL | fanfare subscribe - --format data     an event stream from standard input
  fanfare subscribe URL --lint                        what is wrong with a server's stream";

/// Errors in a stream, as the help explains them.
const ERRORS: &str = "\
An event of the type error, or data that is an error object, is exit code 1. Where the stream is one answer (-d, \
-X POST, --until, --field, --join) the command ends there; otherwise it goes on, and the exit code says so when the \
stream is over or -n events came. This is not so for topics of a hub, with --state, and with --event error.";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{ERRORS}\n\n{}\n\n{}\n\n{}", http::HABITS, http::HELP, exit::HELP))]
pub(crate) struct SubscribeArgs {
    /// Topics of the hub, `*` for all; or URLs (http or https) of event streams, of any server; or `-` for one from
    /// standard input
    #[arg(required_unless_present = "topics", value_name = "TOPIC|URL|-", value_parser = topic::matcher)]
    from: Vec<String>,

    /// A topic, also one that looks like a URL; repeatable
    #[arg(long = "topic", value_name = "TOPIC", value_parser = topic::matcher)]
    topics: Vec<String>,

    #[command(flatten)]
    hub: HubArgs,

    #[command(flatten)]
    request: RequestArgs,

    #[command(flatten, next_help_heading = "Connection")]
    connection: ConnectionArgs,

    #[command(flatten)]
    resume: ResumeArgs,

    #[command(flatten)]
    select: SelectArgs,

    #[command(flatten)]
    print: PrintArgs,

    /// Print no events but what is wrong or worth knowing about the stream: its headers, how it is written, what holds
    /// it back, and whether it can be resumed. Looks at it for so long [default: 30s], or until -n events. Exit code 4
    /// if there are errors
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "30s",
        help_heading = "Diagnosis",
        conflicts_with_all = ["state", "types", "field", "until", "join", "timestamps", "exec"]
    )]
    lint: Option<HumanDuration>,
}

/// Options for the request.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Request")]
pub(super) struct RequestArgs {
    /// Method of the request [default: GET, or POST with --data]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<Method>,

    /// Header of the request, or @FILE with one on each line, which other users of the machine cannot see; `NAME;`
    /// sends an empty value, `NAME:` takes a header away; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE|@FILE")]
    headers: Vec<HeaderArgument>,

    /// Body of the request: text, @FILE, or @- for standard input. Its content type is application/json if it is JSON,
    /// unless a header says otherwise
    #[arg(short = 'd', long = "data", value_name = "DATA|@FILE")]
    body: Option<RequestBody>,

    /// Log in with this user and password (HTTP Basic), instead of a token
    #[arg(short = 'u', long, value_name = "USER:PASSWORD", hide_env_values = true)]
    user: Option<Secret>,

    /// Cookies to send: `a=b; c=d`, or a file in Netscape's format, as curl and browsers write it. With an empty text,
    /// or a file, cookies that the server sets are kept as by --cookie-jar
    #[arg(short = 'b', long, value_name = "COOKIES|FILE", hide_env_values = true)]
    cookie: Option<Cookies>,

    /// Keep the cookies that the server sets, and send them when it redirects and when the connection is made again
    #[arg(long)]
    cookie_jar: bool,

    /// Reconnect when nothing, not even a comment, has come for so long [default: never]
    #[arg(long, value_name = "DURATION")]
    idle_timeout: Option<HumanDuration>,
}

/// Options for the place to begin, and for reconnecting.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Resuming")]
pub(super) struct ResumeArgs {
    /// Begin after the event with this ID; `earliest` for all that the hub holds
    #[arg(long, value_name = "ID")]
    last_event_id: Option<String>,

    #[command(flatten, next_help_heading = "Resuming")]
    rewind: RewindQuery,

    /// File that keeps the last event ID: begin where the last run stopped. An event counts when it is printed, and its
    /// command has succeeded
    #[arg(long, value_name = "FILE", conflicts_with = "last_event_id")]
    state: Option<PathBuf>,

    /// When to connect again: never; once a connection has stood (so that a wrong address is told at once); or always
    #[arg(long, value_name = "WHEN", default_value = "after-open")]
    reconnect: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Never,
    AfterOpen,
    Always,
}

/// Options that select events, and their number.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectArgs {
    /// Only events of this type; repeatable
    #[arg(long = "event", value_name = "TYPE")]
    types: Vec<String>,

    /// Only this part of data that is JSON, such as `choices.0.delta.content`; events without it are skipped. A
    /// warning names those that are not JSON
    #[arg(long, value_name = "PATH")]
    field: Option<FieldPath>,

    /// Stop at an event whose data is this, which is not printed: `[DONE]`. Exit code 1 if the stream ends without it.
    /// As long as --reconnect allows, the server is asked again, until three streams in a row ended within 10 seconds
    /// and without an event that has a new ID
    #[arg(long, value_name = "DATA")]
    until: Option<String>,

    /// The most data of an event, at least 1 KiB. A larger one ends the stream
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = event_size)]
    max_event: ByteSize,

    /// Skip an event that is larger than --max-event, with a warning, instead of stopping
    #[arg(long)]
    skip_large: bool,

    /// Take the last event also from a stream that ends without the blank line behind it. It may be cut, so its ID is
    /// left out
    #[arg(long)]
    unfinished: bool,

    /// Stop after this many events
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// The least that an event may be allowed to hold.
const MIN_EVENT_BYTES: u64 = 1 << 10;
/// The most.
const MAX_EVENT_BYTES: u64 = 1 << 30;

fn event_size(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse().map_err(|error: InvalidSize| error.to_string())?;
    match size.0 {
        MIN_EVENT_BYTES..=MAX_EVENT_BYTES => Ok(size),
        _ => Err(format!("{size} is out of bounds: {} to {}", ByteSize(MIN_EVENT_BYTES), ByteSize(MAX_EVENT_BYTES))),
    }
}

/// Options for what becomes of events.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct PrintArgs {
    /// How to print events [default: pretty in a terminal, json in a pipe, data with --field]
    #[arg(long)]
    format: Option<Format>,

    /// Print no line end after data: for text that comes in pieces
    #[arg(long)]
    join: bool,

    /// Print before each event when it arrived, in formats that do not say so by themselves (data, raw, tsv)
    #[arg(long)]
    timestamps: bool,

    /// Run this command by the shell for each event: data on its standard input, and FANFARE_EVENT_TYPE,
    /// FANFARE_EVENT_ID and FANFARE_EVENT_ORIGIN in its environment. Events wait for it. Its failure is the end, with
    /// exit code 1
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,

    /// Say nothing but errors on standard error. Without it connections that are lost are told there in a terminal
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Tell connections that open and that are lost, also in a pipe
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: time, topic, type, ID, and the data indented
    Pretty,
    /// The data and nothing else, a line end after each
    Data,
    /// For programs: one JSON object a line, with id, topics, type, data (a string), private and time_ms
    Json,
    /// The event stream as it came, comments too
    Raw,
    /// A line each: ID, type and data between tabs; tab, line ends and backslash as \t, \n, \r and \\
    Tsv,
}

impl PrintArgs {
    fn format(&self, field: bool) -> Format {
        self.format.unwrap_or(match io::stdout().is_terminal() {
            _ if field || self.join => Format::Data,
            true => Format::Pretty,
            false => Format::Json,
        })
    }
}

/// Says what is probably not meant: a URL that is taken for a topic, a token that goes nowhere.
fn warn(sources: &[Source], args: &SubscribeArgs) {
    if let [Source::Hub { .. }] = sources {
        source::hint(&args.from).into_iter().for_each(notice);
    }
    let withheld = sources.iter().filter_map(|source| args.hub.token_for(source.url()?).err());
    let mut told: Vec<_> = withheld.map(|withheld| withheld.to_string()).collect();
    told.dedup();
    told.into_iter().for_each(notice);
}

/// Runs the command, until there are enough events, the server says stop (204), or nobody reads what is printed.
///
/// # Errors
/// [`SubscribeError`] if there is no stream, or none to come back to.
pub(crate) fn run(args: &SubscribeArgs) -> Result<(), SubscribeError> {
    let sources = source::find((&args.from, &args.topics), &args.hub.hub, &args.resume.rewind)?;
    if !args.print.quiet {
        warn(&sources, args);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(SubscribeError::Runtime)?;
    match args.lint {
        Some(time) => runtime.block_on(lint::lint(&sources, args, time.0)),
        None => runtime.block_on(follow::follow(&sources, args)),
    }
}
