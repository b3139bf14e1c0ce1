//! `fanfare subscribe`: prints events as they arrive, and continues after the last event when a connection was lost.
//!
//! [`args`] defines the arguments, and [`stream`] opens each stream as they say. [`follow`] takes each event through
//! [`filter`] to [`output`], and to a command ([`exec`]).
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

/// Runs the command until there are enough events, the server says that there are no more (204), or the reader closes
/// the output.
///
/// # Errors
/// [`SubscribeError`] if a stream cannot be opened, or cannot be continued.
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
