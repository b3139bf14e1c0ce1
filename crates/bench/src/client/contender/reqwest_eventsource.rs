//! <https://docs.rs/reqwest-eventsource>: `EventSource::get`, as in its example.
use super::next::{BoxError, next};
use crate::client::tally::Tally;
use reqwest_eventsource::{Event, EventSource, retry::Never};

pub(super) async fn read(url: &str, tally: &mut Tally) -> Result<(), BoxError> {
    let mut source = EventSource::get(url);
    source.set_retry_policy(Box::new(Never));
    while let Some(event) = next(&mut source).await {
        if let Event::Message(message) = event?
            && tally.event(&message.data).is_break()
        {
            break;
        }
    }
    Ok(())
}
