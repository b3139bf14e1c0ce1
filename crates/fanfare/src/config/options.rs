//! The options of `fanfare serve`, each defined once: the field is the flag, the environment variable and the file's
//! key, and its comment is the help.
//!
//! `--max-body` is `FANFARE_MAX_BODY` in the environment and `max-body` in the file. What holds when an option is given
//! nowhere stands in `defaults.toml`, and how far it may go in [`super::bounds`]; both are added to the help from
//! there.
use super::{
    alias::Alias, as_text::AsText, cookie_name::CookieName, delivery::Delivery, issuer::Issuer, list,
    listen::ListenAddress, log_filter::LogFilter, origin::CorsOrigin, relay::Relay, retention::RetentionRule,
    switch::Switch,
};
use crate::{
    quantity::{ByteSize, HumanDuration, Limit},
    secret::Secret,
};
use fanfare_jwks::JwksUrl;
use fanfare_server::auth::Algorithm;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use url::Url;

/// One layer of configuration: what the flags, the environment or the file say, and nothing else. A list of the file
/// may be one value without brackets, or several in one text with spaces between them, as in the environment.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ServeOptions {
    /// Address and port to listen on: `127.0.0.1:3000`, `localhost:3000`, `[::1]:3000`, or `:3000` for every IPv4
    /// address. Port 0 takes a free one, which is printed. Without keys only loopback is allowed
    #[arg(long, value_name = "ADDR", help_heading = "Where")]
    pub listen: Option<ListenAddress>,

    /// Directory of the log; made if missing
    #[arg(long, value_name = "DIR", help_heading = "Where")]
    pub data: Option<PathBuf>,

    /// Keep the log in memory instead: nothing survives a restart
    #[arg(long, value_name = "BOOL", help_heading = "Where", num_args = 0..=1, default_missing_value = "true")]
    pub memory: Option<bool>,

    /// URL under which clients reach the hub, if a proxy stands before it
    #[arg(long, value_name = "URL", help_heading = "Where")]
    pub public_url: Option<AsText<Url>>,

    /// Directory of files to serve, so that a page and its event stream share an origin. Everybody can read them,
    /// except those whose names begin with a dot. Data, keys and configuration must lie elsewhere
    #[arg(id = "static", long = "static", value_name = "DIR", help_heading = "Where")]
    #[serde(rename = "static")]
    pub static_dir: Option<PathBuf>,

    /// File of --static, such as index.html, that browsers get for a page that is not there: for applications whose
    /// routes are in the page. Scripts, images, streams and programs still get 404
    #[arg(long, value_name = "FILE", help_heading = "Where")]
    pub fallback: Option<String>,

    /// Serve the hub's own page: at /fanfare, and at / unless --static has an index.html
    #[arg(long, value_name = "on|off", help_heading = "Where")]
    pub page: Option<Switch>,

    /// Another path for an event stream of these topics, for pages that have one already; repeatable. In the
    /// environment several are separated by spaces
    #[arg(long, value_name = "PATH=TOPIC[,TOPIC]", help_heading = "Where", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub alias: Option<Vec<Alias>>,

    /// Relay an event stream of another server: publish its events under these topics, and go on where that stopped
    /// after a restart; repeatable. In the environment several are separated by spaces. The file can say more of each:
    /// headers, private, token-file, last-event-id, idle-timeout
    #[arg(long, value_name = "URL=TOPIC[,TOPIC]", help_heading = "Where", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub relay: Option<Vec<Relay>>,

    /// Tick once a second on the topic `clock` [default: true while no key is given]
    #[arg(long, value_name = "BOOL", help_heading = "Where", num_args = 0..=1, default_missing_value = "true")]
    pub clock: Option<bool>,

    /// What verifies the tokens of publishers and subscribers: a secret of at least 32 bytes, such as `openssl rand
    /// -hex 32` makes, or public keys as PEM, JWK or a JWK set. Prefer the environment or --key-file: other users of
    /// the machine can see arguments. A key that everybody knows, from documentation or examples, is refused on an
    /// address that other machines can reach
    #[arg(
        long,
        value_name = "KEY",
        help_heading = "Who may do what",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub key: Option<Secret>,

    /// File that holds --key. Files with keys are read anew when they change, and on SIGHUP
    #[arg(long, value_name = "FILE", help_heading = "Who may do what")]
    pub key_file: Option<PathBuf>,

    /// URL of a JWK set with more keys of that kind, https only; fetched again in time, and when a token names a key
    /// that is not there. Repeatable; in the environment several are separated by spaces
    #[arg(long, value_name = "URL", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub jwks: Option<Vec<AsText<JwksUrl>>>,

    /// Algorithm that tokens may be signed with, such as HS512, RS256, PS256, ES256 or EdDSA; repeatable [default: what
    /// the JWK says, else HS256 for a secret, RS256 for an RSA key, and the one of its curve for any other]
    #[arg(long, value_name = "NAME", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub algorithm: Option<Vec<AsText<Algorithm>>>,

    /// What verifies publishers' tokens, where it differs from --key
    #[arg(
        long,
        value_name = "KEY",
        help_heading = "Who may do what",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub publisher_key: Option<Secret>,

    /// File that holds --publisher-key
    #[arg(long, value_name = "FILE", help_heading = "Who may do what")]
    pub publisher_key_file: Option<PathBuf>,

    /// URL of a JWK set for publishers' tokens
    #[arg(long, value_name = "URL", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub publisher_jwks: Option<Vec<AsText<JwksUrl>>>,

    /// Algorithm of publishers' tokens, where it differs from --algorithm
    #[arg(long, value_name = "NAME", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub publisher_algorithm: Option<Vec<AsText<Algorithm>>>,

    /// What verifies subscribers' tokens, where it differs from --key
    #[arg(
        long,
        value_name = "KEY",
        help_heading = "Who may do what",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub subscriber_key: Option<Secret>,

    /// File that holds --subscriber-key
    #[arg(long, value_name = "FILE", help_heading = "Who may do what")]
    pub subscriber_key_file: Option<PathBuf>,

    /// URL of a JWK set for subscribers' tokens
    #[arg(long, value_name = "URL", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub subscriber_jwks: Option<Vec<AsText<JwksUrl>>>,

    /// Algorithm of subscribers' tokens, where it differs from --algorithm
    #[arg(long, value_name = "NAME", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub subscriber_algorithm: Option<Vec<AsText<Algorithm>>>,

    /// Issuer whose tokens are accepted: the name in their `iss` claim, and the URL of its JWK set or a file with its
    /// keys; without either it signs with --key. Access tokens (`at+jwt`, of Mercure's newer revision) must name one.
    /// Repeatable; in the file each can say more
    #[arg(long, value_name = "NAME[=URL|FILE]", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub issuer: Option<Vec<Issuer>>,

    /// Audience that tokens of issuers must name [default: the hub's URL]
    #[arg(long, value_name = "URL", help_heading = "Who may do what")]
    pub audience: Option<String>,

    /// Without a key, also answer requests that come through a proxy. Then everybody who reaches the proxy may publish
    /// and read everything. A key is the better way
    #[arg(long, value_name = "BOOL", help_heading = "Who may do what", num_args = 0..=1, default_missing_value = "true")]
    pub open_behind_proxy: Option<bool>,

    /// Accept secrets that are so short that they can be guessed from a token
    #[arg(long, value_name = "BOOL", help_heading = "Who may do what", num_args = 0..=1, default_missing_value = "true")]
    pub allow_short_keys: Option<bool>,

    /// Fetch JWK sets also from addresses of this machine and of private networks
    #[arg(long, value_name = "BOOL", help_heading = "Who may do what", num_args = 0..=1, default_missing_value = "true")]
    pub allow_private_jwks: Option<bool>,

    /// Cookie that carries tokens of Mercure's older revision [default: mercureAuthorization]
    #[arg(long, value_name = "NAME", help_heading = "Who may do what")]
    pub cookie_name: Option<CookieName>,

    /// Cookie that carries tokens of the newer revision [default: __Secure-mercure_access_token]
    #[arg(long, value_name = "NAME", help_heading = "Who may do what")]
    pub access_cookie_name: Option<CookieName>,

    /// Origin whose pages may publish with a cookie, where these are not those of --cors-origin; repeatable
    #[arg(long, value_name = "ORIGIN", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub publish_origin: Option<Vec<CorsOrigin>>,

    /// Let subscribers without a token receive public updates
    #[arg(long, value_name = "BOOL", help_heading = "Who may do what", num_args = 0..=1, default_missing_value = "true")]
    pub anonymous: Option<bool>,

    /// Origin whose pages may use the hub with credentials, or `*` for all origins without; repeatable. In the
    /// environment several are separated by spaces
    #[arg(long, value_name = "ORIGIN", help_heading = "Who may do what", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub cors_origin: Option<Vec<CorsOrigin>>,

    /// Tell who is subscribed to what: by private updates, and at /.well-known/mercure/subscriptions. Each who comes or
    /// goes is two updates of the log for each topic of its subscription
    #[arg(long, value_name = "BOOL", help_heading = "Who may do what", num_args = 0..=1, default_missing_value = "true")]
    pub subscriptions: Option<bool>,

    /// Let publishers erase updates with `DELETE /topics/{topic}`: those whose topics their token allows to publish
    #[arg(long, value_name = "BOOL", help_heading = "Who may do what", num_args = 0..=1, default_missing_value = "true")]
    pub allow_erase: Option<bool>,

    /// Time between comments on a stream without events. Proxies cut silent connections, many after 60s
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    pub heartbeat_interval: Option<HumanDuration>,

    /// Longest life of one stream, after which the subscriber reconnects and resumes
    #[arg(long, value_name = "DURATION|off", help_heading = "Limits")]
    pub max_lifetime: Option<Limit<HumanDuration>>,

    /// Longest body of one publication; each that is under way takes as much memory
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub max_body: Option<ByteSize>,

    /// Most subscribers at a time; each takes an open file
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub max_subscribers: Option<u64>,

    /// Most topics of one subscription
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub max_topics: Option<u64>,

    /// Longest time for which a peer may take nothing of what is sent to it, before it is given up and resumes when it
    /// comes back
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    pub write_timeout: Option<HumanDuration>,

    /// Close a connection on which no request has come for this long. Load balancers and proxies reuse silent
    /// connections for up to 60s: keep it longer than theirs
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    pub keep_alive_timeout: Option<HumanDuration>,

    /// Age at which updates are discarded from the log
    #[arg(long, value_name = "DURATION|off", help_heading = "Limits")]
    pub retention_age: Option<Limit<HumanDuration>>,

    /// Size of the log beyond which its oldest updates are discarded; on disk, or in memory with --memory
    #[arg(long, value_name = "SIZE|off", help_heading = "Limits")]
    pub retention_bytes: Option<Limit<ByteSize>>,

    /// Number of updates beyond which the oldest are discarded from the log
    #[arg(long, value_name = "COUNT|off", help_heading = "Limits")]
    pub retention_count: Option<Limit<u64>>,

    /// Age at which the updates of some topics are discarded, if that is less than --retention-age: a topic, a URI
    /// Template or `*`, and a duration; repeatable. Subscribers that come back and would have received them are told of
    /// a gap. In the environment several are separated by spaces
    #[arg(long, value_name = "TOPICS=DURATION", help_heading = "Limits", value_delimiter = ' ')]
    #[serde(default, deserialize_with = "list::words")]
    pub retention: Option<Vec<RetentionRule>>,

    /// How streams get into sockets: `auto` takes the best that the system has; `epoll` writes to one socket after the
    /// other; `io-uring` to many with one system call, which containers often forbid; `hyper` leaves it to the HTTP
    /// server, for 13 to 24 KB of memory per subscriber instead of less than one
    #[arg(long, value_name = "ENGINE", help_heading = "Delivery", hide_possible_values = true)]
    pub delivery: Option<Delivery>,

    /// Threads that deliver, unless `hyper` does [default: one per core]
    #[arg(long, value_name = "COUNT", help_heading = "Delivery")]
    pub delivery_threads: Option<u64>,

    /// What to log on standard error: error, warn, info, debug or trace; also by module, as in `info,fanfare_hub=debug`
    #[arg(long, value_name = "LEVEL", help_heading = "Log")]
    pub log_level: Option<LogFilter>,
}
