//! Publishing: a request becomes updates, which are given to the log. The request is answered when its updates are
//! durable.
//!
//! [`mercure`] reads a form. [`topic`] reads the topic API's kinds of body: a single update, [`lines`], or an event
//! [`stream`].
pub mod lines;
pub mod mercure;
pub mod reserved;
pub mod stream;
mod template;
pub mod topic;

use crate::{
    app::App,
    auth::{AuthError, Credentials},
    connection::Unhurried,
    form::{Form, InvalidForm},
    problem::Problem,
};
use axum::response::{IntoResponse, Response};
use fanfare_hub::{entry::Entry, update::Update};
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;

/// Publishes all updates, or none if the publisher is not allowed to publish one of them. With `unhurried`, the log may
/// delay the updates a little, to write them together with those of other publishers. `unhurried` means that the
/// publisher itself had waited before it sent this request.
async fn publish(
    app: &App,
    credentials: &Credentials,
    unhurried: Option<Unhurried>,
    updates: Vec<Update>,
) -> Result<Vec<Arc<Entry>>, Problem> {
    for (index, update) in updates.iter().enumerate() {
        // A body may have 10,000 updates, which have the same topics, and a token 1,000 patterns.
        if index > 0 && update.topics() == updates[index - 1].topics() {
            continue;
        }
        reserved::check(app, credentials.revision, update)?;
        if !credentials.grant.may_publish(update) {
            return Err(app.auth.refuse(credentials, AuthError::Insufficient).into());
        }
    }
    Ok(match unhurried {
        Some(Unhurried) => app.hub.publish_with_others(updates).await?,
        None => app.hub.publish(updates).await?,
    })
}

/// Reads a form or a query string that describes updates. If it has too many fields, it is refused with the status of a
/// body that is too large ([Mercure, publication](https://mercure.rocks/spec#publication)).
fn form(bytes: &[u8]) -> Result<Form, Problem> {
    Form::parse(bytes).map_err(|invalid| match invalid {
        InvalidForm::TooManyFields { limit } => Problem::FormTooLarge { limit },
        invalid => invalid.into(),
    })
}

/// Reads a reconnection time: a number of milliseconds, with ASCII digits only, as in an event stream.
fn retry_ms(value: &str) -> Result<u64, Problem> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().ok()).flatten().ok_or(Problem::Retry)
}

/// Reads a time to live, such as `90` (seconds), `5m` or `1d`, and returns it in milliseconds.
fn ttl_ms(value: &str) -> Result<u64, Problem> {
    crate::time::duration_ms(value).ok_or(Problem::Ttl)
}

fn plain_text(body: String) -> Response {
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
