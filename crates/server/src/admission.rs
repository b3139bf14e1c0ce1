//! Admission: the rules for every request, whatever its route. They are checked before the router sees it.
//!
//! A request must name one host; on an open hub that is this machine, and no proxy let the request in. Routes that
//! forgot to ask would give their files, pages and streams to a page that had its own name resolve to loopback.
use crate::{app::App, auth::AuthError, every_answer, host, html, problem::Problem};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, request::Parts};

/// Has a request looked for among the routes only if it is admitted, and adds to every answer what every answer has.
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
