//! The trusted certificate authorities, and the TLS configuration that is made from them when the first connection
//! needs it.
//!
//! Reading the system's certificates takes a while, and plain HTTP must also work where none are installed, as in many
//! containers. So nothing is read before the first `https` URL.

use std::{fmt, sync::Arc};

pub use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::pem::PemObject as _};
use tokio::sync::OnceCell;

mod blind;

/// The authorities whose certificates are trusted.
///
/// The default is `Native`, or, without the feature `native-roots`, `Webpki`. Without both features no authority is
/// trusted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Roots {
    /// The authorities of the system, or those that the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    /// They are read once, by the first connection over TLS.
    #[cfg(feature = "native-roots")]
    Native,
    /// Mozilla's authorities, as of the release of the crate `webpki-roots`.
    #[cfg(feature = "webpki-roots")]
    Webpki,
    /// Only these authorities are trusted.
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

/// Authorities that the program chooses, instead of others ([`Roots::Custom`]) or in addition to them
/// ([`add_roots`](super::HyperTransportBuilder::add_roots)).
#[derive(Clone, Debug)]
pub struct CustomRoots(RootCertStore);

impl CustomRoots {
    /// Makes the roots from certificates in DER. To read a PEM file, use [`from_pem`](Self::from_pem), or
    /// `CertificateDer::pem_file_iter`.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if a certificate cannot be read, or if there is none.
    pub fn from_der(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for (index, certificate) in certificates.into_iter().enumerate() {
            store.add(certificate).map_err(|error| TlsError::Certificate { index, reason: error.to_string() })?;
        }
        if store.is_empty() { Err(TlsError::NoRoots { reasons: Vec::new() }) } else { Ok(Self(store)) }
    }

    /// Makes the roots from the content of a PEM file, which may contain several certificates, each one between the
    /// lines `BEGIN CERTIFICATE` and `END CERTIFICATE`.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if a certificate cannot be read, or if there is none.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        let mut certificates = Vec::new();
        for (index, read) in CertificateDer::pem_slice_iter(pem.as_ref()).enumerate() {
            let unreadable = |error| TlsError::Certificate { index, reason: format!("{error}") };
            certificates.push(read.map_err(unreadable)?);
        }
        Self::from_der(certificates)
    }
}

/// The reason why TLS cannot be used at all. A single server that is not trusted is an error of its connection instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no trusted authority: the system has no certificates, or this build includes none.
    NoRoots {
        /// The errors from reading the certificates, if there were any.
        reasons: Vec<String>,
    },
    /// A certificate given as a root cannot be read.
    Certificate {
        /// The index of the certificate in the list that was given, from 0.
        index: usize,
        /// The reason why the certificate cannot be used.
        reason: String,
    },
    /// The TLS library refused its configuration, or the task that reads the system's certificates failed. Neither is
    /// expected. The value is the text of the error.
    Setup(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoots { reasons } => {
                f.write_str("https needs the certificates of trusted authorities, but there are none")?;
                reasons.iter().try_for_each(|reason| write!(f, "; {reason}"))
            }
            Self::Certificate { index, reason } => {
                write!(f, "certificate {index} cannot be used as a root certificate: {reason}")
            }
            Self::Setup(reason) => write!(f, "TLS cannot be set up: {reason}"),
        }
    }
}

impl std::error::Error for TlsError {}

/// The authorities that a transport trusts.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    pub(super) roots: Roots,
    /// Authorities that are trusted in addition to `roots`.
    pub(super) more: Vec<CustomRoots>,
    /// True if every certificate of an origin is accepted.
    pub(super) anybody: bool,
}

/// The TLS configuration of all connections of a transport, made by the first connection that needs it.
#[derive(Debug)]
pub(super) struct Tls {
    trust: Trust,
    /// The protocols that are offered by ALPN, the preferred one first.
    protocols: Vec<Vec<u8>>,
    origins: OnceCell<Arc<ClientConfig>>,
    proxies: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(trust: Trust, protocols: &[&[u8]]) -> Self {
        let protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Self { trust, protocols, origins: OnceCell::new(), proxies: OnceCell::new() }
    }

    /// Returns the configuration for origins. After a failure the next connection tries again, because certificates may
    /// have been installed since.
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

    /// Returns the configuration for proxies, which use HTTP/1.1 and whose certificates are always verified.
    pub(super) async fn for_proxies(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let made = self.proxies.get_or_try_init(|| async {
            let mut config = configure(read(self.trust.clone()).await?)?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(Arc::new(config))
        });
        made.await.cloned()
    }
}

/// Makes a configuration. It names its crypto provider, because the process-wide default is the application's choice
/// and may not be set yet.
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

/// Reads the certificates of the system. A certificate that cannot be read is left out: only the connections that need
/// it are refused.
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
