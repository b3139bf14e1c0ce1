//! <https://docs.rs/sse-reqwest-client>: an event source from a reqwest request, as in its example. Its reconnecting
//! cannot be turned off; instead, the first attempt to reconnect ends the reading.
use super::next::{BoxError, next};
use crate::client::tally::Tally;
use sse_reqwest_client::{RequestBuilderExt, SseEvent};

pub(super) async fn read(url: &str, tally: &mut Tally) -> Result<(), BoxError> {
    let mut source = reqwest::Client::new().get(url).into_event_source();
    while let Some(event) = next(&mut source).await {
        match event? {
            SseEvent::Message(message) if tally.event(&message.data).is_break() => break,
            SseEvent::Open | SseEvent::Message(_) => {}
            SseEvent::Error(error) => return Err(error.into()),
            SseEvent::Discarded(error) => return Err(error.into()),
        }
    }
    Ok(())
}
