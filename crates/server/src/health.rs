//! The answers to health probes, with reasons. There are three questions, because they have different consequences:
//!
//! - `/health/live`: does the process make progress? If not, a supervisor should start it again.
//! - `/health/ready`: can the hub serve subscribers? If not, a load balancer should send them to another hub. A log
//!   that
//!   cannot append is only a reason in the answer, since an orchestrator that takes away the only hub closes each
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
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The time within which a delivery thread must make a turn of its loop, although it may be in the middle of a large
/// batch.
const TURN_PATIENCE: Duration = Duration::from_secs(2);
/// The time within which the log must answer whether it can append. A probe of an orchestrator waits for a second by
/// default.
const APPEND_PATIENCE: Duration = Duration::from_millis(900);
/// The time for which the log's answer is used again, so that probes cannot keep the log busy.
const APPEND_VALIDITY: Duration = Duration::from_millis(500);

/// The last answer of the log to the question whether it can append.
#[derive(Debug, Default)]
pub(crate) struct LastAppend(tokio::sync::Mutex<Option<(Instant, Option<&'static str>)>>);

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
    /// Returns the reason why the log cannot append; `None` if it can. If several probes ask at the same time, one of
    /// them asks the log.
    async fn cannot_append(&self, app: &App) -> Option<&'static str> {
        let mut last = self.0.lock().await;
        if let Some((at, reason)) = *last
            && at.elapsed() < APPEND_VALIDITY
        {
            return reason;
        }
        let reason = match timeout(APPEND_PATIENCE, app.hub.can_append()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) if error.is_full() => Some(FULL),
            Ok(Err(_)) => Some(REFUSES),
            Err(_) => Some(SLOW),
        };
        *last = Some((Instant::now(), reason));
        reason
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
