//! The certificates of a listener, which can be replaced while connections are open.
use super::certificate::Certificate;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::sync::{Arc, PoisonError, RwLock};

/// The certificates with which a server proves to clients who it is. All clones share the same certificates.
#[derive(Clone, Debug)]
pub struct Certificates(Arc<RwLock<Vec<Certificate>>>);

impl Certificates {
    /// Creates a set of certificates. A client gets the first one that is made for the name that it asks for, or else
    /// the first of all.
    #[must_use]
    pub fn new(certificates: Vec<Certificate>) -> Self {
        Self(Arc::new(RwLock::new(certificates)))
    }

    /// Replaces all certificates for the connections that begin from now on. Connections that are open notice nothing.
    pub fn replace(&self, certificates: Vec<Certificate>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certificates;
    }

    /// Returns the certificates.
    #[must_use]
    pub fn all(&self) -> Vec<Certificate> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True if a certificate is made for this name.
    pub(super) fn has(&self, name: &str) -> bool {
        let certificates = self.0.read().unwrap_or_else(PoisonError::into_inner);
        certificates.iter().any(|certificate| certificate.is_for(name))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        let certificates = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let fitting = name.and_then(|name| certificates.iter().find(|certificate| certificate.is_for(&name)));
        fitting.or_else(|| certificates.first()).map(|certificate| certificate.key().clone())
    }
}
