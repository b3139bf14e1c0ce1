//! `fanfare publish`: one update, each line of standard input, or one at intervals; prints the IDs.
mod error;
mod identity;
mod lines;
mod publisher;
mod reader;
mod repeat;

pub(crate) use error::PublishError;

use crate::{
    exit,
    http::{self, ConnectArgs, Habits, HubArgs, PublishQuery},
    quantity::HumanDuration,
    topic::topic,
};
use clap::ValueEnum;
use fanfare_hub::{
    topic::Topic,
    update::{InvalidUpdate, Update, UpdateFields},
};
use publisher::Publisher;
use std::io::{self, IsTerminal as _};

/// The DATA that stands for standard input.
const STDIN: &str = "-";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{}\n\n{}\n\n{}", http::HABITS, http::HELP, exit::HELP))]
pub(crate) struct PublishArgs {
    /// Topic to publish under
    #[arg(value_parser = topic)]
    topic: Topic,

    /// Data of the update. `-`, or nothing in a pipe: each line of standard input that is not blank is one update, in
    /// order. A line that is longer than the hub allows is skipped with a warning, and the exit code is 4. Bytes that
    /// are not UTF-8 are replaced, with a warning. With --every, {count}, {time} and {unix_ms} in it are replaced;
    /// without data, {time} is published
    data: Option<String>,

    /// Publish at this interval, the first at once
    #[arg(long, value_name = "DURATION")]
    every: Option<HumanDuration>,

    /// How many updates to publish with --every [default: until stopped]
    #[arg(short = 'n', long, value_name = "COUNT", requires = "every", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// When to ask a hub again that cannot be reached or fails, with lines or --every: never; once something was
    /// published (so that a wrong address is told at once); or always. Lines wait meanwhile, in order. They have IDs
    /// that only this process makes (urn:uuid:…, without them with never), by which they are looked up in the hub's log
    /// if their answer was lost; a warning says where that cannot tell, and a line may be there twice
    #[arg(long, value_name = "WHEN", default_value = "after-open")]
    reconnect: When,

    #[command(flatten)]
    query: PublishQuery,

    #[command(flatten)]
    hub: HubArgs,

    #[command(flatten, next_help_heading = "Connection")]
    connect: ConnectArgs,

    #[command(flatten)]
    habits: Habits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Never,
    AfterOpen,
    Always,
}

impl When {
    /// True if a hub is asked again that does not answer now, and was there before or not.
    fn asks_again(self, was_there: bool) -> bool {
        match self {
            Self::Never => false,
            Self::AfterOpen => was_there,
            Self::Always => true,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// [`PublishError`] says why an update was not published; those whose IDs are printed were.
pub(crate) fn run(args: PublishArgs) -> Result<(), PublishError> {
    check(&args).map_err(PublishError::Update)?;
    let publisher = Publisher::new((&args.hub, &args.connect), &args.topic, &args.query)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PublishError::Runtime)?;
    match (args.data, args.every) {
        (data, Some(every)) => {
            let template = data.unwrap_or_else(|| repeat::TIME.to_owned());
            if args.query.id.is_some() && args.count != Some(1) {
                return Err(PublishError::OneIdForMany);
            }
            runtime.block_on(repeat::publish(&publisher, &template, (every.0, args.count), args.reconnect))
        }
        (Some(data), None) if data != STDIN => {
            let ids = runtime.block_on(publisher.publish(data))?;
            publisher::print(&ids).map(drop)
        }
        (None, None) if io::stdin().is_terminal() => Err(PublishError::NoData),
        _ if args.query.id.is_some() => Err(PublishError::OneIdForMany),
        _ => runtime.block_on(lines::publish(&publisher, args.reconnect)),
    }
}

/// Checks what the hub would refuse, before anything is read or sent.
fn check(args: &PublishArgs) -> Result<(), InvalidUpdate> {
    let (id, event_type) = (args.query.id.clone(), args.query.event_type.clone());
    let topics = vec![args.topic.clone()];
    Update::new(UpdateFields { topics, id, event_type, ..UpdateFields::default() }).map(drop)
}
