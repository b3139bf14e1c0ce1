//! The TLS settings of a listener.
use super::{certificates::Certificates, provider::provider};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use std::{io, sync::Arc};

/// The names of the protocols that a listener with TLS speaks, the preferred one first ([RFC
/// 7301](https://www.rfc-editor.org/rfc/rfc7301)).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The TLS settings of a listener. All clones share the same certificates and the same keys for tickets.
#[derive(Clone, Debug)]
pub struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) certificates: Certificates,
    /// True if a client that asks for a name without a certificate is refused.
    pub(super) only_known_names: bool,
}

impl Tls {
    /// Creates settings for these certificates: TLS 1.2 and 1.3, with tickets that hold the whole state of a session, so
    /// that the server stores nothing for clients that may come back.
    ///
    /// # Errors
    /// [`io::Error`] if the system gives no random numbers.
    pub fn new(certificates: Certificates) -> io::Result<Self> {
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(io::Error::other)?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(certificates.clone()));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(io::Error::other)?;
        // A shard seals the records of its streams by itself.
        config.enable_secret_extraction = true;
        Ok(Self { config: Arc::new(config), certificates, only_known_names: false })
    }

    /// Refuses clients that ask for a name for which there is no certificate, with the alert `unrecognized_name`.
    /// Otherwise they get the first certificate. Clients that ask for no name always get it.
    #[must_use]
    pub fn only_known_names(self) -> Self {
        Self { only_known_names: true, ..self }
    }

    /// The certificates, which can be replaced.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }
}
