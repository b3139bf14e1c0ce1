//! `fanfare publish`: publishes one update, each line of standard input, or one update at intervals, and prints the
//! IDs.
mod args;
mod error;
mod identity;
mod lines;
mod publisher;
mod reader;
mod repeat;

pub(crate) use args::PublishArgs;
pub(crate) use error::PublishError;

use fanfare_hub::update::{InvalidUpdate, Update, UpdateFields};
use publisher::Publisher;
use std::io::{self, IsTerminal as _};

/// The DATA argument that means standard input.
const STDIN: &str = "-";

/// Runs the command.
///
/// # Errors
/// [`PublishError`] says why an update was not published. All updates whose IDs were printed are published.
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

/// Checks the arguments that the hub would refuse, before anything is read or sent.
fn check(args: &PublishArgs) -> Result<(), InvalidUpdate> {
    let (id, event_type) = (args.query.id.clone(), args.query.event_type.clone());
    let topics = vec![args.topic.clone()];
    Update::new(UpdateFields { topics, id, event_type, ..UpdateFields::default() }).map(drop)
}
