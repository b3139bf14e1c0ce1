//! The options of `fanfare serve`, each defined once: its name is also the name of the flag, of the environment
//! variable and of the key in the file, and its doc comment is the help.
//!
//! `--max-body` is `FANFARE_MAX_BODY` in the environment and `max-body` in the file. The help shows the defaults and
//! bounds that are defined here, and `cargo xtask options` prints `examples/fanfare.toml` and `docs/options.md` from
//! these definitions.
use super::{
    alias::Alias,
    as_text::AsText,
    bound::{COUNT_MAX, DAY_S, bytes, count, time},
    cookie_name::CookieName,
    define::options,
    definition::Definition,
    delivery::Delivery,
    issuer::Issuer,
    listen::ListenAddress,
    log_filter::LogFilter,
    origin::CorsOrigin,
    public_url::PublicUrl,
    relay::Relay,
    retention::RetentionRule,
    switch::Switch,
    words::{self, Words},
};
use crate::{
    quantity::{ByteSize, Count, HumanDuration, Limit},
    secret::Secret,
};
use fanfare_jwks::JwksUrl;
use fanfare_server::auth::Algorithm;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use toml::Table;

options! {
    "Where" {
        /// Listen on this address and port: `127.0.0.1:3000`, `localhost:3000`, `[::1]:3000`, or `:3000` for every IPv4
        /// address. Port 0 takes a free port, which is printed. Without keys only loopback is allowed
        listen: ListenAddress as "ADDR" = "127.0.0.1:3000";

        /// Keep the log in this directory, which is made if missing
        data: PathBuf as "DIR" = "fanfare-data";

        /// Keep the log in memory instead of on disk: everything is lost at a restart
        memory: bool as "BOOL" = false;

        /// Give this URL of the hub to clients, if a proxy is in front of it. Pages with this URL's origin may publish
        /// with a cookie; if the URL is https, http pages of the same host may not
        public_url: AsText<PublicUrl> as "URL", such as "https://hub.example.com/";

        /// Serve the files of this directory, so that a page and its event stream have the same origin. Everybody can
        /// read them, except those whose names begin with a dot; links to files outside of the directory are not
        /// followed. Data, keys and configuration must be in other directories
        r#static: PathBuf as "DIR", such as "public";

        /// Answer browsers with this file of --static, such as index.html, if the requested page does not exist: for
        /// applications whose routes are in the page. Scripts, images, streams and programs still get 404
        fallback: String as "FILE", such as "index.html";

        /// Serve the hub's own page: at /fanfare, and at / unless --static has an index.html
        page: Switch as "on|off" = "on";

        /// Serve an event stream of these topics, `*` for all, also at another path, for pages that already use that
        /// path; repeatable. In the environment, spaces or line ends separate several values
        #[serde(default, with = "words")]
        alias: Vec<Words<Alias>> as "PATH=TOPIC[,TOPIC]", such as [{ path = "/sse", topics = ["news", "weather"] }];

        /// Begin each event stream with an event of the type fanfare.start, whose ID is the place where the stream
        /// begins. Without this event, a subscriber whose connection breaks before its first update loses updates:
        /// switch it off only for a client that cannot handle it
        start_event: Switch as "on|off" = "on";

        /// Relay an event stream of another server: publish its events under these topics, and continue after a restart
        /// where it stopped; repeatable. In the environment, spaces or line ends separate several values. The file can
        /// set more options for each relay: headers, private, token-file, last-event-id, idle-timeout
        #[serde(default, with = "words")]
        relay: Vec<Words<Relay>> as "URL=TOPIC[,TOPIC]", such as [{ url = "https://example.com/events", topics = ["news"], private = false, headers = ["X-Key: …"], "token-file" = "/run/secrets/example-token", "last-event-id" = "earliest", "idle-timeout" = "1m" }];

        /// Publish the time once a second under the topic `clock` [default: true if there is no key]
        clock: bool as "BOOL", such as false;
    }

    "TLS" {
        /// Serve HTTPS with this certificate: a file in PEM, with the certificate and then those that have signed it.
        /// Repeatable: a client gets the certificate for the name that it asks for, or else the first one. The files are
        /// read again when they change, and on SIGHUP
        tls_cert: Vec<PathBuf> as "FILE", such as ["/etc/fanfare/hub.example.com.pem"];

        /// The file with the private key of --tls-cert, in PEM; repeatable, in the same order [default: the key is in the
        /// file of the certificate]
        tls_key: Vec<PathBuf> as "FILE", such as ["/etc/fanfare/hub.example.com.key"];

        /// Refuse clients that ask for a name for which there is no certificate, in place of showing them the first one
        tls_only_known_names: bool as "BOOL" = false;
    }

    "Who may do what" {
        /// Verify the tokens of publishers and subscribers with this key: a secret of at least 32 bytes, such as
        /// `openssl rand -hex 32` makes, or public keys as PEM, JWK or a JWK set. Prefer the environment or --key-file:
        /// other users of the machine can see arguments. A key from public documentation or examples is refused on an
        /// address that other machines can reach
        #[arg(hide_env_values = true, allow_hyphen_values = true)]
        key: Secret as "KEY", such as "…";

        /// Read --key from this file. Files with keys are read again when they change, and on SIGHUP
        key_file: PathBuf as "FILE", such as "/run/secrets/fanfare-key";

        /// Also accept tokens that are signed with the keys of the JWK set at this URL (https only). It is fetched
        /// again before it expires, and when a token names an unknown key. Repeatable; in the environment, spaces or
        /// line ends separate several values
        #[serde(default, with = "words")]
        jwks: Vec<Words<AsText<JwksUrl>>> as "URL", such as ["https://login.example.com/jwks.json"];

        /// Accept only tokens that are signed with this algorithm, such as HS512, RS256, PS256, ES256 or EdDSA;
        /// repeatable [default: the algorithm that the JWK names; else HS256 for a secret, RS256 for an RSA key, and
        /// for any other key the algorithm of its curve]
        #[serde(default, with = "words")]
        algorithm: Vec<Words<AsText<Algorithm>>> as "NAME", such as ["RS256"];

        /// Verify publishers' tokens with this key instead of with --key
        #[arg(hide_env_values = true, allow_hyphen_values = true)]
        publisher_key: Secret as "KEY", such as "…";

        /// Read --publisher-key from this file
        publisher_key_file: PathBuf as "FILE", such as "/run/secrets/fanfare-publisher-key";

        /// Also verify publishers' tokens with the JWK set at this URL
        #[serde(default, with = "words")]
        publisher_jwks: Vec<Words<AsText<JwksUrl>>> as "URL", such as ["https://login.example.com/publishers.json"];

        /// Accept only publishers' tokens that are signed with this algorithm, instead of with --algorithm
        #[serde(default, with = "words")]
        publisher_algorithm: Vec<Words<AsText<Algorithm>>> as "NAME", such as ["ES256"];

        /// Verify subscribers' tokens with this key instead of with --key
        #[arg(hide_env_values = true, allow_hyphen_values = true)]
        subscriber_key: Secret as "KEY", such as "…";

        /// Read --subscriber-key from this file
        subscriber_key_file: PathBuf as "FILE", such as "/run/secrets/fanfare-subscriber-key";

        /// Also verify subscribers' tokens with the JWK set at this URL
        #[serde(default, with = "words")]
        subscriber_jwks: Vec<Words<AsText<JwksUrl>>> as "URL", such as ["https://login.example.com/subscribers.json"];

        /// Accept only subscribers' tokens that are signed with this algorithm, instead of with --algorithm
        #[serde(default, with = "words")]
        subscriber_algorithm: Vec<Words<AsText<Algorithm>>> as "NAME", such as ["EdDSA"];

        /// Accept tokens with this name in their `iss` claim. They are verified with the JWK set at the URL or the keys
        /// in the file; without a URL or file, with --key. Access tokens (`at+jwt`, of Mercure's newer revision) must
        /// name an issuer. Repeatable; in the file, an issuer can also have keys, with the option names of the hub, and
        /// an audience
        #[serde(default, with = "words")]
        issuer: Vec<Words<Issuer>> as "NAME[=URL|FILE]", such as [{ name = "https://login.example.com", jwks = ["https://login.example.com/jwks.json"] }];

        /// Accept a token that names an issuer only if it has this audience [default: the hub's URL]
        audience: String as "URL", such as "https://hub.example.com/.well-known/mercure";

        /// If there is no key, answer requests that come through a proxy, instead of refusing them with 403. Everybody
        /// who reaches the proxy may then publish and read everything. A key is safer
        open_behind_proxy: bool as "BOOL" = false;

        /// Accept secrets that are too short: they can be guessed from a token
        allow_short_keys: bool as "BOOL" = false;

        /// Also fetch JWK sets from addresses of this machine and of private networks
        allow_private_jwks: bool as "BOOL" = false;

        /// Read tokens of Mercure's older revision from this cookie [default: mercureAuthorization]
        cookie_name: CookieName as "NAME", such as "mercureAuthorization";

        /// Read tokens of Mercure's newer revision from this cookie. Browsers accept a cookie with the default name
        /// over HTTPS only [default: __Secure-mercure_access_token]
        access_cookie_name: CookieName as "NAME", such as "__Secure-mercure_access_token";

        /// Let pages of this origin publish with a cookie; repeatable [default: the origins of --cors-origin]
        #[serde(default, with = "words")]
        publish_origin: Vec<Words<CorsOrigin>> as "ORIGIN", such as ["https://admin.example.com"];

        /// Let subscribers without a token receive public updates
        anonymous: bool as "BOOL" = false;

        /// Let pages of this origin use the hub with credentials or, with `*`, pages of all origins without
        /// credentials; repeatable. In the environment, spaces or line ends separate several values
        #[serde(default, with = "words")]
        cors_origin: Vec<Words<CorsOrigin>> as "ORIGIN", such as ["https://app.example.com"];

        /// Publish the list of subscriptions: by private updates, and at /.well-known/mercure/subscriptions. Each
        /// subscriber that connects or disconnects causes two updates for each topic of its subscription. The hub keeps
        /// the newest 16,384 of these updates, and at most 8MiB of them
        subscriptions: bool as "BOOL" = false;

        /// Let publishers erase updates with `DELETE /topics/{topic}`, if their token allows to publish under the
        /// topics of these updates
        allow_erase: bool as "BOOL" = false;
    }

    "Limits" {
        /// Send a comment or the place (fanfare.start) on a stream that was silent for this long. Proxies close silent
        /// connections, many after 60s. Where events are rare, the first three of these come sooner after an event
        // The bounds: an interval below a second only costs traffic, and no proxy keeps a silent connection for more
        // than an hour.
        heartbeat_interval: HumanDuration as "DURATION" = "20s", within time(1, 3_600);

        /// End each stream after this time at the latest. The subscriber reconnects and resumes
        // The lower bound: with a lifetime below 10 s, all subscribers would reconnect all the time.
        max_lifetime: Limit<HumanDuration> as "DURATION|off" = "off", within time(10, 365 * DAY_S);

        /// Refuse a publication with a body longer than this. Each request in progress may take this much memory
        // The upper bound: a body is held in memory as a whole, and 16 MiB is half of the bytes that may wait to be
        // appended to the log.
        max_body: ByteSize as "SIZE" = "1MiB", within bytes(1 << 10, 16 << 20);

        /// Serve at most this many subscribers at a time; further subscribers are asked to come back later. Each
        /// subscriber needs an open file, so there may be fewer if the hub may open too few files (`ulimit -n`)
        // The upper bound: a large machine serves about a million subscribers. Linux would allow a process 2^30 open
        // files.
        max_subscribers: Count as "COUNT" = 15_000, within count(1, 10_000_000);

        /// Refuse a subscription to more topics than this
        // There is an upper bound because each topic of a subscription is an entry in the router, which takes memory.
        max_topics: Count as "COUNT" = 100, within count(1, 10_000);

        /// Refuse a subscription without a token to more patterns than this. Each update is compared with the patterns
        /// of all subscribers
        // The bounds are those of max-topics, but a hub may allow no pattern at all.
        max_anonymous_patterns: Count as "COUNT" = 10, within count(0, 10_000);

        /// Ask further subscribers to come back later if the topics and patterns of all subscriptions would take more
        /// memory than this. A topic or pattern that several subscriptions have counts once
        // The lower bound: enough for a few subscriptions with the largest patterns.
        max_subscription_memory: ByteSize as "SIZE" = "512MiB", within bytes(1 << 20, 1 << 50);

        /// Ask further subscribers without a token to come back later if their topics and patterns would take more
        /// memory than this. They count towards --max-subscription-memory, too: the rest is for subscribers with a
        /// token
        max_anonymous_memory: ByteSize as "SIZE" = "128MiB", within bytes(1 << 20, 1 << 50);

        /// Ask further subscribers to come back later if a topic would be compared with more patterns of all
        /// subscriptions than this. A topic is compared with those patterns that begin like it, up to their first
        /// variable; a pattern that several subscriptions have counts once
        // The lower bound: `*` counts as a pattern.
        max_comparisons: Count as "COUNT" = 10_000, within count(1, 10_000_000);

        /// Ask further subscribers without a token to come back later if a topic would be compared with more of their
        /// patterns than this. They count towards --max-comparisons, too
        max_anonymous_comparisons: Count as "COUNT" = 1_000, within count(1, 10_000_000);

        /// Close a connection if data waits for its peer, and the peer takes none of it for this long. A peer that reads
        /// slowly but steadily keeps its connection. A subscriber resumes when it reconnects
        // The bounds: within less than a second, a network that loses packets may deliver nothing; after more than an
        // hour, the peer is gone.
        write_timeout: HumanDuration as "DURATION" = "1m", within time(1, 3_600);

        /// Close a connection on which no request has arrived for this long. Load balancers and proxies reuse silent
        /// connections for up to 60s: use a longer time than theirs
        // The bounds: with less than a second, almost every request would need a new connection; no client reuses a
        // connection after more than an hour.
        keep_alive_timeout: HumanDuration as "DURATION" = "75s", within time(1, 3_600);

        /// Discard updates from the log that are older than this
        retention_age: Limit<HumanDuration> as "DURATION|off" = "7d", within time(1, 100 * 365 * DAY_S);

        /// Discard the oldest updates when the log is larger than this; on disk, or in memory with --memory. The updates
        /// of --subscriptions do not count
        // The lower bound: a log of 1 MiB has room for at least some updates of the usual size.
        retention_bytes: Limit<ByteSize> as "SIZE|off" = "1GiB", within bytes(1 << 20, 1 << 50);

        /// Discard the oldest updates when the log has more updates than this. The updates of --subscriptions do not
        /// count
        retention_count: Limit<Count> as "COUNT|off" = "off", within count(1, COUNT_MAX);

        /// Discard the updates of some topics earlier than --retention-age: a topic, a URI Template or `*`, and an age;
        /// repeatable. Subscribers that come back and have missed such updates receive a gap event. In the environment,
        /// spaces or line ends separate several values
        #[serde(default, with = "words")]
        retention: Vec<Words<RetentionRule>> as "TOPICS=DURATION", such as ["chat/{room}=1h"];
    }

    "Delivery" {
        /// Write streams to sockets in this way: `auto` chooses the best way that the system supports; `epoll` writes
        /// to one socket after the other; `io-uring` writes to many sockets with one system call, but many containers
        /// forbid it; `hyper` lets the HTTP server write, with 13 to 24 KB of memory per subscriber instead of less
        /// than 1 KB
        #[arg(hide_possible_values = true)]
        delivery: Delivery as "ENGINE" = "auto";

        /// Write streams with this many threads; no effect with --delivery hyper [default: one per core]
        // The upper bound: no machine has more cores than this, and more threads than cores would not help.
        delivery_threads: Count as "COUNT", within count(1, 1_024), such as 2;
    }

    "Log" {
        /// Log messages of this level on standard error: error, warn, info, debug or trace; also by module, as in
        /// `info,fanfare_hub=debug`
        log_level: LogFilter as "LEVEL" = "info";
    }
}

/// Returns the definition of the option with this key, if there is one.
pub(super) fn definition(key: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.key() == key)
}

/// Returns the defaults of all options that have one, by key.
pub(super) fn defaults() -> Table {
    DEFINITIONS.iter().filter_map(|definition| Some((definition.key(), definition.default()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_up_to_the_bound_are_admitted_and_none_beyond() {
        let cases = [
            ("heartbeat-interval", "999ms", "1s", "1h", "3601s"),
            ("max-lifetime", "9s", "10s", "365d", "366d"),
            ("max-body", "1023", "1KiB", "16MiB", "16777217"),
            ("max-subscribers", "0", "1", "10000000", "10000001"),
            ("max-topics", "0", "1", "10000", "10001"),
            ("max-anonymous-patterns", "-1", "0", "10000", "10001"),
            ("max-subscription-memory", "1048575", "1MiB", "1024TiB", "1025TiB"),
            ("max-anonymous-memory", "1048575", "1MiB", "1024TiB", "1025TiB"),
            ("max-comparisons", "0", "1", "10000000", "10000001"),
            ("max-anonymous-comparisons", "0", "1", "10000000", "10000001"),
            ("delivery-threads", "0", "1", "1024", "1025"),
            ("write-timeout", "999ms", "1s", "1h", "3601s"),
            ("keep-alive-timeout", "999ms", "1s", "1h", "3601s"),
            ("retention-age", "0s", "1s", "36500d", "36501d"),
            ("retention-bytes", "1048575", "1MiB", "1024TiB", "1025TiB"),
            ("retention-count", "0", "1", "9223372036854775807", "9223372036854775808"),
        ];
        assert_eq!(cases.len(), DEFINITIONS.iter().filter(|definition| definition.bound.is_some()).count());
        for (key, below, least, most, above) in cases {
            let bound = definition(key).unwrap().bound.unwrap();
            let admitted = [below, least, most, above].map(|text| bound.admits(text));
            assert_eq!(admitted, [false, true, true, false], "{key}: {bound}");
        }
    }

    /// Each default and each example is a valid value of its option, and within its bounds.
    #[test]
    fn what_is_shown_is_a_value() {
        for definition in DEFINITIONS {
            let shown = [definition.default(), definition.example()];
            assert!(shown.iter().any(Option::is_some), "{} shows nothing", definition.key());
            for value in shown.into_iter().flatten() {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                assert!(definition.bound.is_none_or(|bound| bound.admits(&text)), "{} = {value}", definition.key());
                let table = Table::from_iter([(definition.key(), value)]);
                let read = table.clone().try_into::<ServeOptions>();
                assert!(read.is_ok(), "{table:?}: {read:?}");
            }
        }
    }
}
