//! The hub that this repository builds, for the suite to try.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use fanfare_conformance::{Issuer, Target};
use fanfare_hub::{
    Hub, HubLimits,
    failure::Failure,
    log::{MemoryLog, Retention},
};
use fanfare_server::{
    Server, Settings,
    auth::{AuthSettings, Authenticator, Key, TrustedIssuer, TrustedKeys},
};
use std::sync::Arc;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use url::Url;

const PUBLISHER_KEY: &str = "the secret of publishers' tokens, of at least 32 bytes";
const SUBSCRIBER_KEY: &str = "the secret of subscribers' tokens, of at least 32 bytes";
const ISSUER: &str = "https://issuer.example";
const ISSUER_KEY: &str = "the secret of an issuer, of at least 32 bytes";
pub const CORS_ORIGIN: &str = "https://page.example";

/// How the program is told the secrets.
#[allow(dead_code, reason = "not every test runs the program")]
pub const PROGRAM_ARGUMENTS: [&str; 8] = [
    "--publisher-key",
    PUBLISHER_KEY,
    "--subscriber-key",
    SUBSCRIBER_KEY,
    "--issuer",
    ISSUER,
    "--issuer-key",
    ISSUER_KEY,
];

/// A hub on a port of its own.
pub struct OwnHub {
    pub target: Target,
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<Result<(), Failure>>,
}

impl OwnHub {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/.well-known/mercure", listener.local_addr().unwrap());
        let url = Url::parse(&url).unwrap();
        let log = MemoryLog::new(Retention::default());
        let hub = Hub::start(Arc::new(log), &HubLimits::default()).unwrap();
        let mut settings = Settings::default();
        settings.public_url = url.clone();
        settings.cors_origins = vec![CORS_ORIGIN.into()];
        settings.subscriptions = true;
        let server = Server::new(hub, Authenticator::new(auth(url.clone())), settings).unwrap();
        let (stop, told) = oneshot::channel();
        let stopped = tokio::spawn(server.serve(listener, async { drop(told.await) }));
        let mut target = Target::new(url);
        target.publisher_key = Some(PUBLISHER_KEY.into());
        target.subscriber_key = Some(SUBSCRIBER_KEY.into());
        target.issuer = Some(Issuer { name: ISSUER.into(), key: ISSUER_KEY.into() });
        target.cors_origin = Some(CORS_ORIGIN.into());
        Self { target, stop, stopped }
    }

    pub async fn stop(self) {
        drop(self.stop);
        self.stopped.await.unwrap().unwrap();
    }
}

fn auth(url: Url) -> AuthSettings {
    let key = |secret: &str| Key::hs256(secret.as_bytes()).unwrap();
    let keys = TrustedKeys {
        publisher_keys: key(PUBLISHER_KEY).into(),
        subscriber_keys: key(SUBSCRIBER_KEY).into(),
        issuers: vec![TrustedIssuer::new(ISSUER, key(ISSUER_KEY).into())],
    };
    AuthSettings {
        anonymous: true,
        keys: keys.into(),
        publish_origins: vec![CORS_ORIGIN.into()],
        ..AuthSettings::closed(url)
    }
}
