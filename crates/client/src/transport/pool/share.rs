//! Makes one HTTP/2 connection for several requests that wait for it.
use super::{
    Pool,
    origin::Origin,
    shared::{NOT_SAID, Shared},
    taken::{Sender, Taken, Wanted, lock},
};
use crate::transport::{connector::is_https, error::HyperError, wire::Connect};
use http::Uri;
use std::sync::{Arc, atomic::Ordering::Relaxed};

impl Pool {
    /// Returns true if a new connection may be an HTTP/2 connection, which several requests can share.
    pub(super) fn may_share(&self, origin: &Origin, url: &Uri) -> bool {
        self.connector.http2_only || is_https(url) && !origin.speaks_http1.load(Relaxed)
    }

    /// Takes a kept connection that is free, or makes a new one. If several requests call this at the same time, one of
    /// them makes a connection, and the other requests share it.
    pub(super) async fn share(&self, origin: &Arc<Origin>, url: &Uri, wanted: Wanted) -> Result<Taken, HyperError> {
        let gate = origin.gate.lock().await;
        loop {
            if let Some(taken) = origin.take() {
                return Ok(taken);
            }
            // A new connection is known to allow a second stream only after the first frame of the server, which says
            // how many streams it allows. So this waits for the frame instead of making another connection.
            let Some(mut streams) = origin.unknown() else { break };
            let _ = streams.changed().await;
        }
        let connected = self.connect(origin, url, wanted).await;
        drop(gate);
        connected
    }

    pub(super) async fn connect_http2(
        &self,
        origin: &Arc<Origin>,
        mut connection: Connect,
        is_shared: bool,
    ) -> Result<Taken, HyperError> {
        connection.expect_settings();
        let (wire, is_forwarded) = (Arc::clone(&connection.wire), connection.is_forwarded);
        let mut protocol = self.protocols.http2.clone();
        protocol.initial_max_send_streams(NOT_SAID);
        let (sender, connection) = protocol.handshake(connection).await.map_err(HyperError::broken)?;
        let (shared, slot) = Shared::new(sender.clone(), connection, Arc::clone(&wire));
        if is_shared {
            lock(&origin.kept).shared.push(shared);
            origin.watch();
        }
        Ok(Taken { sender: Sender::Http2(sender, slot), wire, is_kept: false, is_forwarded })
    }
}
