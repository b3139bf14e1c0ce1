//! `fanfare subscribe`: prints events as they arrive, and goes on where it stopped when the connection is lost.
mod error;
mod output;
mod pretty;
mod received;
mod source;
mod stream;

pub(crate) use error::SubscribeError;

use crate::{exit, http::HubArgs};
use clap::ValueEnum;
use output::Output;
use std::io::{self, IsTerminal as _};

#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct SubscribeArgs {
    /// Topics of the hub, `*` for all; or the URL (http or https) of one event stream, of any server
    #[arg(required_unless_present = "topics", value_name = "TOPIC|URL")]
    from: Vec<String>,

    /// A topic, also one that looks like a URL; repeatable
    #[arg(long = "topic", value_name = "TOPIC")]
    topics: Vec<String>,

    /// Begin after the event with this ID; `earliest` for all that the hub holds
    #[arg(long, value_name = "ID")]
    last_event_id: Option<String>,

    /// Stop after this many events
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// How to print events [default: pretty in a terminal, json in a pipe]
    #[arg(long)]
    format: Option<Format>,

    #[command(flatten)]
    hub: HubArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: time, topic, type, ID, and the data indented
    Pretty,
    /// For programs: one JSON object a line, with id, topics, type, data (a string), private and time_ms
    Json,
}

/// Runs the command, until the count is reached, the server says stop (204), or nobody reads what is printed.
///
/// # Errors
/// [`SubscribeError`] if there is no stream, or none to come back to.
pub(crate) fn run(args: SubscribeArgs) -> Result<(), SubscribeError> {
    let source = source::find(&args.from, &args.topics, &args.hub.hub)?;
    let format = args.format.unwrap_or(if io::stdout().is_terminal() { Format::Pretty } else { Format::Json });
    let output = Output::new(format, args.count);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(SubscribeError::Runtime)?;
    runtime.block_on(stream::follow(source, args.hub.token, args.last_event_id, output))
}
