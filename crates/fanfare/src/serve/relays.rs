//! The relays of a hub. Each relay is an asynchronous task, which ends with the hub, or when its upstream says that
//! there are no more events.
use super::ServeError;
use crate::{
    config::{self, ConfigError, ServeSettings, Storage},
    http::{ConnectionArgs, Header},
    relay::{LocalSink, Parts, Patience, Relay, Sink, State, Template, Upstream, Voice},
};
use fanfare_hub::Hub;
use http::{HeaderValue, header::AUTHORIZATION};
use std::{fs, io, path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// The directory inside the data directory in which the relays save their states.
const DIRECTORY: &str = "relay";
/// The longest token in the file of a relay, in bytes. Most servers do not accept longer headers.
const MAX_TOKEN_BYTES: usize = 16 << 10;
/// The time after which a relay that has failed or panicked starts again. It fails, for example, if its state cannot be
/// written to disk.
const RESTART_DELAY: Duration = Duration::from_secs(10);
/// When the hub stops: the longest time that it waits until a relay has saved its state.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The running relays of a hub.
pub(super) struct Relays {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// The values from which a relay is made, and made again after a failure.
struct Plan {
    hub: Hub,
    relay: config::Relay,
    headers: Vec<Header>,
    /// The progress, which all attempts share: without a file, it is only here.
    state: State,
    max_data_bytes: usize,
}

impl Relays {
    /// Starts the relays that are in the settings. They publish to `hub`.
    ///
    /// # Errors
    /// [`ServeError`] if a token cannot be read, or the directory for states cannot be made.
    pub(super) fn start(settings: &ServeSettings, hub: &Hub) -> Result<Self, ServeError> {
        let directory = match settings.storage() {
            // A log in memory is lost when the process ends. Then all events have to be relayed again, so no state is
            // saved on disk.
            Storage::Memory => None,
            Storage::Disk(data) => Some(data.join(DIRECTORY)),
        };
        if let (false, Some(directory)) = (settings.relays().next().is_none(), &directory) {
            fs::create_dir_all(directory)
                .map_err(|error| ServeError::RelayDirectory { directory: directory.clone(), error })?;
        }
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for relay in settings.relays() {
            let file = directory.as_ref().map(|directory| directory.join(relay.file_name()));
            let plan = Plan {
                hub: hub.clone(),
                headers: headers(relay)?,
                state: State::new(file, relay.last_event_id.clone()),
                max_data_bytes: usize::try_from(settings.max_body.0).unwrap_or(usize::MAX),
                relay: relay.clone(),
            };
            let (name, plan, stopped) = (relay.shown_url(), Arc::new(plan), stopped.clone());
            tasks.spawn(async move {
                let attempt = || Arc::clone(&plan).attempt(stopped.clone());
                again_and_again(&name, attempt, stopped.clone()).await;
            });
        }
        Ok(Self { stop, tasks })
    }

    /// Tells all relays to end, without waiting until they have ended.
    pub(super) fn begin_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Ends all relays, and waits until each has saved the last event ID that the hub has acknowledged.
    pub(super) async fn stop(mut self) {
        self.begin_to_stop();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Makes attempts until one of them says that there must be no further one, or until the hub stops. A relay that has
/// panicked starts again like one that has failed: the input of its upstream must not end the hub.
async fn again_and_again<F: Future<Output = Next> + Send + 'static>(
    name: &str,
    attempt: impl Fn() -> F,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        match tokio::spawn(attempt()).await {
            Ok(Next::End) => return,
            Ok(Next::Restart) => {}
            Err(_) => tracing::error!(relay = name, "this relay has panicked; restarting in {RESTART_DELAY:?}"),
        }
        tokio::select! {
            () = sleep(RESTART_DELAY) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// The decision after an attempt to relay has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    End,
    Restart,
}

impl Plan {
    async fn attempt(self: Arc<Self>, mut stopped: watch::Receiver<bool>) -> Next {
        let name = self.relay.shown_url();
        let mut relay = Relay::new(self.parts());
        let ended = tokio::select! {
            ended = relay.run() => Some(ended),
            _ = stopped.wait_for(|stopped| *stopped) => None,
        };
        let flushed = timeout(FLUSH_TIMEOUT, relay.flush()).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(relay = name, "{error}");
        }
        tracing::info!(relay = name, "{}", relay.summary());
        match ended {
            None => Next::End,
            Some(Ok(())) => {
                tracing::warn!(
                    relay = name,
                    "the upstream says that there are no more events (204): this relay has ended"
                );
                Next::End
            }
            Some(Err(error)) => {
                tracing::error!(relay = name, "{error}; restarting in {RESTART_DELAY:?}");
                Next::Restart
            }
        }
    }

    fn parts(&self) -> Parts {
        let topics = self.relay.topics();
        Parts {
            upstream: Upstream {
                url: self.relay.url().to_string(),
                headers: self.headers.clone(),
                without: Vec::new(),
                connection: ConnectionArgs::default(),
                idle_timeout: self.relay.idle_timeout.map(|timeout| timeout.0),
            },
            sink: Sink::Local(LocalSink::new(self.hub.clone(), &topics[0])),
            template: Template { topics, private: self.relay.private, max_data_bytes: self.max_data_bytes },
            state: self.state.for_next_run(),
            voice: Voice::Log { name: self.relay.shown_url() },
            patience: Patience::Always,
        }
    }
}

/// Returns the headers of a relay's requests, with its token.
fn headers(relay: &config::Relay) -> Result<Vec<Header>, ConfigError> {
    let mut headers = relay.headers.clone();
    if let Some(path) = &relay.token_file {
        headers.push(Header { name: AUTHORIZATION, value: token(path)? });
    }
    Ok(headers)
}

fn token(path: &Path) -> Result<HeaderValue, ConfigError> {
    let unfit = |error| ConfigError::SecretFile { key: "relay.token-file".into(), path: path.to_owned(), error };
    let text = fs::read_to_string(path).map_err(unfit)?;
    let token = text.trim_end_matches(['\r', '\n']);
    let value = match token.len() {
        ..=MAX_TOKEN_BYTES => HeaderValue::from_str(&format!("Bearer {token}")).map_err(io::Error::other),
        bytes => Err(io::Error::other(format!("the token has {bytes} bytes, and {MAX_TOKEN_BYTES} are allowed"))),
    };
    let mut value = value.map_err(unfit)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        panic::resume_unwind,
        sync::atomic::{AtomicUsize, Ordering},
    };

    #[tokio::test(start_paused = true)]
    async fn a_relay_that_panics_or_fails_starts_again_until_the_hub_stops() {
        let (stop, stopped) = watch::channel(false);
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = attempts.clone();
        let attempt = move || {
            let attempts = counted.clone();
            async move {
                match attempts.fetch_add(1, Ordering::SeqCst) {
                    0 => resume_unwind(Box::new("as a panic, without its message among the test's output")),
                    1 => Next::Restart,
                    _ => Next::End,
                }
            }
        };
        let begun = tokio::time::Instant::now();
        again_and_again("upstream", &attempt, stopped.clone()).await;
        assert_eq!((attempts.load(Ordering::SeqCst), begun.elapsed().as_secs()), (3, 2 * RESTART_DELAY.as_secs()));
        attempts.store(0, Ordering::SeqCst);
        stop.send_replace(true);
        again_and_again("upstream", &attempt, stopped).await;
        assert_eq!(attempts.load(Ordering::SeqCst), 1, "a hub that stops starts no relay again");
    }
}
