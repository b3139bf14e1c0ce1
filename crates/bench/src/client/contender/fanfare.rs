//! Our client, over its default transport.
use super::next::{BoxError, next};
use crate::client::tally::Tally;
use fanfare_client::{EventSource, Reconnect};

pub(super) async fn read(url: &str, tally: &mut Tally) -> Result<(), BoxError> {
    let mut source = EventSource::builder(url).reconnect(Reconnect::never()).build()?;
    while let Some(event) = next(&mut source).await {
        if tally.event(&event?.data).is_break() {
            break;
        }
    }
    Ok(())
}
