//! A certificate with its private key, as it is read from files.
use super::provider::provider;
use jiff::Timestamp;
use rustls::{
    Error as TlsError,
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    sign::CertifiedKey,
};
use std::{
    fmt::{self, Debug, Display, Formatter},
    net::IpAddr,
    sync::Arc,
};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _};

/// The greatest number of certificates in a chain.
pub const MAX_CHAIN_CERTIFICATES: usize = 16;

/// A chain of certificates, whose first is that of the server, with the private key of the server.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    names: Vec<String>,
    begins: Timestamp,
    ends: Timestamp,
}

/// The reason why files are not a certificate with its key.
#[derive(Debug)]
#[non_exhaustive]
pub enum CertificateError {
    /// The chain is not PEM.
    ChainPem(pem::Error),
    /// The chain has no certificate, or more than [`MAX_CHAIN_CERTIFICATES`].
    ChainLength(usize),
    /// The certificate of the server cannot be read.
    Malformed,
    /// The private key is missing, or is not PEM.
    KeyPem(pem::Error),
    /// The private key is of a kind that cannot be used, or it belongs to another certificate.
    Key(TlsError),
}

impl Certificate {
    /// Reads a certificate and its private key, both in PEM. The chain begins with the certificate of the server, and
    /// each further one has signed the one before it. The key is in PKCS #8, PKCS #1 or SEC 1, and not encrypted.
    ///
    /// A certificate whose time is over, or has not begun, is no error: see [`ends`](Self::ends).
    ///
    /// # Errors
    /// [`CertificateError`] if something cannot be read, or if the key does not belong to the certificate.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(CertificateError::ChainPem)?;
        if chain.is_empty() || chain.len() > MAX_CHAIN_CERTIFICATES {
            return Err(CertificateError::ChainLength(chain.len()));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(CertificateError::KeyPem)?;
        Self::from_der(chain, key, &provider())
    }

    fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        let first = chain.first().ok_or(CertificateError::ChainLength(0))?;
        let (_, parsed) = X509Certificate::from_der(first).map_err(|_| CertificateError::Malformed)?;
        let time = |time: x509_parser::time::ASN1Time| {
            Timestamp::from_second(time.timestamp()).map_err(|_| CertificateError::Malformed)
        };
        let (begins, ends) = (time(parsed.validity().not_before)?, time(parsed.validity().not_after)?);
        let names = names(&parsed);
        let key = CertifiedKey::from_der(chain, key, provider).map_err(CertificateError::Key)?;
        Ok(Self { key: Arc::new(key), names, begins, ends })
    }

    /// The names and IP addresses for which the certificate is made, such as `example.com` or `*.example.com`.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The time from which on the certificate is valid.
    #[must_use]
    pub fn begins(&self) -> Timestamp {
        self.begins
    }

    /// The last time at which the certificate is valid.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// True if the certificate is made for this host, which is in lowercase.
    pub(super) fn is_for(&self, host: &str) -> bool {
        self.names.iter().any(|name| match name.strip_prefix('*') {
            // A wildcard is one label.
            Some(parent) => host.find('.').is_some_and(|dot| dot > 0 && host[dot..] == *parent),
            None => name == host,
        })
    }

    pub(super) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }
}

/// Returns the names in lowercase. A certificate without alternative names is for none: clients have not looked at its
/// common name for years ([RFC 9525](https://www.rfc-editor.org/rfc/rfc9525)).
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternatives)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok().map(|address| address.to_string())
        }
        _ => None,
    };
    alternatives.value.general_names.iter().filter_map(name).collect()
}

impl Debug for Certificate {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Certificate");
        shown.field("names", &self.names).field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl Display for CertificateError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChainPem(error) => write!(f, "the certificates cannot be read as PEM: {error}"),
            Self::ChainLength(0) => f.write_str("there is no certificate (a block that begins with BEGIN CERTIFICATE)"),
            Self::ChainLength(count) => {
                write!(f, "there are {count} certificates, and at most {MAX_CHAIN_CERTIFICATES} are allowed")
            }
            Self::Malformed => f.write_str("the first certificate is malformed"),
            Self::KeyPem(pem::Error::NoItemsFound) => {
                f.write_str("there is no private key (a block that begins with BEGIN PRIVATE KEY) without a password")
            }
            Self::KeyPem(error) => write!(f, "the private key cannot be read as PEM: {error}"),
            Self::Key(TlsError::InconsistentKeys(_)) => f.write_str("the private key belongs to another certificate"),
            Self::Key(error) => write!(f, "the private key cannot be used: {error}"),
        }
    }
}

impl std::error::Error for CertificateError {}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};

    /// Returns a chain of `count` certificates for these names, and the key of the first, in PEM.
    fn made(names: &[&str], count: usize) -> (String, String) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        (certificate.pem().repeat(count), key.serialize_pem())
    }

    #[test]
    fn a_certificate_is_for_its_names() {
        let (chain, key) = made(&["Hub.Example.com", "*.example.org", "192.0.2.1", "2001:db8::1"], 1);
        let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(certificate.names(), ["hub.example.com", "*.example.org", "192.0.2.1", "2001:db8::1"]);
        for name in ["hub.example.com", "a.example.org", "192.0.2.1"] {
            assert!(certificate.is_for(name), "{name}");
        }
        for name in ["example.com", "a.hub.example.com", "example.org", "a.b.example.org", ".example.org", "", "org"] {
            assert!(!certificate.is_for(name), "{name}");
        }
        assert!(certificate.begins() < Timestamp::now() && Timestamp::now() < certificate.ends());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let ((chain, key), (_, other)) = (made(&["a"], 1), made(&["a"], 1));
        let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap().serialize_pem();
        let (longest, too_long) = (chain.repeat(MAX_CHAIN_CERTIFICATES), chain.repeat(MAX_CHAIN_CERTIFICATES + 1));
        let broken = chain.replacen("MII", "MIII", 1);
        let cases = [
            (&*chain, &*key, None),
            (&longest, &key, None),
            (&too_long, &key, Some("there are 17 certificates, and at most 16 are allowed")),
            ("", &key, Some("there is no certificate")),
            (&key, &key, Some("there is no certificate")),
            (&chain, "", Some("there is no private key")),
            (&chain, &chain, Some("there is no private key")),
            (&chain, &other, Some("belongs to another certificate")),
            (&chain, &ed25519, Some("belongs to another certificate")),
            (&broken, &key, Some("")),
        ];
        for (chain, key, error) in cases {
            let read = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).map_err(|error| error.to_string());
            match error {
                None => assert!(read.is_ok(), "{read:?}"),
                Some(error) => assert!(read.as_ref().is_err_and(|told| told.contains(error)), "{read:?}: {error}"),
            }
        }
    }
}
