//! <https://docs.rs/eventsource-client>: a client from `ClientBuilder` on the transport that is delivered with it, as
//! in its example, but without the example's timeouts, which would only add cost.
use super::next::{BoxError, next};
use crate::client::tally::Tally;
use eventsource_client::{Client, ClientBuilder, ReconnectOptions, SSE};
use launchdarkly_sdk_transport::HyperTransport;

pub(super) async fn read(url: &str, tally: &mut Tally) -> Result<(), BoxError> {
    let client = ClientBuilder::for_url(url)
        .map_err(|error| error.to_string())?
        .reconnect(ReconnectOptions::reconnect(false).build())
        .build_with_transport(HyperTransport::new()?);
    let mut stream = client.stream();
    while let Some(event) = next(&mut stream).await {
        if let SSE::Event(event) = event.map_err(|error| error.to_string())?
            && tally.event(&event.data).is_break()
        {
            break;
        }
    }
    Ok(())
}
