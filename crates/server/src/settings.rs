//! The settings of the server and their defaults, in one place.
use std::{collections::HashMap, num::NonZero, path::PathBuf, time::Duration};
use url::Url;

/// The largest request body by default, in bytes.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1 << 20;
/// The most topics, or patterns for topics, of one subscription by default.
pub const DEFAULT_MAX_TOPICS: usize = 100;
/// The time for which a stream is silent at most by default. Proxies cut a silent connection after 55 s and more.
pub const DEFAULT_HEARTBEAT_INTERVAL: Duration = Duration::from_secs(20);
/// The time that a connection may take by default to send the head of a request, from its first byte on.
pub const DEFAULT_HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// The most subscribers by default: a process may commonly open 20,000 files and more, and needs some for itself.
pub const DEFAULT_MAX_SUBSCRIBERS: usize = 15_000;
/// The time for which a peer may take nothing of what is sent to it by default: as long as it may take for a request's
/// head.
pub const DEFAULT_WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// The time for which a connection may be silent between two requests by default. Load balancers and proxies reuse a
/// connection that was silent for up to 60 s; one that is closed just then fails a request.
pub const DEFAULT_KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(75);

/// The way in which streams get into sockets. The subscribers see no difference but `Transfer-Encoding: chunked` or
/// none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// The best that the system has.
    #[default]
    Auto,
    /// Threads of their own, with a write for each socket. Every system has it.
    Epoll,
    /// Threads of their own, with one system call for the writes to many sockets. Where containers are, it is often
    /// forbidden.
    IoUring,
    /// The HTTP server itself: 13 to 24 KB for each subscriber, where the others take less than one.
    Hyper,
}

/// The settings of a [`Server`](crate::Server).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Paths at which an event stream of fixed topics is served, e.g. `/sse` for a page that was written for it.
    pub aliases: HashMap<String, Vec<String>>,
    /// The origins whose pages may read streams and publish, e.g. `https://example.com`; `*` is every origin, without
    /// credentials. Default: none but the hub's own.
    pub cors_origins: Vec<String>,
    /// A directory whose files are served where nothing else is; its `index.html` takes the place of the hub's page at
    /// `/`. Names that begin with a dot are not served, except `.well-known`, nor what is outside the directory by way
    /// of links. Nothing secret should lie in it.
    pub static_dir: Option<PathBuf>,
    /// A file in that directory, such as `index.html`, that browsers get for a page that is not there: for applications
    /// that have their routes in the page. Default: none.
    pub fallback: Option<String>,
    /// True if the hub's own page is served, at `/fanfare` and, where no file of [`static_dir`](Self::static_dir) is,
    /// at `/`. Default: yes.
    pub page: bool,
    /// A stream that was silent for about this long gets a heartbeat. Default: [`DEFAULT_HEARTBEAT_INTERVAL`].
    pub heartbeat_interval: Duration,
    /// A stream ends after 80 to 100 % of this time, at random, so that subscribers spread again over the machines.
    /// Default: none.
    pub max_lifetime: Option<Duration>,
    /// The largest body of a request, in bytes; of a streamed one, the largest event. Default:
    /// [`DEFAULT_MAX_BODY_BYTES`]. Costs up to this much memory per publishing connection.
    pub max_body_bytes: usize,
    /// The most topics, or patterns for topics, of one subscription. Default: [`DEFAULT_MAX_TOPICS`].
    pub max_topics: usize,
    /// The most subscribers at a time. Others are told to come back later. Default: [`DEFAULT_MAX_SUBSCRIBERS`].
    pub max_subscribers: usize,
    /// True if others are told who is subscribed to what, as private updates and at
    /// `/.well-known/mercure/subscriptions`. Each time somebody comes or goes the log gets two updates for each
    /// matcher, and each subscriber takes about 300 bytes more. Default: no.
    pub subscriptions: bool,
    /// True if `DELETE /topics/{topic}` erases updates. Whoever asks needs a token that allows to publish all topics of
    /// an update. Default: no.
    pub allow_erase: bool,
    /// The way in which streams get into sockets. Default: [`Delivery::Auto`].
    pub delivery: Delivery,
    /// The number of threads that deliver, unless [`Delivery::Hyper`] does. Default: one for each core.
    pub delivery_threads: Option<NonZero<usize>>,
    /// The number of threads that serve connections until a stream is delivered, each with a runtime of its own, which
    /// costs a publication less CPU than a runtime of many threads. Default: none, and the runtime serves them on which
    /// [`Server::serve`](crate::Server::serve) runs.
    pub connection_threads: Option<NonZero<usize>>,
    /// A peer that for this long acknowledges nothing of what was sent to it, or has no room for more, is given up.
    /// What it has missed it gets when it comes back. Zero leaves it to the system, whose patience is some 15 minutes.
    /// Linux only. Default: [`DEFAULT_WRITE_TIMEOUT`].
    pub write_timeout: Duration,
    /// A connection on which for this long no request has come since the last answer is closed. Default:
    /// [`DEFAULT_KEEP_ALIVE_TIMEOUT`].
    pub keep_alive_timeout: Duration,
    /// A connection on which the head of a request is not complete this long after its first byte is closed. Default:
    /// [`DEFAULT_HEAD_TIMEOUT`].
    pub head_timeout: Duration,
    /// The URL under which browsers see the hub, e.g. `https://hub.example.com`: what relative URL Patterns and topics
    /// resolve against. Default: `http://localhost/`.
    pub public_url: Url,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            aliases: HashMap::new(),
            cors_origins: Vec::new(),
            static_dir: None,
            fallback: None,
            page: true,
            heartbeat_interval: DEFAULT_HEARTBEAT_INTERVAL,
            max_lifetime: None,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            max_topics: DEFAULT_MAX_TOPICS,
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
