//! TLS for the connections of a listener: certificates, the handshake, and the sealing of streams.
//!
//! rustls makes the handshake and serves the connection, until its subscriber is given to a shard. Then the shard seals
//! the records of the stream by itself (`seal`), with the secrets that rustls gives up. docs/design/tls.md explains why.
mod certificate;
mod certificates;
mod config;
mod handshake;
#[cfg(test)]
pub(crate) mod handshaken;
mod provider;
pub(crate) mod seal;

pub use certificate::{Certificate, CertificateError, MAX_CHAIN_CERTIFICATES};
pub use certificates::Certificates;
pub use config::Tls;
pub(crate) use handshake::Refused;
pub use handshake::{HANDSHAKE_TIMEOUT, MAX_HELLO_BYTES};
