//! Our parser on what hyper receives, without reconnecting, redirects or anything else that makes a client. Events are
//! borrowed from what was received.
use super::{super::tally::Tally, BoxError};
use fanfare_event_stream::{Chunk, Parser};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Uri, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(super) async fn read(url: &str, tally: &mut Tally) -> Result<(), BoxError> {
    let uri: Uri = url.parse()?;
    let authority = uri.authority().ok_or("a URL without a host")?.as_str();
    let socket = TcpStream::connect(authority).await?;
    socket.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(uri.path())
        .header(header::HOST, authority)
        .header(header::ACCEPT, "text/event-stream")
        .body(Empty::<Bytes>::new())?;
    let mut body = sender.send_request(request).await?.into_body();
    let mut parser = Parser::new();
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let Some(bytes) = frame.data_ref() else { continue };
        let mut chunk = Chunk::new(bytes);
        while let Some(event) = parser.next_event(&mut chunk).map_err(|error| error.to_string())? {
            if tally.event(event.data).is_break() {
                connection.abort();
                return Ok(());
            }
        }
    }
    Ok(())
}
