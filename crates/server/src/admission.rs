//! Admission: the rules for every request, whatever its route. They are checked before the router sees it.
//!
//! A request must name exactly one host. On an open hub (a hub that requires no tokens), that host must be this
//! machine, and the request must not come through a proxy, unless the settings allow a proxy. Without these checks, a
//! web page of another machine could make its own host name resolve to loopback, and then read the files, pages and
//! streams of this hub.
use crate::{app::App, auth::AuthError, every_answer, host, html, problem::Problem};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, request::Parts};

/// Passes the request to the routes if it keeps the rules of admission, and otherwise refuses it. Adds to every answer
/// the header fields that all answers have.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match check(&app, &parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => refuse(&app, problem, &parts.headers),
    };
    every_answer::with_fields(answer)
}

fn check(app: &App, parts: &Parts) -> Result<(), Problem> {
    host::of(parts)?;
    Ok(app.auth.admit(parts)?)
}

/// Returns the answer that refuses a request. If the request came through a proxy, a browser gets the reason as an HTML
/// page, and the reason is also logged, but at most once in `WARNING_INTERVAL`. The log line is meant for the person
/// who set up the proxy.
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
