//! The end of a connection that hyper has finished with.
use super::{linger::linger, looks::Looks, socket::Socket, watch::Watch};
use std::{future::poll_fn, io, pin::Pin};
use tokio::{io::AsyncWrite as _, net::TcpStream};

/// Ends the sending side of a connection that hyper has finished with. With TLS, a peer that takes nothing has no room
/// for the record that says so: it is given up, and a server that stops does not wait for it for long.
pub(super) async fn end(
    socket: &mut Socket,
    error: Option<hyper::Error>,
    refused: bool,
    looks: &mut Looks,
    watch: &mut Watch,
) {
    if let Some(error) = &error {
        tracing::debug!("a connection ended: {error}");
    }
    // If hyper reports an error, it has received bytes that it could not read as a request, and the peer may still be
    // sending.
    if refused || error.is_some() {
        return linger(&mut *socket).await;
    }
    tokio::select! {
        ended = shut_down(socket, looks) => if let Err(error) = ended {
            tracing::debug!("a connection could not be shut down: {error}");
        },
        () = watch.cut() => {}
    }
}

/// Shuts down the sending side of a connection.
///
/// # Errors
/// If the connection has failed, or if the peer is given up.
async fn shut_down(socket: &mut Socket, looks: &mut Looks) -> io::Result<()> {
    poll_fn(|cx| {
        looks.wrote();
        let ended = Pin::new(&mut *socket).poll_shutdown(cx);
        if ended.is_pending() {
            looks.poll(socket.tcp(), cx)?;
        }
        ended
    })
    .await
}

/// Keeps the socket until the system has sent the rest of the last answer, so that a peer that takes it slowly gets all
/// of it, and a peer that takes nothing is given up. A server that stops does not wait for this for long.
pub(super) async fn until_sent(socket: Socket, mut looks: Looks, mut watch: Watch) {
    tokio::select! {
        () = looks.until_sent(socket.tcp()) => {}
        () = watch.cut() => {}
    }
    if looks.is_overdue() {
        reset(socket.tcp());
    }
}

/// Lets the system reset the connection when the socket is closed, because the peer takes no data. Otherwise the system
/// would keep the unsent bytes, and try for minutes to send them.
pub(super) fn reset(socket: &TcpStream) {
    tracing::debug!("a connection was closed, because its peer takes no data");
    // This fails only if the connection has ended already.
    _ = socket.set_zero_linger();
}
