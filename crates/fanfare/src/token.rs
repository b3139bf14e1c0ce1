//! `fanfare token`: signs a token that lists what its bearer may do. It needs the hub's key.
use crate::{
    config::{AsText, shown_key_path},
    exit::Exit,
    quantity::{HumanDuration, Limit},
    secret::Secret,
    stdout, topic,
};
use clap::ValueEnum;
use fanfare_hub::entry::Timestamp;
use fanfare_server::auth::{
    Algorithm, InvalidKey, KeyRules, SigningKey,
    mint::{LegacyToken, ModernToken, TopicMatch},
};
use serde_json::Value;
use std::{fmt, fs, io, path::PathBuf};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("grant").multiple(true).required(true).args(["publish", "subscribe"]))]
pub(crate) struct TokenArgs {
    /// Topic under which the bearer may publish, `*` for all; repeatable
    #[arg(long, value_name = "TOPIC", value_parser = topic::matcher)]
    publish: Vec<String>,

    /// Topic whose private updates the bearer may receive, `*` for all; repeatable
    #[arg(long, value_name = "TOPIC", value_parser = topic::matcher)]
    subscribe: Vec<String>,

    /// Time for which the token is valid; `off` means for ever (not with --modern)
    #[arg(long, value_name = "DURATION|off", default_value = "1h")]
    expires: Limit<HumanDuration>,

    /// JSON that the hub shows with the bearer's subscriptions to people who may list them
    #[arg(long, value_name = "JSON")]
    payload: Option<Value>,

    /// Key to sign the token with: the hub's secret of at least 32 bytes, or a private key as PEM or JWK
    #[arg(
        long,
        value_name = "KEY",
        env = "FANFARE_KEY",
        hide_env_values = true,
        allow_hyphen_values = true,
        required_unless_present = "key_file"
    )]
    key: Option<Secret>,

    /// File that contains the key; used instead of --key if both are given
    #[arg(long, value_name = "FILE", env = "FANFARE_KEY_FILE")]
    key_file: Option<PathBuf>,

    /// Algorithm, such as HS512, RS256, PS256, ES256 or EdDSA [default: that of the JWK; else HS256 for a secret, RS256
    /// for an RSA key, and for any other key the algorithm of its curve]
    #[arg(long, value_name = "NAME", env = "FANFARE_ALGORITHM")]
    algorithm: Option<AsText<Algorithm>>,

    /// Name of the key (`kid`), by which a hub with several keys finds it [default: that of the JWK]
    #[arg(long, value_name = "NAME")]
    key_id: Option<String>,

    /// Sign also with a secret that is too short: it can be guessed from the token
    #[arg(long, env = "FANFARE_ALLOW_SHORT_KEYS", value_name = "BOOL", num_args = 0..=1, default_value = "false", default_missing_value = "true")]
    allow_short_keys: bool,

    /// Make an access token (`at+jwt`) of Mercure's newer revision
    #[arg(long, requires_all = ["issuer", "audience"])]
    modern: bool,

    /// Issuer that the hub trusts, with --modern
    #[arg(long, value_name = "URL", env = "FANFARE_ISSUER")]
    issuer: Option<String>,

    /// Audience of the token, with --modern: the hub's URL, unless the hub has another --audience
    #[arg(long, value_name = "URL", env = "FANFARE_AUDIENCE")]
    audience: Option<String>,

    /// Subject of the token: the name of its bearer, with --modern
    #[arg(long, value_name = "NAME", default_value = "fanfare")]
    subject: String,

    /// Kind of the topics with --modern; without --modern, topics are URI Templates
    #[arg(long, value_name = "TYPE", default_value = "exact", requires = "modern")]
    match_type: MatchType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MatchType {
    /// The topic itself
    Exact,
    /// A URL Pattern
    Urlpattern,
}

/// The reason why no token was made or printed.
#[derive(Debug)]
pub(crate) enum TokenError {
    /// The file with the key cannot be read.
    KeyFile { path: PathBuf, error: io::Error },
    /// The key cannot be used to sign a token.
    Key(InvalidKey),
    /// The arguments ask for an access token that never expires (`--modern --expires off`), but access tokens always
    /// expire.
    NeverExpires,
    /// The token cannot be printed.
    Print(io::Error),
}

/// Prints the token.
///
/// # Errors
/// [`TokenError`] if the key is not valid or cannot be read.
pub(crate) fn run(args: TokenArgs) -> Result<(), TokenError> {
    let token = sign(args, Timestamp::now())?;
    stdout::print(&format_args!("{token}\n")).map(drop).map_err(TokenError::Print)
}

fn sign(args: TokenArgs, now: Timestamp) -> Result<String, TokenError> {
    let secret = match &args.key_file {
        Some(path) => fs::read_to_string(path).map_err(|error| TokenError::KeyFile { path: path.clone(), error })?,
        None => args.key.as_ref().map(|key| key.reveal().to_owned()).unwrap_or_default(),
    };
    let algorithms = args.algorithm.iter().map(|AsText(algorithm)| *algorithm).collect();
    let rules = KeyRules { algorithms, allow_short_secrets: args.allow_short_keys };
    let mut key = SigningKey::read(&secret, &rules).map_err(TokenError::Key)?;
    if let Some(id) = &args.key_id {
        key = key.named(id);
    }
    let expires_at = args.expires.get().map(|time| after(now, time));
    let (Some(issuer), Some(audience), true) = (args.issuer, args.audience, args.modern) else {
        let TokenArgs { publish, subscribe, payload, .. } = args;
        return Ok(LegacyToken { publish, subscribe, payload, expires_at }.sign(&key));
    };
    let matches = |topics: Vec<String>| {
        let kind = match args.match_type {
            MatchType::Exact => TopicMatch::Exact,
            MatchType::Urlpattern => TopicMatch::UrlPattern,
        };
        topics.into_iter().map(kind).collect()
    };
    let token = ModernToken {
        issuer,
        audience,
        subject: args.subject,
        issued_at: now,
        expires_at: expires_at.ok_or(TokenError::NeverExpires)?,
        publish: matches(args.publish),
        subscribe: matches(args.subscribe),
        payload: args.payload,
    };
    Ok(token.sign(&key))
}

fn after(now: Timestamp, time: HumanDuration) -> Timestamp {
    Timestamp(now.0.saturating_add(u64::try_from(time.0.as_millis()).unwrap_or(u64::MAX)))
}

impl TokenError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::KeyFile { .. } | Self::Key(_) | Self::NeverExpires => Exit::Usage,
            Self::Print(_) => Exit::Failed,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile { path, error } => {
                write!(f, "cannot read --key-file {}: {error}", shown_key_path(path))
            }
            Self::Key(error) => error.fmt(f),
            Self::NeverExpires => f.write_str("access tokens always expire: give --expires a duration"),
            Self::Print(error) => write!(f, "cannot print the token: {error}"),
        }
    }
}

impl std::error::Error for TokenError {}
