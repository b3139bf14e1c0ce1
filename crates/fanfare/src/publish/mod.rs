//! `fanfare publish`: one update, each line of standard input, or one at intervals; prints the IDs.
mod error;
mod lines;
mod publisher;
mod repeat;

pub(crate) use error::PublishError;

use crate::{
    config::HumanDuration,
    exit,
    http::{self, HubArgs, PublishQuery},
};
use publisher::{Body, Publisher};
use std::io::{self, IsTerminal as _};

/// The DATA that stands for standard input.
const STDIN: &str = "-";

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{}\n\n{}", http::HELP, exit::HELP))]
pub(crate) struct PublishArgs {
    /// Topic to publish under
    topic: String,

    /// Data of the update. `-`, or nothing in a pipe: each line of standard input that is not blank is one update, in
    /// order. With --every, {count}, {time} and {unix_ms} in it are replaced, and nothing stands for {time}
    data: Option<String>,

    /// Publish at this interval, the first at once
    #[arg(long, value_name = "DURATION")]
    every: Option<HumanDuration>,

    /// How many updates to publish with --every [default: until stopped]
    #[arg(short = 'n', long, value_name = "COUNT", requires = "every", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    #[command(flatten)]
    query: PublishQuery,

    #[command(flatten)]
    hub: HubArgs,
}

/// Runs the command.
///
/// # Errors
/// [`PublishError`] says why an update was not published; those whose IDs are printed were.
pub(crate) fn run(args: PublishArgs) -> Result<(), PublishError> {
    let uri = args.hub.hub.publish(&args.topic, &args.query).map_err(PublishError::TooLong)?;
    let publisher = Publisher::new(uri, args.hub.token())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PublishError::Runtime)?;
    match (args.data, args.every) {
        (data, Some(every)) => {
            let template = data.unwrap_or_else(|| repeat::TIME.to_owned());
            if args.query.id.is_some() && args.count != Some(1) {
                return Err(PublishError::OneIdForMany);
            }
            runtime.block_on(repeat::publish(&publisher, &template, every.0, args.count))
        }
        (Some(data), None) if data != STDIN => {
            let ids = runtime.block_on(publisher.publish(Body::Data(data)))?;
            publisher::print(&ids)
        }
        (None, None) if io::stdin().is_terminal() => Err(PublishError::NoData),
        _ if args.query.id.is_some() => Err(PublishError::OneIdForMany),
        _ => runtime.block_on(lines::publish(&publisher)),
    }
}
