//! The server: connections in, hyper on each of them, the routes behind it.
use crate::{
    app::App, auth::Authenticator, connection::Serving, delivery::shards::Shards, routes::routes, settings::Settings,
    subscriptions::ActiveSubscriptions,
};
use fanfare_hub::Hub;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{sleep, timeout},
};

/// How long requests that are under way when the server stops, and what was begun of streams, may take to finish.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server waits when it cannot accept, as a rule because it has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A hub over HTTP.
#[derive(Debug)]
pub struct Server {
    serving: Serving,
    subscriptions: Option<ActiveSubscriptions>,
    /// Ends the streams that are delivered through hyper.
    stop: watch::Sender<bool>,
}

impl Server {
    /// A server for `hub`, which asks `auth` who may do what.
    ///
    /// # Errors
    /// [`io::Error`] if the system does not have what the settings ask for to deliver with.
    pub fn new(hub: Hub, auth: Authenticator, settings: Settings) -> io::Result<Self> {
        let (stop, stopping) = watch::channel(false);
        let app = App::new(hub, auth, settings, stopping);
        let shards = Shards::start(&app.hub, &app.settings, &app.places)?.map(Arc::new);
        let write_timeout = app.settings.write_timeout;
        let subscriptions = app.subscriptions.clone();
        let router = routes(app);
        Ok(Self { serving: Serving { router, write_timeout, shards }, subscriptions, stop })
    }

    /// Serves the connections of `listener` until `stopped` resolves; then ends all streams, so that their subscribers
    /// reconnect elsewhere, and waits up to [`STOP_TIMEOUT`] for what is under way.
    pub async fn serve(self, listener: TcpListener, stopped: impl Future<Output = ()>) {
        // Each connection has a receiver for as long as it is served.
        let connections = watch::Sender::new(());
        let mut stopped = std::pin::pin!(stopped);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        tokio::spawn(self.serving.clone().connection(socket, connections.subscribe()));
                    }
                    Err(error) => pause_accepting(&error).await,
                },
                () = &mut stopped => break,
            }
        }
        drop(listener);
        if timeout(STOP_TIMEOUT, self.stop(&connections)).await.is_err() {
            tracing::warn!("stopped while requests were under way");
        }
    }

    async fn stop(&self, connections: &watch::Sender<()>) {
        let shards = self.serving.shards.as_deref();
        self.stop.send_replace(true);
        shards.inspect(|shards| shards.end_all());
        connections.send_replace(());
        connections.closed().await;
        // From here on nothing is handed over.
        if let Some(shards) = shards {
            shards.stop().await;
        }
        // All have left.
        if let Some(subscriptions) = &self.subscriptions {
            subscriptions.tell_all().await;
        }
    }
}

async fn pause_accepting(error: &io::Error) {
    tracing::warn!("cannot accept a connection: {error}");
    sleep(ACCEPT_PAUSE).await;
}
