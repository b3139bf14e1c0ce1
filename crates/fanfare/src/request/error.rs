//! The errors of a request for an event stream.
use crate::{
    exit::Exit,
    http::{CertificatesError, MAX_URL_BYTES, UrlTooLong},
    shown::shown_id,
};
use fanfare_client::BuildError;
use std::{fmt, io};

/// The reason why no request can be made.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// The arguments mix URLs and topics.
    UrlAmongTopics { url: String },
    /// An argument that looks like a URL is not a valid URL with a host.
    Url { url: String },
    /// The URL is longer than [`MAX_URL_BYTES`].
    LongUrl { bytes: usize },
    /// The topics are too long for the URL of a request.
    TooLong(UrlTooLong),
    /// The ID contains characters that no request header can carry.
    LastEventId { id: String },
    /// The value of `--user` has no colon between user and password.
    User,
    /// The cookies contain characters that no header can carry.
    CookieCharacters,
    /// The file of cookies cannot be read.
    Cookies(io::Error),
    /// The certificates in the file of `--cacert` cannot be used.
    Certificates(CertificatesError),
    /// `--last` or `--since` was given for standard input, whose stream another program has already requested.
    RewindOfInput,
    /// The arguments cannot be made into a valid request.
    Build(BuildError),
    /// The body of the request cannot be read.
    Body { file: Option<String>, error: io::Error },
}

impl RequestError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::UrlAmongTopics { .. }
            | Self::Url { .. }
            | Self::LongUrl { .. }
            | Self::TooLong(_)
            | Self::User
            | Self::CookieCharacters
            | Self::Certificates(_)
            | Self::LastEventId { .. }
            | Self::RewindOfInput
            | Self::Build(_) => Exit::Usage,
            Self::Cookies(_) | Self::Body { .. } => Exit::Failed,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UrlAmongTopics { url } => write!(
                f,
                "{url} is the URL of a stream and cannot be used together with topics; give a topic that looks like a \
                 URL with --topic"
            ),
            Self::Url { url } => write!(f, "cannot send a request to {url}: it is not an http or https URL"),
            Self::LongUrl { bytes } => write!(f, "the URL has {bytes} bytes, {MAX_URL_BYTES} are allowed"),
            Self::TooLong(error) => error.fmt(f),
            Self::LastEventId { id } => {
                write!(f, "the last event ID {} contains characters that cannot be sent in a header", shown_id(id))
            }
            Self::User => f.write_str(
                "--user has no password: give USER:PASSWORD, or USER: for an empty password. fanfare does not ask for \
                 the password as curl does; to hide it from other users of the machine, give a header in a file with \
                 -H @FILE",
            ),
            Self::CookieCharacters => f.write_str("--cookie contains characters that cannot be sent in a header"),
            Self::Cookies(error) => write!(f, "cannot read the file of cookies: {error}; give cookies as NAME=VALUE"),
            Self::Certificates(error) => error.fmt(f),
            Self::RewindOfInput => f.write_str(
                "--last and --since cannot be used with standard input: add them to the URL in the program that \
                 requests the stream",
            ),
            Self::Build(error) => error.fmt(f),
            Self::Body { file: Some(path), error } => {
                write!(f, "cannot read the body of the request from {path}: {error}")
            }
            Self::Body { file: None, error } => write!(f, "cannot read the body of the request: {error}"),
        }
    }
}

impl std::error::Error for RequestError {}
