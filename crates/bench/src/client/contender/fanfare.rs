//! Ours. What connects for it is the least that can, the same as for [`parser`](super::parser): the difference is what the
//! client costs.
use super::{super::tally::Tally, BoxError, connection::Connections, next};
use fanfare_client::{EventSource, Reconnect};

pub(super) async fn read(url: &str, tally: &mut Tally) -> Result<(), BoxError> {
    let mut source = EventSource::builder(url).transport(Connections).reconnect(Reconnect::never()).build()?;
    while let Some(event) = next(&mut source).await {
        if tally.event(&event?.data).is_break() {
            break;
        }
    }
    Ok(())
}
