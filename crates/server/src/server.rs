//! The server: connections in, hyper on each of them, the routes behind it.
use crate::{app::App, auth::Authenticator, routes::routes, settings::Settings};
use axum::Router;
use fanfare_hub::Hub;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{io, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

/// How long a connection may take to send the head of a request; also, how long it may idle between two requests.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// How long requests that are under way when the server stops may take to finish.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How many bytes of a request's head, and of answers that the peer does not read, are held per connection. A frame that
/// is larger goes out alone.
pub const CONNECTION_BUFFER_BYTES: usize = 64 << 10;
/// How long the server waits when it cannot accept, as a rule because it has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A hub over HTTP.
#[derive(Debug)]
pub struct Server {
    router: Router,
    stop: watch::Sender<bool>,
}

impl Server {
    /// A server for `hub`, which asks `auth` who may do what.
    #[must_use]
    pub fn new(hub: Hub, auth: Authenticator, settings: Settings) -> Self {
        let (stop, stopping) = watch::channel(false);
        Self { router: routes(App::new(hub, auth, settings, stopping)), stop }
    }

    /// Serves the connections of `listener` until `stopped` resolves; then ends all streams, so that their subscribers
    /// reconnect elsewhere, and waits up to [`STOP_TIMEOUT`] for requests that are under way.
    pub async fn serve(self, listener: TcpListener, stopped: impl Future<Output = ()>) {
        let connections = GracefulShutdown::new();
        let mut stopped = std::pin::pin!(stopped);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.connect(stream, &connections),
                    Err(error) => pause_accepting(&error).await,
                },
                () = &mut stopped => break,
            }
        }
        drop(listener);
        self.stop.send_replace(true);
        if timeout(STOP_TIMEOUT, connections.shutdown()).await.is_err() {
            tracing::warn!("stopped while requests were under way");
        }
    }

    /// Serves one connection in a task of its own.
    fn connect(&self, stream: TcpStream, connections: &GracefulShutdown) {
        // Events are small and each is to leave at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("the peer is gone already: {error}");
            return;
        }
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(CONNECTION_BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(self.router.clone()));
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended: {error}");
            }
        });
    }
}

async fn pause_accepting(error: &io::Error) {
    tracing::warn!("cannot accept a connection: {error}");
    sleep(ACCEPT_PAUSE).await;
}
