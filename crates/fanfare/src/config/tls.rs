//! The certificates of the hub, from the files that the options `tls-cert` and `tls-key` name.
use super::{ConfigError, options::ServeSettings};
use fanfare_server::tls::{Certificate, CertificateError};
use jiff::{SignedDuration, Timestamp};
use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// The size of the largest file with certificates or a key that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 10;
/// The time before the end of a certificate from which on its end is told as a warning.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A certificate, and the file that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct FromFile {
    pub(crate) certificate: Certificate,
    path: PathBuf,
}

/// The reason why the files for TLS cannot be used.
#[derive(Debug)]
pub(crate) enum TlsError {
    /// A file cannot be read.
    Read { path: PathBuf, error: io::Error },
    /// Files are not a certificate with its key.
    Certificate { chain: PathBuf, key: PathBuf, error: CertificateError },
    /// The time of a certificate is over.
    Ended { path: PathBuf, at: Timestamp },
    /// There are keys, but not one for each certificate.
    Count { certificates: usize, keys: usize },
}

impl ServeSettings {
    /// True if the hub serves HTTPS.
    pub(crate) fn has_tls(&self) -> bool {
        self.tls_cert.as_ref().is_some_and(|paths| !paths.is_empty())
    }

    /// The scheme of URLs that begin with the address to listen on.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.has_tls() { "https" } else { "http" }
    }

    /// Reads the certificates and their keys from their files.
    ///
    /// # Errors
    /// [`ConfigError::Tls`] if a file cannot be used, or if the time of a certificate is over.
    pub(crate) fn certificates(&self) -> Result<Vec<FromFile>, ConfigError> {
        let (certificates, keys) = (self.tls_certificate_files(), self.tls_key_files());
        if !keys.is_empty() && keys.len() != certificates.len() {
            let (certificates, keys) = (certificates.len(), keys.len());
            return Err(ConfigError::Tls(TlsError::Count { certificates, keys }));
        }
        let key_of = |number: usize| keys.get(number).unwrap_or(&certificates[number]);
        let all = certificates.iter().enumerate().map(|(number, chain)| read(chain, key_of(number)));
        all.collect::<Result<_, _>>().map_err(ConfigError::Tls)
    }

    fn tls_certificate_files(&self) -> &[PathBuf] {
        self.tls_cert.as_deref().unwrap_or_default()
    }

    fn tls_key_files(&self) -> &[PathBuf] {
        self.tls_key.as_deref().unwrap_or_default()
    }
}

fn read(chain: &Path, key: &Path) -> Result<FromFile, TlsError> {
    let bytes = |path: &Path| read_bounded(path).map_err(|error| TlsError::Read { path: path.to_owned(), error });
    let certificate = Certificate::from_pem(&bytes(chain)?, &bytes(key)?).map_err(|error| TlsError::Certificate {
        chain: chain.to_owned(),
        key: key.to_owned(),
        error,
    })?;
    match certificate.ends() {
        at if at < Timestamp::now() => Err(TlsError::Ended { path: chain.to_owned(), at }),
        _ => Ok(FromFile { certificate, path: chain.to_owned() }),
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

impl FromFile {
    /// Returns a warning if the certificate ends soon, has not begun, or is for no name.
    pub(crate) fn warning(&self) -> Option<String> {
        let (certificate, now) = (&self.certificate, Timestamp::now());
        let path = self.path.display();
        if certificate.begins() > now {
            return Some(format!("the certificate {path} is valid only from {:.0} on", certificate.begins()));
        }
        if certificate.names().is_empty() {
            return Some(format!("the certificate {path} has no name: clients will not accept it"));
        }
        let left = certificate.ends().duration_since(now);
        (left < ENDS_SOON).then(|| format!("the certificate {path} ends in {}", days(left)))
    }
}

/// Says for which names a certificate is, and how long.
impl fmt::Display for FromFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate, path } = self;
        let names = match certificate.names() {
            [] => "no name".to_owned(),
            names => names.join(", "),
        };
        let left = days(certificate.ends().duration_since(Timestamp::now()));
        write!(f, "{}: for {names}, until {:.0} ({left} left)", path.display(), certificate.ends())
    }
}

fn days(left: SignedDuration) -> String {
    match left.as_hours() / 24 {
        0 => format!("{} hours", left.as_hours()),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, error } => write!(f, "cannot read {}: {error}", path.display()),
            Self::Certificate { chain, key, error } if chain == key => {
                write!(f, "{} cannot be used for TLS: {error}", chain.display())
            }
            Self::Certificate { chain, key, error } => {
                let (chain, key) = (chain.display(), key.display());
                write!(f, "the certificate {chain} cannot be used with the key {key}: {error}")
            }
            Self::Ended { path, at } => write!(f, "the certificate {} has ended: {at:.0}", path.display()),
            Self::Count { certificates, keys } => write!(
                f,
                "there are {certificates} files with tls-cert and {keys} with tls-key: give one key for each certificate, \
                 in the same order, or none if each key is in the file of its certificate"
            ),
        }
    }
}

/// Returns the files that `values` names for TLS: those with certificates, and those with keys. If no file is given for
/// keys, the keys are with the certificates.
pub(super) fn files(values: &toml::Table) -> [Vec<PathBuf>; 2] {
    let paths = |key: &str| -> Vec<PathBuf> {
        let values = values.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        values.filter_map(toml::Value::as_str).map(PathBuf::from).collect()
    };
    let (certificates, keys) = (paths("tls-cert"), paths("tls-key"));
    if keys.is_empty() { [certificates.clone(), certificates] } else { [certificates, keys] }
}
