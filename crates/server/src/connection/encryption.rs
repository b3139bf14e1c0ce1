//! The beginning of a connection with TLS.
use super::{
    linger::{LINGER_TIMEOUT, linger},
    socket::Socket,
    watch::Stop,
};
use crate::{
    every_answer,
    tls::{Refused, Tls},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::watch::Receiver, time::timeout};

/// The text for a client that speaks HTTP without TLS on a port with TLS.
const USE_HTTPS: &str = "This port speaks HTTPS only: write https:// in place of http://\n";

/// Makes the handshake. `None` if there is none: the client has been told why, if it can be told, or the server stops.
pub(super) async fn begin(tls: &Tls, socket: TcpStream, mut stop: Receiver<Stop>) -> Option<Socket> {
    let shaken = tokio::select! {
        shaken = tls.handshake(socket) => shaken,
        _ = stop.wait_for(|stop| *stop != Stop::Not) => return None,
    };
    match shaken {
        Ok(stream) => return Some(Socket::Tls(Box::new(stream))),
        Err(Refused::PlainHttp(socket)) => use_https(socket).await,
        // Many clients give up a handshake, for example because they do not trust the certificate.
        Err(Refused::Failed(error)) => tracing::debug!("a TLS handshake failed: {error}"),
    }
    None
}

/// Answers a request without TLS, whatever it asks for.
async fn use_https(mut socket: TcpStream) {
    let mut answer = b"HTTP/1.1 400 Bad Request\r\n".to_vec();
    answer.extend(every_answer::fields());
    let length = USE_HTTPS.len();
    answer.extend_from_slice(
        format!("content-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{USE_HTTPS}")
            .as_bytes(),
    );
    if let Ok(Ok(())) = timeout(LINGER_TIMEOUT, socket.write_all(&answer)).await {
        linger(socket).await;
    }
}
