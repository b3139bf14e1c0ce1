//! The errors of a configuration. Their messages say what is wrong and, where it helps, what to do about it.
use super::{bound::Bound, file::FileError, key_path::shown_key_path, layer::Source, tls::TlsError};
use fanfare_server::auth::InvalidKey;
use std::{fmt, io, net::SocketAddr, path::PathBuf};

/// The reason why `fanfare serve` does not start with the options that it was given.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// The configuration file cannot be read.
    ReadFile { path: PathBuf, error: io::Error },
    /// The configuration file has an unknown key, or a value that its key does not accept.
    File { path: PathBuf, error: FileError },
    /// A path or address contains bytes that are not UTF-8.
    NotUnicode(toml::ser::Error),
    /// The file that contains a secret cannot be read.
    SecretFile { key: String, path: PathBuf, error: io::Error },
    /// One layer gives a secret both directly and in a file.
    SecretTwice { key: String, place: Source },
    /// A quantity is out of bounds.
    OutOfBounds { key: String, bound: Bound, text: String, place: Source },
    /// A key in the configuration cannot be used, for example because it is too short.
    Key { name: String, place: Option<Source>, error: InvalidKey },
    /// Two issuers have the same name.
    IssuerTwice { name: String },
    /// An environment variable for a Mercure hub asks for something that this hub cannot do.
    Mercure { place: String, reason: String },
    /// The hub has no key, and an environment variable that should contain a key is empty.
    EmptyKey { name: String },
    /// The hub has no key, but other machines can reach the address to listen on.
    NoKeys { listen: SocketAddr },
    /// A key is a sample from public documentation, but other machines can reach the address to listen on.
    SampleKey { name: String, place: Source, listen: SocketAddr },
    /// There is a key for subscribers, but no key for publishers.
    NobodyPublishes,
    /// There is a key for publishers, but no key for subscribers, and anonymous subscribers are not allowed.
    NobodySubscribes,
    /// There is an issuer, but no key to verify its tokens.
    IssuerWithoutKey,
    /// The files for TLS cannot be used.
    Tls(TlsError),
    /// Two relays have the same URL and topics.
    RelayTwice { url: String },
    /// The path for static files is not a directory.
    StaticDirectory { path: PathBuf },
    /// A private file is inside the directory of static files.
    Exposed { what: &'static str, path: PathBuf, directory: PathBuf },
    /// The directory of static files is inside the directory of the log.
    StaticInData { directory: PathBuf, data: PathBuf },
    /// There is a fallback file, but no directory of static files.
    FallbackWithoutStatic,
    /// The fallback is not a file that can be served.
    Fallback { name: String, directory: PathBuf, error: io::Error },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadFile { path, error } => write!(f, "cannot read the configuration {}: {error}", path.display()),
            Self::File { path, error } => write!(f, "in the configuration {}: {error}", path.display()),
            Self::NotUnicode(error) => write!(f, "the value of an option is not valid UTF-8: {error}"),
            Self::SecretFile { key, path, error } => {
                write!(f, "cannot read --{key} {}: {error}", shown_key_path(path))
            }
            Self::SecretTwice { key, place } => {
                write!(f, "both {key} and {key}-file are given ({place}): give only one of them")
            }
            Self::OutOfBounds { key, bound, text, place } => {
                write!(f, "{key} = {text} ({place}) is out of bounds: {bound}")
            }
            Self::Key { name, place: Some(place), error } => write!(f, "{name} ({place}) cannot be used: {error}"),
            Self::Key { name, place: None, error } => write!(f, "{name} cannot be used: {error}"),
            Self::IssuerTwice { name } => write!(f, "the issuer {name} is given twice: give all its keys in one place"),
            Self::Mercure { place, reason } => write!(f, "{place}: {reason}"),
            Self::EmptyKey { name } => write!(
                f,
                "the variable {name} is empty, and there is no other key: everybody who can reach the hub could \
                 publish and read everything\n\n\
                 Give it a value, or remove it if every program on this machine may use the hub without a token"
            ),
            Self::NoKeys { listen } => write!(
                f,
                "refusing to listen on {listen} without a key: everybody who can reach that address could publish and \
                 read everything\n\n\
                 Give the hub a secret, with which you make tokens for publishers and subscribers:\n    \
                 export FANFARE_KEY=\"$(openssl rand -hex 32)\"\n    fanfare serve --listen {listen}\n\
                 or allow connections from this machine only:\n    fanfare serve --listen 127.0.0.1:{}",
                listen.port()
            ),
            Self::SampleKey { name, place, listen } => write!(
                f,
                "refusing to listen on {listen} with a key from public documentation: {name} ({place}). Everybody knows this \
                 key. Anybody who can reach that address could make tokens with it, and publish and read everything\n\n\
                 Make a new secret, and give it to the hub and to your application instead of the old one:\n    \
                 openssl rand -hex 32\n\
                 or allow connections from this machine only:\n    fanfare serve --listen 127.0.0.1:{}",
                listen.port()
            ),
            Self::NobodyPublishes => f.write_str(
                "with only a subscriber-key nobody could publish: also give a publisher-key, or one key for both",
            ),
            Self::NobodySubscribes => f.write_str(
                "with only a publisher-key nobody could subscribe: also give a subscriber-key, or one key for both, or \
                 let everybody receive public updates with --anonymous",
            ),
            Self::IssuerWithoutKey => f.write_str(
                "an issuer needs keys: give the URL of its JWK set, as in --issuer NAME=URL, or give the hub a key",
            ),
            Self::Tls(error) => error.fmt(f),
            Self::RelayTwice { url } => write!(f, "{url} is relayed twice to the same topics"),
            Self::StaticDirectory { path } => write!(f, "static = {} is not a directory", path.display()),
            Self::Exposed { what, path, directory } => write!(
                f,
                "the {what} {} is inside the directory of static files, {}, where everybody could read it: move it to \
                 another directory, or serve a directory that has only public files, as in --static public",
                path.display(),
                directory.display()
            ),
            Self::StaticInData { directory, data } => write!(
                f,
                "the directory of static files, {}, is inside the directory of the log, {}: use separate directories",
                directory.display(),
                data.display()
            ),
            Self::FallbackWithoutStatic => {
                f.write_str("fallback names a file in the directory of static files: give --static too")
            }
            Self::Fallback { name, directory, error } => {
                write!(f, "fallback = {name} cannot be served from {}: {error}", directory.display())
            }
        }
    }
}

impl std::error::Error for ConfigError {}
