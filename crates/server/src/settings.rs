//! The settings of the server and their defaults, in one place.
use std::{collections::HashMap, num::NonZero, path::PathBuf, time::Duration};
use url::Url;

/// The largest request body by default, in bytes.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1 << 20;
/// The greatest number of topics and patterns of one subscription by default.
pub const DEFAULT_MAX_TOPICS: usize = 100;
/// The greatest number of patterns, by default, of a subscriber that presents no token. The hub compares each update
/// with the patterns of all subscribers.
pub const DEFAULT_MAX_ANONYMOUS_PATTERNS: usize = 10;
/// The longest time by default for which a stream is silent; then a heartbeat is sent. Proxies close a connection that
/// was silent for 55 s or more.
pub const DEFAULT_HEARTBEAT_INTERVAL: Duration = Duration::from_secs(20);
/// The time by default that a connection may take to send the head of a request, counted from the first byte of the
/// head.
pub const DEFAULT_HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// The greatest number of subscribers by default. Usually a process can open 20,000 files or more. Each subscriber
/// needs one, and the hub needs some for itself.
pub const DEFAULT_MAX_SUBSCRIBERS: usize = 15_000;
/// The time by default in which a peer must acknowledge a byte of what was sent to it. It is equal to the time that the
/// head of a request may take to arrive.
pub const DEFAULT_WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// The time for which a connection may be silent between two requests by default. Load balancers and proxies reuse a
/// connection that was silent for up to 60 s; if the hub closes the connection at that moment, a request fails.
pub const DEFAULT_KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(75);

/// The shortest time between two heartbeats. With a shorter time, the hub would do nothing but send heartbeats.
pub const MIN_HEARTBEAT_INTERVAL: Duration = Duration::from_millis(10);
/// The longest time of a setting, except the lifetime of a stream: a moment much further away cannot be calculated.
pub const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The way in which streams are written to sockets. Subscribers see no difference, except that hyper closes the
/// connection after a stream only if it is asked to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// The fastest way that the system supports.
    #[default]
    Auto,
    /// Separate threads that make one system call for each send. Every system supports this.
    Epoll,
    /// Separate threads that make many sends with one system call. Containers often forbid io_uring.
    IoUring,
    /// The HTTP server hyper itself. Each subscriber takes 13 to 24 KB of memory, and less than 1 KB with the other
    /// ways.
    Hyper,
}

/// The settings of a [`Server`](crate::Server).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The aliases: other paths at which an event stream of fixed topics is served, e.g. `/sse` for a page that was
    /// written for that path. Each alias has a list of its topics.
    pub aliases: HashMap<String, Vec<String>>,
    /// The origins whose pages may read streams and publish, e.g. `https://example.com`; `*` is every origin, without
    /// credentials. Default: only the hub's own origin.
    pub cors_origins: Vec<String>,
    /// A directory whose files are served at all paths that the hub does not use itself; its `index.html` replaces the
    /// hub's page at `/`. Names that begin with a dot, except `.well-known`, are not served. Files outside the
    /// directory are not served either, even if a link in the directory leads to them. The directory should hold
    /// nothing secret.
    pub static_dir: Option<PathBuf>,
    /// A file in [`static_dir`](Self::static_dir), such as `index.html`, that browsers get instead of a page that does
    /// not exist. It is meant for applications that find out in the browser which page to show. Default: none.
    pub fallback: Option<String>,
    /// True if the hub's own page is served: at `/fanfare`, and also at `/` if [`static_dir`](Self::static_dir) has no
    /// file for `/`. Default: yes.
    pub page: bool,
    /// True if each event stream begins with an event of the type `fanfare.start`, whose ID is the place where the
    /// stream begins, and if later heartbeats tell newer places. Without these events, a subscriber whose connection
    /// breaks before the first update loses updates. Default: yes.
    pub start_event: bool,
    /// The approximate time of silence after which a stream gets a heartbeat. A shorter time than
    /// [`MIN_HEARTBEAT_INTERVAL`] or a longer time than [`MAX_TIME`] counts as that time. Default:
    /// [`DEFAULT_HEARTBEAT_INTERVAL`].
    pub heartbeat_interval: Duration,
    /// The longest time that a stream lasts. A stream ends after 80 to 100 % of this time, at random. Its subscriber
    /// then reconnects, so that in the course of time the subscribers spread over all servers behind a load balancer.
    /// Default: none.
    pub max_lifetime: Option<Duration>,
    /// The largest body of a request, in bytes. If the body is an event stream, this limits the size of each event.
    /// Default: [`DEFAULT_MAX_BODY_BYTES`]. Each connection that publishes takes up to this much memory.
    pub max_body_bytes: usize,
    /// The greatest number of topics, or of patterns for topics, of one subscription. Default: [`DEFAULT_MAX_TOPICS`].
    pub max_topics: usize,
    /// The greatest number of patterns of one subscription without a token: URL Patterns and URI Templates. With a
    /// token, only [`max_topics`](Self::max_topics) counts. Default: [`DEFAULT_MAX_ANONYMOUS_PATTERNS`].
    pub max_anonymous_patterns: usize,
    /// The greatest number of subscribers at a time. Further subscribers are told to come back later. If the process
    /// may open too few files for so many subscribers, the number is smaller: see [`open_files`](crate::open_files).
    /// Default: [`DEFAULT_MAX_SUBSCRIBERS`].
    pub max_subscribers: usize,
    /// True if the hub publishes who is subscribed to which topics, as private updates and at
    /// `/.well-known/mercure/subscriptions`. Each time a subscriber comes or leaves, the log gets two updates for each
    /// topic or pattern of the subscriber. Each subscriber takes about 300 bytes of memory more. Default: no.
    pub subscriptions: bool,
    /// True if `DELETE /topics/{topic}` erases updates. An update is erased only if the token of the request allows
    /// publishing to all topics of this update. Default: no.
    pub allow_erase: bool,
    /// The way in which streams are written to sockets. Default: [`Delivery::Auto`].
    pub delivery: Delivery,
    /// The number of threads that write streams to sockets. It has no effect with [`Delivery::Hyper`]. Default: one
    /// thread for each core.
    pub delivery_threads: Option<NonZero<usize>>,
    /// The number of threads that serve connections until a shard takes them. Each thread has its own runtime, so a
    /// publication costs less CPU time than with one runtime of many threads. Default: none; then connections are
    /// served by the runtime on which [`Server::serve`](crate::Server::serve) runs.
    pub connection_threads: Option<NonZero<usize>>,
    /// The longest time in which a peer acknowledges no byte of what was sent to it; then its connection is closed. A
    /// peer that reads slowly, but takes something again and again, keeps its connection. The hub looks at a connection
    /// once in each heartbeat interval, so it may take this interval longer to notice that a peer takes nothing. When
    /// the subscriber reconnects, it gets the events that it has missed. With zero, only the system decides: it gives up
    /// a peer that does not answer after about 15 minutes, and a peer that has no room never. At most [`MAX_TIME`].
    /// Linux only. Default: [`DEFAULT_WRITE_TIMEOUT`].
    pub write_timeout: Duration,
    /// The time after which a connection is closed if no request has begun since the last answer. At most
    /// [`MAX_TIME`]. Default: [`DEFAULT_KEEP_ALIVE_TIMEOUT`].
    pub keep_alive_timeout: Duration,
    /// The time after which a connection is closed if the head of a request has begun and is still not complete. At
    /// most [`MAX_TIME`]. Default: [`DEFAULT_HEAD_TIMEOUT`].
    pub head_timeout: Duration,
    /// The URL at which browsers reach the hub, e.g. `https://hub.example.com`. Relative URL Patterns and topics are
    /// resolved against it. Default: `http://localhost/`.
    pub public_url: Url,
}

impl Settings {
    /// Returns the settings with all times within their bounds.
    pub(crate) fn within_bounds(self) -> Self {
        Self {
            heartbeat_interval: self.heartbeat_interval.clamp(MIN_HEARTBEAT_INTERVAL, MAX_TIME),
            write_timeout: self.write_timeout.min(MAX_TIME),
            keep_alive_timeout: self.keep_alive_timeout.min(MAX_TIME),
            head_timeout: self.head_timeout.min(MAX_TIME),
            ..self
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            aliases: HashMap::new(),
            cors_origins: Vec::new(),
            static_dir: None,
            fallback: None,
            page: true,
            start_event: true,
            heartbeat_interval: DEFAULT_HEARTBEAT_INTERVAL,
            max_lifetime: None,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            max_topics: DEFAULT_MAX_TOPICS,
            max_anonymous_patterns: DEFAULT_MAX_ANONYMOUS_PATTERNS,
            max_subscribers: DEFAULT_MAX_SUBSCRIBERS,
            subscriptions: false,
            allow_erase: false,
            delivery: Delivery::default(),
            delivery_threads: None,
            connection_threads: None,
            write_timeout: DEFAULT_WRITE_TIMEOUT,
            keep_alive_timeout: DEFAULT_KEEP_ALIVE_TIMEOUT,
            head_timeout: DEFAULT_HEAD_TIMEOUT,
            public_url: Url::parse("http://localhost/").expect("a valid URL"),
        }
    }
}
