//! Admission: what holds for every request and every answer, whatever their route. It comes before the router.
//!
//! A request must name one host; on an open hub that is this machine, and no proxy let the request in. Routes that
//! forgot to ask would give their files, pages and streams to a page that had its own name resolve to loopback.
//!
//! An answer tells browsers to take it for what it says it is, and to keep it from other origins: data on a stream is
//! strangers' data, and would run if a page of theirs could load it as a script.
use crate::{app::App, auth::AuthError, host, html, problem::Problem};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// On every answer. `same-origin` is about requests without CORS alone: scripts, images, styles, frames of pages with
/// isolation. An `EventSource` and a `fetch` of another origin ask with CORS, which `cors.rs` decides, and which this
/// leaves as it is ([Fetch, 3.7](https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header)).
const ON_EVERY_ANSWER: [(HeaderName, HeaderValue); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// The time between two log lines that say that what a proxy let in was refused. Strangers decide how often it happens.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Has a request looked for among the routes only if it is admitted, and adds to every answer what every answer has.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match check(&app, &parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => refuse(&app, problem, &parts.headers),
    };
    with_fields(answer)
}

/// The answer with what every answer has.
pub(crate) fn with_fields(mut answer: Response) -> Response {
    answer.headers_mut().extend(ON_EVERY_ANSWER);
    answer
}

/// The same as lines of a head.
pub(crate) fn fields() -> Vec<u8> {
    let line = |(name, value): &(HeaderName, HeaderValue)| {
        [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()
    };
    ON_EVERY_ANSWER.iter().flat_map(line).collect()
}

fn check(app: &App, parts: &Parts) -> Result<(), Problem> {
    host::of(parts)?;
    Ok(app.auth.admit(parts)?)
}

/// Refuses what a proxy let in, also in the log, for whoever set up the proxy, and as a page for whoever uses a
/// browser.
fn refuse(app: &App, problem: Problem, headers: &HeaderMap) -> Response {
    let Problem::Auth(AuthError::Proxied(_)) = &problem else { return problem.into_response() };
    if app.proxied.is_due() {
        tracing::warn!("refused a request: {problem}");
    }
    if html::is_wanted(headers) {
        return (StatusCode::FORBIDDEN, html::page("This hub is open to its own machine only", &problem.to_string()))
            .into_response();
    }
    problem.into_response()
}

/// Lets something be said once in [`WARNING_INTERVAL`].
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= WARNING_INTERVAL);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }
}
