//! The state that every handler shares.
use crate::{
    auth::Authenticator,
    body::strangers::MAX_STRANGERS_BYTES,
    delivery::shards::Shards,
    files::Files,
    health::LastAppend,
    hub_path::{self, HUB_PATH},
    seldom::Seldom,
    settings::Settings,
    subscribe::compiling::Compiling,
    subscriptions::ActiveSubscriptions,
};
use fanfare_hub::Hub;
use std::{ops::Deref, sync::Arc};
use tokio::sync::{Semaphore, watch};
use url::Url;

/// The state of the server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

/// The state that an [`App`] points to.
#[derive(Debug)]
pub struct Shared {
    pub(crate) hub: Hub,
    pub(crate) auth: Authenticator,
    pub(crate) settings: Settings,
    /// The hub's own URL, against which relative topics and patterns are resolved.
    pub(crate) base_url: Url,
    /// The URL of the hub's metadata.
    pub(crate) metadata_url: Url,
    /// The files that are served at all paths that the hub does not use; `None` if no files are served.
    pub(crate) files: Option<Files>,
    /// The limiter for the log lines about requests that were refused because they came through a proxy.
    pub(crate) proxied: Seldom,
    /// The limiter for the warnings that there are too many subscribers.
    pub(crate) crowded: Seldom,
    /// The limiter for the warnings that a budget of all subscriptions is used up.
    pub(crate) over_budget: Seldom,
    /// The limiter for the warnings that a budget of the subscriptions without a token is used up.
    pub(crate) over_anonymous_budget: Seldom,
    /// The limiter for the warnings that there are too many bodies of requests without a token.
    pub(crate) crowded_by_bodies: Seldom,
    /// The limiter for the errors that a subscriber cannot be served.
    pub(crate) failed: Seldom,
    /// The shards; `None` if hyper delivers all streams.
    pub(crate) shards: Option<Arc<Shards>>,
    /// The last answer of the log to a health probe.
    pub(crate) last_append: LastAppend,
    /// The permits for subscribers: one for each subscriber that the hub has room for.
    pub(crate) places: Arc<Semaphore>,
    /// The permits for the bytes of the bodies of requests without a token.
    pub(crate) strangers_bytes: Arc<Semaphore>,
    /// The turns in which the patterns of requests without a token are compiled.
    pub(crate) compiling: Compiling,
    /// The active subscriptions; `None` if the hub does not publish them.
    pub(crate) subscriptions: Option<ActiveSubscriptions>,
    /// The signal that becomes true when the server begins to stop.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl App {
    /// Creates the state of a server. The settings must be within their bounds. `places` has a permit for each
    /// subscriber that the hub has room for.
    ///
    /// # Panics
    /// If active subscriptions are published and the function is called outside a tokio runtime.
    pub(crate) fn new(
        hub: Hub,
        auth: Authenticator,
        settings: Settings,
        places: Arc<Semaphore>,
        shards: Option<Arc<Shards>>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let base_url = settings.public_url.join(HUB_PATH).expect("an absolute path resolves against any HTTP URL");
        let metadata_url = hub_path::metadata_url(&base_url);
        let subscriptions =
            settings.subscriptions.then(|| ActiveSubscriptions::start(hub.clone(), settings.max_subscribers));
        let files = Files::of(&settings);
        Self(Arc::new(Shared {
            hub,
            auth,
            settings,
            base_url,
            metadata_url,
            files,
            proxied: Seldom::default(),
            crowded: Seldom::default(),
            over_budget: Seldom::default(),
            over_anonymous_budget: Seldom::default(),
            crowded_by_bodies: Seldom::default(),
            failed: Seldom::default(),
            strangers_bytes: Arc::new(Semaphore::new(MAX_STRANGERS_BYTES)),
            compiling: Compiling::default(),
            shards,
            last_append: LastAppend::default(),
            places,
            subscriptions,
            stopping,
        }))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
