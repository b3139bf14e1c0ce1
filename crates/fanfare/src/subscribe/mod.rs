//! `fanfare subscribe`: prints events as they arrive, and goes on where it stopped when the connection is lost.
//!
//! [`args`] are its arguments, and [`stream`] asks for each stream as they say. [`follow`] is the way of each event:
//! through [`filter`] to [`output`], and to a command ([`exec`]).
mod args;
mod ends;
mod error;
mod exec;
mod failure;
mod field;
mod filter;
mod follow;
mod format;
mod json;
mod output;
mod received;
mod status;
mod stream;

pub(crate) use args::SubscribeArgs;
pub(crate) use error::SubscribeError;

use crate::{
    notice::notice,
    request::{self, Source},
};

/// Runs the command, until there are enough events, the server says stop (204), or nobody reads what is printed.
///
/// # Errors
/// [`SubscribeError`] if there is no stream, or none to come back to.
pub(crate) fn run(args: &SubscribeArgs) -> Result<(), SubscribeError> {
    if args.lint.is_some() {
        return Err(SubscribeError::Lint);
    }
    let (hub, rewind) = (&args.request.hub.hub, &args.request.begin.rewind);
    let sources = request::find((&args.from, &args.topics), hub, rewind).map_err(SubscribeError::Request)?;
    if let [Source::Hub { .. }] = &sources[..]
        && !args.print.quiet
    {
        request::hint(&args.from).into_iter().for_each(notice);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(SubscribeError::Runtime)?;
    runtime.block_on(follow::follow(&sources, args))
}
