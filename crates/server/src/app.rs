//! The state that every handler shares.
use crate::{
    auth::Authenticator,
    files::Files,
    hub_path::{self, HUB_PATH},
    seldom::Seldom,
    settings::Settings,
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
    /// The hub's own URL: what relative topics and patterns resolve against.
    pub(crate) base_url: Url,
    /// The URL of the hub's metadata.
    pub(crate) metadata_url: Url,
    /// Files that are served where nothing else is.
    pub(crate) files: Option<Files>,
    /// The time when it was last said that what a proxy let in was refused.
    pub(crate) proxied: Seldom,
    /// One permit for each subscriber there is room for.
    pub(crate) places: Arc<Semaphore>,
    /// The active subscriptions, if they are told.
    pub(crate) subscriptions: Option<ActiveSubscriptions>,
    /// Turns true when the server begins to stop.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl App {
    /// # Panics
    /// Outside a tokio runtime, if active subscriptions are told.
    pub(crate) fn new(hub: Hub, auth: Authenticator, settings: Settings, stopping: watch::Receiver<bool>) -> Self {
        let base_url = settings.public_url.join(HUB_PATH).expect("an absolute path resolves against any HTTP URL");
        let metadata_url = hub_path::metadata_url(&base_url);
        let places = Arc::new(Semaphore::new(settings.max_subscribers.min(Semaphore::MAX_PERMITS)));
        let subscriptions =
            settings.subscriptions.then(|| ActiveSubscriptions::start(hub.clone(), settings.max_subscribers));
        let files = Files::of(&settings);
        let proxied = Seldom::default();
        Self(Arc::new(Shared {
            hub,
            auth,
            settings,
            base_url,
            metadata_url,
            files,
            proxied,
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
