//! `fanfare check`: shows what a configuration means, and what a token allows under it, without running a hub.
mod token;

use crate::{
    config::{self, ConfigError, Effective, KeyMaterial, ServeOptions, ServeSettings},
    exit::Exit,
    keys::KeyRing,
    secret::Secret,
    serve::parts,
    stdout, warning,
};
use clap::ArgMatches;
use fanfare_hub::{
    entry::Timestamp,
    topic::{InvalidTopic, Topic},
};
use fanfare_mask::masked_url;
use fanfare_server::auth::{InvalidToken, KeyStore, explain};
use std::{
    fmt,
    io::{self, Read as _},
    path::PathBuf,
};

/// The greatest number of bytes of a token that are read from standard input.
const MAX_TOKEN_BYTES: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes:\n  0  the configuration is valid, and the token allows each topic that was named\n  \
                        2  the configuration is not valid\n  3  the token is not valid, or does not allow a topic\n  \
                        5  with --fetch: a JWK set cannot be fetched"
)]
pub(crate) struct CheckArgs {
    /// Configuration file, in TOML
    #[arg(value_name = "FILE", env = "FANFARE_CONFIG")]
    config: Option<PathBuf>,

    /// Also fetch the JWK sets, and show their keys
    #[arg(long)]
    fetch: bool,

    /// Token to explain: its issuer, what it allows, and why the hub would refuse it. `-` reads it from standard input
    #[arg(long, hide_env_values = true)]
    token: Option<Secret>,

    /// Check whether the token covers this topic; repeatable
    #[arg(long, requires = "token")]
    topic: Vec<String>,

    #[command(flatten)]
    options: ServeOptions,
}

/// The reason why `fanfare check` failed.
#[derive(Debug)]
pub(crate) enum CheckError {
    /// The configuration is not valid.
    Config(ConfigError),
    /// The asynchronous runtime cannot start.
    Runtime(io::Error),
    /// A JWK set cannot be fetched.
    Fetch { url: String, reason: String },
    /// The value of `--topic` is not a valid topic.
    Topic(InvalidTopic),
    /// The token cannot be read from standard input.
    ReadToken(io::Error),
    /// The value of `--token` is not a token.
    Unreadable(InvalidToken),
    /// The token allows nothing, or does not cover each topic that `--topic` names.
    Refused,
    /// The output cannot be printed.
    Print(io::Error),
}

/// Prints the configuration in effect, or what the token allows under it.
///
/// # Errors
/// [`CheckError`] if the configuration is not valid, if the token allows nothing or does not cover each topic that
/// `--topic` names, or if a JWK set cannot be fetched.
pub(crate) fn run(args: &CheckArgs, given: &ArgMatches, exposed: Vec<String>) -> Result<(), CheckError> {
    let mut merged = config::merge(given, args.config.as_deref()).map_err(CheckError::Config)?;
    merged.warnings.extend(exposed);
    let settings = ServeSettings::resolve(&merged).map_err(CheckError::Config)?;
    for warning in merged.warnings.iter().chain(&settings.warnings(&merged)) {
        warning::print(warning);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CheckError::Runtime)?;
    runtime.block_on(async {
        match &args.token {
            Some(token) if token.reveal() == "-" => {
                let token = io::read_to_string(io::stdin().take(MAX_TOKEN_BYTES)).map_err(CheckError::ReadToken)?;
                explain_token(token.trim(), &args.topic, &settings).await
            }
            Some(token) => explain_token(token.reveal().trim(), &args.topic, &settings).await,
            None => show(&Effective { merged: &merged, settings: &settings }, args.fetch).await,
        }
    })
}

async fn show(effective: &Effective<'_>, fetch: bool) -> Result<(), CheckError> {
    let settings = effective.settings;
    let mut text = format!("{effective}\n{}", Keys(settings));
    let mut failed = None;
    if fetch {
        let mut ring = KeyRing::new(settings.jwks_addresses());
        ring.trusted(settings).map_err(CheckError::Config)?;
        for (url, outcome) in ring.fetched().await {
            match outcome {
                Ok(keys) => text += &format!("# {}: {}\n", masked_url(&url), keys.join("; ")),
                Err(reason) => failed = Some(CheckError::Fetch { url, reason }),
            }
        }
    }
    print(&text)?;
    failed.map_or(Ok(()), Err)
}

async fn explain_token(text: &str, topics: &[String], settings: &ServeSettings) -> Result<(), CheckError> {
    let topics: Vec<Topic> =
        topics.iter().map(|topic| Topic::new(topic)).collect::<Result<_, _>>().map_err(CheckError::Topic)?;
    let mut ring = KeyRing::new(settings.jwks_addresses());
    let keys = KeyStore::from(ring.trusted(settings).map_err(CheckError::Config)?);
    for (url, outcome) in ring.fetched().await {
        if let Err(reason) = outcome {
            warning::print(&format!("cannot fetch {url}: {reason}"));
        }
    }
    let access = parts::access(settings, settings.listen.0, keys);
    if access.open {
        print("The hub is open: it needs no token, and ignores this one.\n")?;
        return Ok(());
    }
    let now = Timestamp::now();
    let explanation = explain::explain(text, &access, now).map_err(CheckError::Unreadable)?;
    let report = token::Report { explanation: &explanation, topics: &topics, access: &access, now };
    print(&report.to_string())?;
    if report.is_good() { Ok(()) } else { Err(CheckError::Refused) }
}

/// Prints the keys of the hub and of each issuer, as comments below the configuration. The comments say which keys
/// verify the tokens of publishers, and which keys verify the tokens of subscribers.
struct Keys<'a>(&'a ServeSettings);

impl fmt::Display for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(settings) = self;
        if settings.is_open() {
            return writeln!(f, "# There are no keys: everybody who can reach the hub may publish and subscribe.");
        }
        let none = "no key, so these tokens are refused";
        let shown = |material: &Option<KeyMaterial>| material.as_ref().map_or_else(|| none.to_owned(), described);
        let hub = settings.keys();
        writeln!(f, "# Publishers' tokens without a known issuer are verified with {}", shown(&hub.publisher))?;
        writeln!(f, "# Subscribers' tokens without a known issuer are verified with {}", shown(&hub.subscriber))?;
        for issuer in settings.issuers() {
            writeln!(f, "# Publishers' tokens of {} are verified with {}", issuer.name, shown(&issuer.keys.publisher))?;
            writeln!(
                f,
                "# Subscribers' tokens of {} are verified with {}",
                issuer.name,
                shown(&issuer.keys.subscriber)
            )?;
        }
        Ok(())
    }
}

fn described(material: &KeyMaterial) -> String {
    let keys = material.read().unwrap_or_default().into_iter().map(|key| key.to_string());
    let sets = material.jwks.iter().map(|url| format!("the keys at {}", url.masked()));
    keys.chain(sets).collect::<Vec<_>>().join("; ")
}

fn print(text: &str) -> Result<(), CheckError> {
    stdout::print(&text).map(drop).map_err(CheckError::Print)
}

impl CheckError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Topic(_) => Exit::Usage,
            Self::Unreadable(_) | Self::Refused => Exit::Unauthorized,
            Self::Fetch { .. } => Exit::Unreachable,
            Self::Runtime(_) | Self::ReadToken(_) | Self::Print(_) => Exit::Failed,
        }
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Runtime(error) => write!(f, "the command cannot start: {error}"),
            Self::Fetch { url, reason } => write!(f, "cannot fetch {url}: {reason}"),
            Self::Topic(error) => error.fmt(f),
            Self::ReadToken(error) => write!(f, "cannot read the token from standard input: {error}"),
            Self::Unreadable(error) => error.fmt(f),
            Self::Refused => {
                f.write_str("under this configuration the token allows nothing, or does not cover every --topic")
            }
            Self::Print(error) => write!(f, "cannot print the output: {error}"),
        }
    }
}

impl std::error::Error for CheckError {}
