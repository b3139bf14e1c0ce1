//! Relays: an event stream of any server is published under topics of a hub, so that one connection to this server, the
//! upstream, serves any number of browsers. A relay is the command `fanfare relay`, or a part of `fanfare serve`.
//!
//! [`upstream`] is the server that sends the events, [`batch`] makes updates from the events, and [`sink`] is the hub
//! that gets the updates. [`state`] is the progress that survives a restart, and [`held`] has the updates that need not
//! be published again after a restart. [`Relay`] connects these parts and reads events; [`delivery`] publishes them.
mod backoff;
mod batch;
mod delivery;
mod error;
mod held;
mod run;
mod sink;
mod state;
mod upstream;
mod voice;

pub(crate) use backoff::Backoff;
pub(crate) use batch::Template;
pub(crate) use error::RelayError;
pub(crate) use run::{Parts, Patience, Relay};
pub(crate) use sink::{LocalSink, RemoteSink, Sink};
pub(crate) use state::State;
pub(crate) use upstream::Upstream;
pub(crate) use voice::Voice;

use crate::{
    exit,
    http::{self, ConnectionArgs, HeaderArgument, HubArgs, HubConnectArgs},
    quantity::HumanDuration,
    stop,
};
use clap::ValueEnum;
use fanfare_hub::topic::Topic;
use std::{path::PathBuf, time::Duration};

/// When the command is told to stop: the longest time that it waits until its state is saved.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  fanfare relay http://127.0.0.1:8844/stream --topic ticks
  fanfare relay https://example.com/events -t news --state news.id --hub https://hub.example.com

With --state, each event that has an ID gets into the hub exactly once, even if a program is killed, if the upstream \
can resume. For this, the relay reads the log of the hub: the token of a private relay must also allow to subscribe to \
the topics.";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}\n\n{}\n\n{}", http::HABITS, http::HELP, exit::HELP))]
pub(crate) struct RelayArgs {
    /// URL (http or https) of the event stream to relay, of any server
    url: String,

    /// Topic under which the upstream's events are published; repeatable
    #[arg(short, long = "topic", value_name = "TOPIC", required = true, value_parser = Topic::new)]
    topics: Vec<Topic>,

    /// Deliver only to subscribers whose token covers a topic
    #[arg(long)]
    private: bool,

    #[command(flatten)]
    hub: HubArgs,

    /// Header of the request to the upstream, or @FILE with one header on each line, which other users of the machine
    /// cannot see; `NAME;` sends an empty value, `NAME:` removes a header; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE|@FILE")]
    headers: Vec<HeaderArgument>,

    /// Begin after the upstream's event with this ID; with --state, as long as no ID is saved
    #[arg(long, value_name = "ID")]
    last_event_id: Option<String>,

    /// File to save the last event ID that the hub has acknowledged: the next run begins where this one stopped
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Reconnect when nothing, not even a comment, has arrived for this time [default: never]
    #[arg(long, value_name = "DURATION")]
    idle_timeout: Option<HumanDuration>,

    /// Reconnect: only after a first connection was made, so that a wrong address is reported at once; or always
    #[arg(long, value_name = "WHEN", default_value = "after-open")]
    reconnect: When,

    /// Print only errors on standard error
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Report connections that are opened or lost, even if standard error is not a terminal
    #[arg(short, long)]
    verbose: bool,

    /// Options for the connection to the upstream.
    #[command(flatten, next_help_heading = "Connection to the upstream")]
    connection: ConnectionArgs,

    /// Options for the connection to the hub.
    #[command(flatten, next_help_heading = "Connection to the hub")]
    hub_connect: HubConnectArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    AfterOpen,
    Always,
}

/// Relays until the upstream says that there are no more events (204), or until the command is told to stop.
///
/// # Errors
/// [`RelayError`] if the relay cannot begin, or cannot continue.
pub(crate) fn run(args: RelayArgs) -> Result<(), RelayError> {
    let HeaderArgument { sent, removed } = HeaderArgument::join(args.headers);
    let connect = args.hub_connect.into();
    let sink = RemoteSink::new((&args.hub, &connect), &args.topics, args.private);
    let parts = Parts {
        upstream: Upstream {
            url: args.url,
            headers: sent,
            without: removed,
            connection: args.connection,
            idle_timeout: args.idle_timeout.map(|timeout| timeout.0),
        },
        sink: Sink::Remote(Box::new(sink?)),
        template: Template { topics: args.topics, private: args.private, max_data_bytes: upstream::MAX_DATA_BYTES },
        state: State::new(args.state, args.last_event_id),
        voice: Voice::of_person(args.quiet, args.verbose),
        patience: match args.reconnect {
            When::AfterOpen => Patience::AfterOpen,
            When::Always => Patience::Always,
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RelayError::Runtime)?;
    runtime.block_on(relay(parts))
}

async fn relay(parts: Parts) -> Result<(), RelayError> {
    let voice = parts.voice.clone();
    let stopped = stop::stop().map_err(RelayError::Runtime)?;
    let mut relay = Relay::new(parts);
    tokio::select! {
        ended = relay.run() => ended?,
        () = stopped => {}
    }
    let flushed = tokio::time::timeout(FLUSH_TIMEOUT, relay.flush()).await;
    voice.notice(&relay.summary());
    flushed.unwrap_or(Ok(()))
}
