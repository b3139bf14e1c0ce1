//! Makes the event source of one stream. The arguments say when the source reconnects, where it continues, and how
//! large an event may be.
use super::{SubscribeError, args::SubscribeArgs};
use crate::{
    reconnect::Reconnect,
    request::{Asking, RequestError, Source, Transport},
};
use fanfare_client::{Acknowledge, EventSource, FileStore, Limits};
use std::time::Duration;

/// The longest wait between two attempts to connect.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Makes the event source for `source`, as the arguments say. It sends requests by `transport`.
///
/// # Errors
/// [`SubscribeError::Request`] if something in the arguments cannot be sent or read.
pub(super) fn event_source(
    source: &Source,
    (asking, transport): (&Asking<'_>, &Transport),
    args: &SubscribeArgs,
) -> Result<EventSource, SubscribeError> {
    let policy = match args.resume.reconnect {
        _ if *source == Source::Stdin => fanfare_client::Reconnect::never(),
        Reconnect::Never => fanfare_client::Reconnect::never(),
        Reconnect::AfterOpen | Reconnect::Always => fanfare_client::Reconnect::resilient().max_delay(MAX_DELAY),
    };
    let bytes = usize::try_from(args.select.max_event.0).unwrap_or(usize::MAX);
    let limits = Limits { max_data_bytes: bytes, max_line_bytes: bytes, ..Limits::default() };
    let builder = asking.builder(source, transport).map_err(SubscribeError::Request)?.reconnect(policy).limits(limits);
    let builder = builder.skip_large_events(args.select.skip_large).blocks(true);
    let mut builder = builder.unfinished_events(args.select.unfinished);
    if let Some(path) = &args.resume.state {
        builder = builder.store(FileStore::new(path)).acknowledge(Acknowledge::Manual);
    }
    if let Some(timeout) = args.resume.idle_timeout {
        builder = builder.idle_timeout(timeout.0);
    }
    builder.build().map_err(|error| SubscribeError::Request(RequestError::Build(error)))
}
