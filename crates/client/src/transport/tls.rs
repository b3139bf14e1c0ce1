//! The authorities to trust, and the TLS configuration made of it when the first connection needs one.
//!
//! Reading the system's certificates takes a while, and where none are installed, as in many containers, plain HTTP
//! works all the same. So nothing is read before the first `https` URL.

use std::{fmt, sync::Arc};

pub use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::pem::PemObject as _};
use tokio::sync::OnceCell;

mod blind;

/// The authorities whose certificates are trusted.
///
/// The default is `Native`, or without the feature `native-roots`, `Webpki`. Without either nobody is trusted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Roots {
    /// The authorities of the system; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others. Read once, by the first
    /// connection over TLS.
    #[cfg(feature = "native-roots")]
    Native,
    /// Mozilla's, as of the release of the crate `webpki-roots`.
    #[cfg(feature = "webpki-roots")]
    Webpki,
    /// These and no others.
    Custom(CustomRoots),
}

impl Default for Roots {
    fn default() -> Self {
        #[cfg(feature = "native-roots")]
        return Self::Native;
        #[cfg(all(feature = "webpki-roots", not(feature = "native-roots")))]
        return Self::Webpki;
        #[cfg(not(any(feature = "webpki-roots", feature = "native-roots")))]
        Self::Custom(CustomRoots(RootCertStore::empty()))
    }
}

/// Authorities that the program chooses: in place of others by [`Roots::Custom`], or beside them by
/// [`add_roots`](super::HyperTransportBuilder::add_roots).
#[derive(Clone, Debug)]
pub struct CustomRoots(RootCertStore);

impl CustomRoots {
    /// Takes certificates in DER. A PEM file is read with `CertificateDer::pem_file_iter`.
    ///
    /// # Errors
    ///
    /// A certificate that cannot be read, or none at all.
    pub fn from_der(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for (index, certificate) in certificates.into_iter().enumerate() {
            store.add(certificate).map_err(|error| TlsError::Certificate { index, reason: error.to_string() })?;
        }
        if store.is_empty() { Err(TlsError::NoRoots { reasons: Vec::new() }) } else { Ok(Self(store)) }
    }

    /// Takes the certificates of a PEM file: the text between each `BEGIN CERTIFICATE` and `END CERTIFICATE`.
    ///
    /// # Errors
    ///
    /// A certificate that cannot be read, or none at all.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        let mut certificates = Vec::new();
        for (index, read) in CertificateDer::pem_slice_iter(pem.as_ref()).enumerate() {
            let unreadable = |error| TlsError::Certificate { index, reason: format!("{error}") };
            certificates.push(read.map_err(unreadable)?);
        }
        Self::from_der(certificates)
    }
}

/// The reason why TLS cannot be spoken at all. If only a peer is not trusted, that is an error of its connection
/// instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no authority to trust: the system has no certificates, or this build names none.
    NoRoots {
        /// The error of reading them, if there was one.
        reasons: Vec<String>,
    },
    /// A certificate given as a root cannot be read.
    Certificate {
        /// The index of the certificate among those given, from 0.
        index: usize,
        /// The fault of it.
        reason: String,
    },
    /// The cryptography does not fit. Not seen so far.
    Setup(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoots { reasons } => {
                f.write_str("https needs certificates of authorities to trust, and there are none")?;
                reasons.iter().try_for_each(|reason| write!(f, "; {reason}"))
            }
            Self::Certificate { index, reason } => write!(f, "certificate {index} cannot be a root: {reason}"),
            Self::Setup(reason) => write!(f, "TLS cannot be set up: {reason}"),
        }
    }
}

impl std::error::Error for TlsError {}

/// The authorities that a transport trusts.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    pub(super) roots: Roots,
    /// Trusted beside those.
    pub(super) more: Vec<CustomRoots>,
    /// Every origin is taken for who it says it is.
    pub(super) anybody: bool,
}

/// The configuration of all connections of a transport, made at the first that needs it.
#[derive(Debug)]
pub(super) struct Tls {
    trust: Trust,
    /// The protocols that are offered by ALPN, the preferred first.
    protocols: Vec<Vec<u8>>,
    origins: OnceCell<Arc<ClientConfig>>,
    proxies: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(trust: Trust, protocols: &[&[u8]]) -> Self {
        let protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Self { trust, protocols, origins: OnceCell::new(), proxies: OnceCell::new() }
    }

    /// The configuration for origins. What fails is tried again the next time: somebody may install certificates.
    pub(super) async fn for_origins(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let made = self.origins.get_or_try_init(|| async {
            let mut config = match self.trust.anybody {
                true => blind::configure()?,
                false => configure(read(self.trust.clone()).await?)?,
            };
            config.alpn_protocols.clone_from(&self.protocols);
            Ok(Arc::new(config))
        });
        made.await.cloned()
    }

    /// The configuration for proxies, which are spoken to in HTTP/1.1 and prove who they are in any case.
    pub(super) async fn for_proxies(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let made = self.proxies.get_or_try_init(|| async {
            let mut config = configure(read(self.trust.clone()).await?)?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(Arc::new(config))
        });
        made.await.cloned()
    }
}

/// The provider is named, since the process' default is the application's to choose, and may not have been chosen.
fn configure(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| TlsError::Setup(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

async fn read(trust: Trust) -> Result<RootCertStore, TlsError> {
    let (mut store, reasons): (RootCertStore, _) = match trust.roots {
        #[cfg(feature = "native-roots")]
        Roots::Native => native().await?,
        #[cfg(feature = "webpki-roots")]
        Roots::Webpki => (webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(), Vec::new()),
        Roots::Custom(CustomRoots(store)) => (store, Vec::new()),
    };
    for CustomRoots(more) in trust.more {
        store.roots.extend(more.roots);
    }
    if store.is_empty() { Err(TlsError::NoRoots { reasons }) } else { Ok(store) }
}

/// One unreadable certificate among hundreds is left out: whoever needs it is told by a refused connection.
#[cfg(feature = "native-roots")]
async fn native() -> Result<(RootCertStore, Vec<String>), TlsError> {
    let load = tokio::task::spawn_blocking(|| {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        (store, found.errors.iter().map(ToString::to_string).collect())
    });
    load.await.map_err(|error| TlsError::Setup(error.to_string()))
}
