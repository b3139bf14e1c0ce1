//! Our parser on the bytes that hyper receives, without reconnecting, redirects or anything else that a client does.
//! Events are borrowed from the received bytes.
use super::{connection::Connections, next::BoxError};
use crate::client::tally::Tally;
use fanfare_event_stream::{Chunk, Parser};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, header};
use tower_service::Service;

pub(super) async fn read(url: &str, tally: &mut Tally) -> Result<(), BoxError> {
    let request = Request::get(url).header(header::ACCEPT, "text/event-stream").body(Full::<Bytes>::default())?;
    let mut body = Connections.call(request).await?.into_body();
    let mut parser = Parser::new();
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let Some(bytes) = frame.data_ref() else { continue };
        let mut chunk = Chunk::new(bytes);
        while let Some(event) = parser.next_event(&mut chunk).map_err(|error| error.to_string())? {
            if tally.event(event.data).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
