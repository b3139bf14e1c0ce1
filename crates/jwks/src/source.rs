//! Keeps the keys of the JWK set at one URL in memory. An asynchronous task keeps them up to date.
//!
//! The task fetches the set when it is no longer fresh, and when a caller asks for a fetch. If a fetch is already being
//! made, the caller waits for this fetch. For this reason, any number of tokens with unknown keys cause only one fetch,
//! and no fetch at all if the last one has ended less than [`Timing::min_refetch_interval`] ago.
use crate::{
    fetch::{Client, FetchError, Fetched},
    url::JwksUrl,
};
use fanfare_server::auth::{Key, KeyRules, KeySource};
use http::HeaderValue;
use std::{fmt, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
    time::{Instant, sleep_until, timeout},
};

/// The greatest number of characters of a key's ID that the log shows.
const MAX_KID_CHARS: usize = 64;

/// The times that control when a [`JwksSource`] fetches, and how long its keys stay valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// The shortest time after a fetch before a token with an unknown key causes another fetch. Default: 10 s. If an
    /// issuer publishes a new key and at once signs tokens with it, the hub may refuse these tokens for this time.
    pub min_refetch_interval: Duration,
    /// The longest time that a caller waits for a fetch that it asked for. Default: 5 s.
    pub refetch_patience: Duration,
    /// The time between a failed fetch and the next attempt. Each further failure doubles the time between attempts, up
    /// to 20 times this value. Default: 15 s.
    pub retry_interval: Duration,
    /// The time for which keys stay valid after their server has confirmed them for the last time: it has sent the set,
    /// or has answered that the set is unchanged (304). Keys that are older are not used, until the server sends or
    /// confirms them again. Default: 24 h.
    pub max_stale: Duration,
}

/// The keys of the JWK set at a URL, which are fetched again and again. Dropping the source ends the fetching.
pub struct JwksSource {
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    url: JwksUrl,
    rules: KeyRules,
    client: Client,
    timing: Timing,
    state: watch::Sender<State>,
    /// The signal that a token names an unknown key.
    wanted: Notify,
    /// The signal that the set has to be fetched again.
    again: Notify,
}

/// The results of all fetches since the source was started.
#[derive(Clone, Default)]
struct State {
    keys: Arc<[Arc<Key>]>,
    /// The number of times that the server has sent a usable set. An answer that the set is unchanged (304) does not
    /// count.
    revision: u64,
    etag: Option<HeaderValue>,
    /// The time of the last successful fetch: the server has sent the keys, or has answered that they are unchanged.
    held_at: Option<Instant>,
    /// The number of fetches that have ended. `attempted_at` is the time when the last of them ended.
    attempts: u64,
    attempted_at: Option<Instant>,
    /// The number of failed fetches since the last successful fetch. `failure` is the error of the last failed fetch.
    failures: u32,
    failure: Option<Arc<FetchError>>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            min_refetch_interval: Duration::from_secs(10),
            refetch_patience: Duration::from_secs(5),
            retry_interval: Duration::from_secs(15),
            max_stale: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl JwksSource {
    /// Starts to fetch `url`, in a task on the current tokio runtime. Keys that break the `rules` are not used, and the
    /// log names them.
    ///
    /// # Panics
    /// Panics if it is called outside a tokio runtime.
    #[must_use]
    pub fn start(url: JwksUrl, rules: KeyRules, client: Client, timing: Timing) -> Self {
        let (state, wanted, again) = (watch::Sender::default(), Notify::new(), Notify::new());
        let shared = Arc::new(Shared { url, rules, client, timing, state, wanted, again });
        let task = tokio::spawn(Arc::clone(&shared).run()).abort_handle();
        Self { shared, task }
    }

    /// Fetches the set again: at once, or [`Timing::min_refetch_interval`] after the last fetch if this is later.
    pub fn fetch_again(&self) {
        self.shared.again.notify_one();
    }

    /// Waits until the first fetch has ended.
    ///
    /// # Errors
    /// The error of the fetch, if it has failed. The source tries again by itself.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn ready(&self) -> Result<(), Arc<FetchError>> {
        let mut states = self.shared.state.subscribe();
        let state = states.wait_for(|state| state.attempts > 0).await.expect("the sender lives as long as the source");
        match &state.failure {
            Some(failure) => Err(Arc::clone(failure)),
            None => Ok(()),
        }
    }

    /// Waits until a JWK set with at least one usable key was fetched.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn filled(&self) {
        let mut states = self.shared.state.subscribe();
        states.wait_for(|state| state.revision > 0).await.expect("the sender lives as long as the source");
    }
}

impl Shared {
    async fn run(self: Arc<Self>) {
        loop {
            let fresh_for = self.attempt().await;
            let fetched_at = Instant::now();
            let mut fetch_at = fetched_at + fresh_for.mul_f64(0.9 + 0.1 * fastrand::f64());
            loop {
                tokio::select! {
                    () = sleep_until(fetch_at) => break,
                    () = self.wanted.notified() => if !self.state.borrow().is_recent(self.timing) { break },
                    () = self.again.notified() => fetch_at = fetch_at.min(fetched_at + self.timing.min_refetch_interval),
                }
            }
        }
    }

    /// Fetches once, and returns the time until the next fetch.
    async fn attempt(&self) -> Duration {
        // Keys that are older than `max_stale` are not used, but they stay in memory, and their ETag is sent like that
        // of newer keys. If the server answers that the set is unchanged, the keys are used again, as if the server had
        // sent them.
        let etag = self.state.borrow().etag.clone();
        let fetched = self.client.fetch(&self.url, etag.as_ref()).await.and_then(|fetched| self.read(fetched));
        let now = Instant::now();
        let mut wait = Duration::ZERO;
        self.state.send_modify(|state| {
            state.attempts += 1;
            state.attempted_at = Some(now);
            match fetched {
                Ok((keys, fresh_for)) => {
                    wait = fresh_for;
                    state.hold(now, keys);
                }
                Err(error) => {
                    let doubled = 1_u32.checked_shl(state.failures.min(8)).unwrap_or(u32::MAX).min(20);
                    wait = self.timing.retry_interval * doubled;
                    state.failures = state.failures.saturating_add(1);
                    let (keys, use_of_keys) = match state.in_use(self.timing) {
                        Some(_) => (state.keys.len(), "the known keys stay in use"),
                        None => (0, "no keys of this set are in use"),
                    };
                    tracing::warn!(url = %self.url.masked(), keys, "cannot fetch a JWK set: {error}; {use_of_keys}");
                    state.failure = Some(Arc::new(error));
                }
            }
        });
        wait
    }

    /// Returns the keys of the fetched document, or `None` if the document is unchanged, and the time for which the
    /// document is fresh.
    fn read(&self, fetched: Fetched) -> Result<(Option<NewKeys>, Duration), FetchError> {
        let (text, etag, fresh_for) = match fetched {
            Fetched::Unchanged { fresh_for } => return Ok((None, fresh_for)),
            Fetched::Document { text, etag, fresh_for } => (text, etag, fresh_for),
        };
        let (keys, unusable) = Key::read_published_set(&text, &self.rules).map_err(FetchError::Keys)?;
        for key in unusable {
            let kid = key.id.unwrap_or_default();
            let kid = &*fanfare_mask::shortened(&kid, MAX_KID_CHARS);
            tracing::debug!(url = %self.url.masked(), number = key.number, kid, "a key of a JWK set is not used: {}", key.reason);
        }
        tracing::info!(url = %self.url.masked(), keys = keys.len(), "fetched a JWK set");
        Ok((Some(NewKeys { keys: keys.into_iter().map(Arc::new).collect(), etag }), fresh_for))
    }
}

struct NewKeys {
    keys: Arc<[Arc<Key>]>,
    etag: Option<HeaderValue>,
}

impl State {
    fn hold(&mut self, now: Instant, new: Option<NewKeys>) {
        if let Some(NewKeys { keys, etag }) = new {
            self.keys = keys;
            self.etag = etag;
            self.revision += 1;
        }
        self.held_at = Some(now);
        self.failures = 0;
        self.failure = None;
    }

    /// Returns the revision of the keys that are in use; `None` if there are no keys, or if they are older than
    /// `max_stale`.
    fn in_use(&self, timing: Timing) -> Option<u64> {
        self.held_at.filter(|at| at.elapsed() <= timing.max_stale).map(|_| self.revision)
    }

    fn is_recent(&self, timing: Timing) -> bool {
        self.attempted_at.is_some_and(|at| at.elapsed() < timing.min_refetch_interval)
    }
}

impl KeySource for JwksSource {
    fn keys(&self) -> Arc<[Arc<Key>]> {
        let state = self.shared.state.borrow();
        if state.in_use(self.shared.timing).is_some() { Arc::clone(&state.keys) } else { Arc::default() }
    }

    /// A source that has not got a set yet may have every key. Keys that are too old to be used were not taken away.
    fn may_have(&self, key: &Key) -> bool {
        let state = self.shared.state.borrow();
        state.revision == 0 || state.keys.iter().any(|known| known.is_same(key))
    }

    fn refresh(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async {
            let shared = &self.shared;
            let mut states = shared.state.subscribe();
            let (attempts, before) = {
                let state = states.borrow();
                if state.is_recent(shared.timing) {
                    return false;
                }
                (state.attempts, state.in_use(shared.timing))
            };
            shared.wanted.notify_one();
            let ended = states.wait_for(|state| state.attempts > attempts);
            let Ok(Ok(state)) = timeout(shared.timing.refetch_patience, ended).await else { return false };
            // The result is also true if the server has answered that the set is unchanged, but the set was too old to
            // be used before this fetch: then its keys are in use again.
            let now = state.in_use(shared.timing);
            now.is_some() && now != before
        })
    }

    fn fails(&self) -> bool {
        self.shared.state.borrow().failures > 0
    }
}

impl Drop for JwksSource {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for JwksSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state.borrow();
        f.debug_struct("JwksSource").field("url", &self.shared.url).field("keys", &state.keys).finish_non_exhaustive()
    }
}
