//! Makes a connection, with the protocol that the server agreed to.
use super::{
    Pool,
    origin::Origin,
    taken::{Sender, Taken, Wanted},
};
use crate::transport::error::HyperError;
use http::Uri;
use std::sync::{Arc, atomic::Ordering::Relaxed};

impl Pool {
    /// Makes a new connection. If the connection uses HTTP/2 and `wanted` allows sharing, later requests can use the
    /// connection at the same time.
    pub(super) async fn connect(&self, origin: &Arc<Origin>, url: &Uri, wanted: Wanted) -> Result<Taken, HyperError> {
        let connection = self.connector.connect(url.clone(), wanted.timeout).await?;
        #[cfg(feature = "http2")]
        if self.connector.http2_only || connection.connected().is_negotiated_h2() {
            return self.connect_http2(origin, connection, wanted.shared).await;
        }
        origin.speaks_http1.store(true, Relaxed);
        let (wire, is_forwarded) = (Arc::clone(&connection.wire), connection.is_forwarded);
        let (sender, driver) = self.protocols.http1.handshake(connection).await.map_err(HyperError::broken)?;
        tokio::spawn(driver);
        Ok(Taken { sender: Sender::Http1(sender), wire, is_kept: false, is_forwarded })
    }
}
