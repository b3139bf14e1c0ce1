//! The library that encrypts and signs for TLS.
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use std::sync::Arc;

/// Returns the library that the whole program uses for TLS.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
