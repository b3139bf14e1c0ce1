//! The answers to health probes, with reasons. There are three questions, because they have different consequences:
//!
//! - `/health/live`: does the process make progress? If not, a supervisor should start it again.
//! - `/health/ready`: can the hub serve subscribers? If not, a load balancer should send them to another hub. A log
//!   that cannot append is only a reason in the answer, since an orchestrator that takes away the only hub closes each
//!   browser's EventSource for good.
//! - `/health/publish`: can the hub take updates? If not, publishers should wait.
//!
//! `/healthz` only shows that the server answers.
use crate::{accept::Acceptance, app::App, problem::Problem};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, time::timeout};

/// The time within which a delivery thread must make a turn of its loop, although it may be in the middle of a large
/// batch.
const TURN_PATIENCE: Duration = Duration::from_secs(2);
/// The time within which the log must answer whether it can append. A probe of an orchestrator waits for a second by
/// default, and a busy machine needs a part of it.
const APPEND_PATIENCE: Duration = Duration::from_millis(400);
/// The time for which the log's answer is used again, so that probes cannot keep the log busy.
const APPEND_VALIDITY: Duration = Duration::from_millis(500);

/// The last answer of the log to the question whether it can append.
#[derive(Debug, Default)]
pub(crate) struct LastAppend(Arc<Mutex<Option<Answer>>>);

/// An answer of the log.
#[derive(Clone, Copy, Debug)]
struct Answer {
    at: Instant,
    /// The reason why the log cannot append; `None` if it can.
    reason: Option<&'static str>,
}

/// The body of an answer.
#[derive(Debug, Serialize)]
struct Health {
    /// `ok`, `degraded` (the answer is yes, with reservations), or `failed`.
    status: &'static str,
    /// The reasons why the status is not `ok`.
    reasons: Vec<&'static str>,
}

const FAILED: &str = "the hub has failed and is about to end";
const STUCK: &str = "a delivery thread makes no progress";
const STOPPING: &str = "the hub is stopping";
const NO_DELIVERY: &str = "there is no delivery thread any more";
const FEWER_THREADS: &str = "a delivery thread has died and was not replaced";
const CROWDED: &str = "the limit of subscribers is reached";
const REFUSES: &str = "the log does not accept updates";
const FULL: &str = "the disk is full";
const SLOW: &str = "the log does not answer in time";

/// Answers whether the process makes progress.
pub(crate) async fn live(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let mut reasons = Vec::new();
    if app.hub.failure().is_some() {
        reasons.push(FAILED);
    }
    if let Some(shards) = &app.shards
        && shards.stuck(TURN_PATIENCE).await > 0
    {
        reasons.push(STUCK);
    }
    answer(&headers, reasons, Vec::new())
}

/// Answers whether the hub can serve subscribers.
pub(crate) async fn ready(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let (mut reasons, mut reservations) = (Vec::new(), Vec::new());
    if app.hub.failure().is_some() {
        reasons.push(FAILED);
    }
    if *app.stopping.borrow() {
        reasons.push(STOPPING);
    }
    if let Some(shards) = &app.shards {
        match shards.dead() {
            0 => {}
            dead if dead == shards.count() => reasons.push(NO_DELIVERY),
            _ => reservations.push(FEWER_THREADS),
        }
    }
    if app.places.available_permits() == 0 {
        reservations.push(CROWDED);
    }
    reservations.extend(app.last_append.cannot_append(&app).await);
    answer(&headers, reasons, reservations)
}

/// Answers whether the hub can take updates.
pub(crate) async fn publish(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let mut reasons = Vec::new();
    if app.hub.failure().is_some() {
        reasons.push(FAILED);
    }
    if *app.stopping.borrow() {
        reasons.push(STOPPING);
    }
    reasons.extend(app.last_append.cannot_append(&app).await);
    answer(&headers, reasons, Vec::new())
}

impl LastAppend {
    /// Returns the reason why the log cannot append; `None` if it can.
    async fn cannot_append(&self, app: &App) -> Option<&'static str> {
        timeout(APPEND_PATIENCE, self.ask(app)).await.unwrap_or(Some(SLOW))
    }

    /// Asks the log, unless it has just answered. A task of its own asks, and holds the lock until the log answers. So
    /// the log has at most one question at a time, however many probes come and give up meanwhile.
    async fn ask(&self, app: &App) -> Option<&'static str> {
        let mut last = self.0.clone().lock_owned().await;
        if let Some(answer) = *last
            && answer.at.elapsed() < APPEND_VALIDITY
        {
            return answer.reason;
        }
        let hub = app.hub.clone();
        let asking = tokio::spawn(async move {
            let reason = match hub.can_append().await {
                Ok(()) => None,
                Err(error) if error.is_full() => Some(FULL),
                Err(_) => Some(REFUSES),
            };
            *last = Some(Answer { at: Instant::now(), reason });
            reason
        });
        asking.await.unwrap_or(Some(REFUSES))
    }
}

/// Returns the answer to a probe: 503 if there are `reasons`, otherwise 200 with the `reservations`.
fn answer(
    headers: &HeaderMap,
    reasons: Vec<&'static str>,
    reservations: Vec<&'static str>,
) -> Result<Response, Problem> {
    Acceptance::require(headers, "application/json")?;
    let (code, status) = match (reasons.is_empty(), reservations.is_empty()) {
        (true, true) => (StatusCode::OK, "ok"),
        (true, false) => (StatusCode::OK, "degraded"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    let health = Health { status, reasons: [reasons, reservations].concat() };
    let mut response = (code, Json(health)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::Authenticator, settings::Settings};
    use axum::body::to_bytes;
    use fanfare_hub::{
        Hub, HubLimits,
        log::{MemoryLog, Retention},
    };
    use tokio::sync::{Semaphore, watch};

    async fn text(response: Result<Response, Problem>) -> (u16, String) {
        let response = response.unwrap();
        let code = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        (code, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_hub_that_stops_lives_and_takes_nobody() {
        let hub = Hub::start(Arc::new(MemoryLog::new(Retention::default())), &HubLimits::default()).unwrap();
        let (stop, stopping) = watch::channel(false);
        let places = Arc::new(Semaphore::new(1));
        let app = App::new(hub, Authenticator::open(), Settings::default(), places, None, stopping);
        let ok = (200, r#"{"status":"ok","reasons":[]}"#.to_owned());
        let stops = (503, r#"{"status":"failed","reasons":["the hub is stopping"]}"#.to_owned());
        let (state, none) = (|| State(app.clone()), HeaderMap::new);
        // On a busy machine, the log may not answer in time.
        let begun = Instant::now();
        while [text(ready(state(), none()).await).await, text(publish(state(), none()).await).await]
            != [ok.clone(), ok.clone()]
        {
            assert!(begun.elapsed() < Duration::from_secs(60), "the log never answers in time");
            tokio::time::sleep(APPEND_VALIDITY).await;
        }
        stop.send(true).unwrap();
        assert_eq!(text(live(state(), none()).await).await, ok);
        assert_eq!(text(ready(state(), none()).await).await, stops);
        assert_eq!(text(publish(state(), none()).await).await, stops);
    }
}
