//! The server: it accepts connections, and hyper serves them with the routes.
use crate::{
    app::App,
    auth::Authenticator,
    connection::{LargeHeads, MAX_LARGE_HEADS, Patience, Serving, Stop, Threads},
    delivery::shards::Shards,
    listener::Listeners,
    open_files,
    progress::WriteTimeout,
    routes::routes,
    seldom::Seldom,
    settings::Settings,
    subscriptions::ActiveSubscriptions,
    tls::Tls,
};
use fanfare_hub::{Hub, failure::Failure};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, watch},
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// The time that current requests and streams may take to finish when the server stops. The connections that are left
/// after it are closed.
pub const FINISH_TIMEOUT: Duration = Duration::from_secs(4);
/// The longest time that stopping the server takes before its threads of connections end, which takes up to 0.2 s more.
/// Docker kills a container 10 s after it has asked the container to stop.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(7);
/// The longest time that the server takes to stop after its hub has failed. Until then, publishers are answered.
pub const FAILED_TIMEOUT: Duration = Duration::from_secs(1);
/// The time between two checks whether the hub still trusts the keys whose tokens have let in the streams that are
/// open. The streams of a key that was taken away end within this time.
pub const REVOCATION_INTERVAL: Duration = Duration::from_secs(1);
/// The time for which the server waits after it failed to accept a connection, usually because it has no file
/// descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The HTTP server of a hub.
#[derive(Debug)]
pub struct Server {
    hub: Hub,
    auth: Authenticator,
    serving: Serving,
    /// The threads that serve connections; `None` if the caller's runtime serves them.
    threads: Option<Threads>,
    subscriptions: Option<ActiveSubscriptions>,
    /// The signal that the server stops. It ends the streams that hyper delivers.
    stop: watch::Sender<bool>,
}

impl Server {
    /// Creates a server for `hub`. `auth` decides what each request may do. Times in `settings` that are out of bounds
    /// are replaced by the nearest bound.
    ///
    /// # Errors
    /// [`io::Error`] if the system cannot start the threads that the settings ask for.
    pub fn new(hub: Hub, auth: Authenticator, settings: Settings) -> io::Result<Self> {
        let (stop, stopping) = watch::channel(false);
        let settings = settings.within_bounds();
        let places = Arc::new(Semaphore::new(0));
        let shards = Shards::start(&hub, &settings, &places)?.map(Arc::new);
        let Settings { keep_alive_timeout, head_timeout, connection_threads, .. } = settings;
        let write_timeout = WriteTimeout::new(settings.write_timeout, settings.heartbeat_interval);
        let threads = connection_threads.map(Threads::start).transpose()?;
        let max_subscribers = open_files::subscribers(settings.max_subscribers);
        places.add_permits(max_subscribers.min(Semaphore::MAX_PERMITS));
        let settings = Settings { max_subscribers, ..settings };
        let app = App::new(hub.clone(), auth.clone(), settings, places, shards.clone(), stopping);
        let patience = Patience::new(head_timeout, keep_alive_timeout);
        let subscriptions = app.subscriptions.clone();
        let router = routes(app);
        let large_heads = LargeHeads::new(MAX_LARGE_HEADS);
        let serving = Serving { router, write_timeout, patience, shards, large_heads };
        Ok(Self { hub, auth, serving, threads, subscriptions, stop })
    }

    /// Serves the connections of the listeners until `stopped` resolves, or until the hub [has failed](Hub::failed). Then
    /// the server stops: it ends all streams, so that their subscribers reconnect to another server, waits up to
    /// [`FINISH_TIMEOUT`] for current requests, and closes the remaining connections. If a request publishes an event
    /// stream, it is answered at once, with the number of events that were published. Stopping takes no longer than
    /// [`STOP_TIMEOUT`]. Then the threads of connections take up to 0.2 s to end.
    ///
    /// # Errors
    /// The [`Failure`] of the hub. The server has stopped then, within [`FAILED_TIMEOUT`], and the process should end
    /// with an error, so that its supervisor starts it again.
    pub async fn serve(
        self,
        listeners: impl Into<Listeners>,
        stopped: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let listeners = listeners.into();
        // Each connection holds a receiver of this sender while it is served, so that the server notices when no
        // connection is left.
        let connections = watch::Sender::new(Stop::Not);
        let (mut stopped, mut failed) = (std::pin::pin!(stopped), std::pin::pin!(self.hub.failed()));
        let warnings = Seldom::default();
        let mut looks = interval(REVOCATION_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut revocations = 0;
        let failure = loop {
            tokio::select! {
                accepted = listeners.accept() => match accepted {
                    Ok((socket, tls)) => self.begin(socket, tls, connections.subscribe()),
                    Err(error) => pause_accepting(&error, &warnings).await,
                },
                _ = looks.tick() => self.end_revoked(&mut revocations),
                () = &mut stopped => break None,
                failure = &mut failed => break Some(failure),
            }
        };
        drop(listeners);
        if let Some(failure) = failure {
            _ = timeout(FAILED_TIMEOUT, self.abort(&connections)).await;
            return Err(failure);
        }
        if timeout(STOP_TIMEOUT, self.stop(&connections)).await.is_err() {
            tracing::warn!("stopping took too long: the ends of some subscriptions may not be published");
        }
        // Tasks that read the log for a subscriber may run for a short time after the last connection has ended. Ending
        // the threads waits for these tasks, unless the disk does not answer.
        if let Some(threads) = self.threads {
            _ = spawn_blocking(move || threads.end()).await;
        }
        Ok(())
    }

    /// Starts to serve a connection.
    fn begin(&self, socket: TcpStream, tls: Option<Tls>, stop: watch::Receiver<Stop>) {
        let serving = self.serving.clone();
        let Some(threads) = &self.threads else {
            tokio::spawn(serving.connection(socket, tls, stop));
            return;
        };
        match socket.into_std() {
            Ok(socket) => threads.serve(serving, socket, tls, stop),
            Err(error) => tracing::debug!("a socket could not be taken over: {error}"),
        }
    }

    /// Ends the streams whose tokens were signed with a key that the hub does not trust any more. `known` is the number
    /// of revocations after which this was done last.
    fn end_revoked(&self, known: &mut u64) {
        let revocations = self.auth.revoke_signers();
        if std::mem::replace(known, revocations) != revocations
            && let Some(shards) = &self.serving.shards
        {
            shards.end_revoked();
        }
    }

    async fn stop(&self, connections: &watch::Sender<Stop>) {
        self.end_connections(connections, FINISH_TIMEOUT).await;
        // All connections have ended. So no stream is given to the shards any more, and they can stop.
        if let Some(shards) = &self.serving.shards {
            shards.stop().await;
        }
        // All subscribers have left, so the ends of all subscriptions can be published.
        if let Some(subscriptions) = &self.subscriptions {
            subscriptions.tell_all().await;
        }
    }

    /// Breaks off all streams: the hub has not ended them, and their subscribers resume on the hub that is started
    /// next. Publishers still get an answer: which of their updates were published, and which were not appended.
    async fn abort(&self, connections: &watch::Sender<Stop>) {
        self.stop.send_replace(true);
        if let Some(shards) = &self.serving.shards {
            shards.abort();
        }
        connections.send_replace(Stop::Finish);
        if timeout(FAILED_TIMEOUT / 2, connections.closed()).await.is_err() {
            connections.send_replace(Stop::Cut);
            connections.closed().await;
        }
    }

    /// Ends all streams, and waits for current requests, at most for `patience`. Then closes the remaining connections.
    async fn end_connections(&self, connections: &watch::Sender<Stop>, patience: Duration) {
        self.stop.send_replace(true);
        if let Some(shards) = &self.serving.shards {
            shards.end_all();
        }
        connections.send_replace(Stop::Finish);
        if timeout(patience, connections.closed()).await.is_err() {
            tracing::warn!("connections whose requests had not ended {patience:?} after the stop began were closed");
            connections.send_replace(Stop::Cut);
            connections.closed().await;
        }
    }
}

async fn pause_accepting(error: &io::Error, warnings: &Seldom) {
    if warnings.is_due() {
        tracing::warn!("cannot accept connections: {error}. The hub tries again every {ACCEPT_PAUSE:?}");
    }
    sleep(ACCEPT_PAUSE).await;
}
