//! Command-line options for connections to servers. Most of them have the same names as in curl.
use crate::quantity::HumanDuration;
use fanfare_client::{
    Builder,
    transport::{CustomRoots, HyperTransport, HyperTransportBuilder, Roots, TlsError},
};
use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
    time::Duration,
};

/// The size of the largest file of certificates that is read, in bytes. A file with all public authorities has a
/// quarter of a megabyte.
const MAX_CERTIFICATES_BYTES: u64 = 4 << 20;

/// The text under the help of commands that connect to servers.
pub(crate) const HELP: &str = "\
Environment variables (those of proxies also in capital letters):
  http_proxy, https_proxy, all_proxy  proxies: http://USER:PASSWORD@HOST:PORT, socks5://HOST, …
  no_proxy                            hosts without a proxy: names, addresses, networks; * for all
  SSL_CERT_FILE, SSL_CERT_DIR         authorities to trust instead of the system's (PEM)";
/// The text under the help of commands that accept some options of curl and ignore them.
pub(crate) const HABITS: &str = "\
These options of curl are accepted and change nothing, because fanfare always works in this way:
-s, -S, -N, -L, -f, --compressed.";

/// Options for the connection to one server: the certificate authorities to trust, and the time limit of an attempt.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ConnectArgs {
    /// Trust only the authorities whose certificates (PEM) are in this file
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Do not check the server's certificate. Then anybody between you and the server can read and change everything,
    /// also tokens
    #[arg(short = 'k', long)]
    insecure: bool,

    /// Give up an attempt if there is no connection after this time; a number without a unit is seconds [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    connect_timeout: Option<Duration>,
}

/// Options for the connection to the hub. Commands that connect to the hub and to another server have them.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct HubConnectArgs {
    /// For the hub, trust only the authorities whose certificates (PEM) are in this file
    #[arg(id = "hub_cacert", long = "hub-cacert", value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Do not check the hub's certificate. Then anybody between you and the hub can read and change everything, also
    /// tokens
    #[arg(id = "hub_insecure", long = "hub-insecure")]
    insecure: bool,

    /// Give up an attempt to reach the hub if there is no connection after this time; a number without a unit is
    /// seconds [default: 30s]
    #[arg(
        id = "hub_connect_timeout",
        long = "hub-connect-timeout",
        value_name = "DURATION",
        value_parser = duration
    )]
    connect_timeout: Option<Duration>,
}

/// Options for the connection to a server whose answer is an event stream.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ConnectionArgs {
    #[command(flatten)]
    connect: ConnectArgs,

    /// Give up an attempt if its answer has not begun after this time; a number without a unit is seconds. Some servers
    /// send the head of the answer only with the first event [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    response_timeout: Option<Duration>,

    #[command(flatten)]
    habits: Habits,
}

/// Options of curl that are accepted and have no effect, because Fanfare always does what they ask for.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Habits {
    #[arg(short = 's', long, hide = true)]
    silent: bool,
    #[arg(short = 'S', long, hide = true)]
    show_error: bool,
    #[arg(short = 'N', long, hide = true)]
    no_buffer: bool,
    #[arg(short = 'L', long, hide = true)]
    location: bool,
    #[arg(short = 'f', long, hide = true)]
    fail: bool,
    #[arg(long, hide = true)]
    compressed: bool,
}

/// The error for a file of certificates, given with `--cacert` or `--hub-cacert`, that cannot be used.
#[derive(Debug)]
pub(crate) struct CertificatesError {
    path: PathBuf,
    cause: Unfit,
}

#[derive(Debug)]
enum Unfit {
    Read(io::Error),
    Tls(TlsError),
}

impl From<HubConnectArgs> for ConnectArgs {
    fn from(HubConnectArgs { cacert, insecure, connect_timeout }: HubConnectArgs) -> Self {
        Self { cacert, insecure, connect_timeout }
    }
}

impl ConnectArgs {
    /// Makes the transport that sends requests.
    ///
    /// # Errors
    /// [`CertificatesError`] if the file of certificates cannot be read, or contains none.
    pub(crate) fn transport(&self) -> Result<HyperTransport, CertificatesError> {
        let mut builder = HyperTransport::builder().danger_accept_invalid_certificates(self.insecure);
        if let Some(time) = self.connect_timeout {
            builder = builder.connect_timeout(time);
        }
        Ok(self.trusting(builder)?.build())
    }

    fn trusting(&self, builder: HyperTransportBuilder) -> Result<HyperTransportBuilder, CertificatesError> {
        let Some(path) = &self.cacert else { return Ok(builder) };
        let unfit = |cause| CertificatesError { path: path.clone(), cause };
        let mut pem = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_CERTIFICATES_BYTES + 1).read_to_end(&mut pem));
        if read.map_err(|error| unfit(Unfit::Read(error)))? as u64 > MAX_CERTIFICATES_BYTES {
            return Err(unfit(Unfit::Read(io::ErrorKind::FileTooLarge.into())));
        }
        let roots = CustomRoots::from_pem(pem).map_err(|error| unfit(Unfit::Tls(error)))?;
        Ok(builder.roots(Roots::Custom(roots)))
    }
}

impl ConnectionArgs {
    /// Makes the transport that sends requests.
    ///
    /// # Errors
    /// [`CertificatesError`] if the file of certificates cannot be read, or contains none.
    pub(crate) fn transport(&self) -> Result<HyperTransport, CertificatesError> {
        self.connect.transport()
    }

    /// Sets the times after which an attempt is given up: the time to connect, and the time until the answer begins.
    pub(crate) fn in_time(&self, mut builder: Builder) -> Builder {
        if let Some(time) = self.connect.connect_timeout {
            builder = builder.connect_timeout(time);
        }
        match self.response_timeout {
            Some(time) => builder.response_timeout(time),
            None => builder,
        }
    }
}

/// Parses a duration, or a number of seconds as in curl.
fn duration(text: &str) -> Result<Duration, <HumanDuration as std::str::FromStr>::Err> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.map_or_else(|| text.parse::<HumanDuration>().map(|duration| duration.0), Ok)
}

impl fmt::Display for CertificatesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read certificates from {}: ", self.path.display())?;
        match &self.cause {
            Unfit::Read(error) => error.fmt(f),
            Unfit::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CertificatesError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_duration_or_seconds() {
        for (text, milliseconds) in [("5", 5_000), ("0.5", 500), ("2m", 120_000), ("150ms", 150)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "-1", "soon", "inf", "NaN"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
