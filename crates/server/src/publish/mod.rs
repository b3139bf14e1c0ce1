//! Publishing: a request becomes updates, which are handed to the log and acknowledged once they are durable.
//!
//! [`mercure`] reads a form. [`topic`] reads the topic API's kinds of body: a single update, [`lines`], or an event
//! [`stream`].
pub mod lines;
pub mod mercure;
pub mod reserved;
pub mod stream;
pub mod topic;

use crate::{
    app::App,
    auth::{AuthError, Credentials},
    connection::Unhurried,
    form::{Form, InvalidForm},
    problem::Problem,
};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use fanfare_hub::{entry::Entry, update::Update};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// The time that the body of a publication may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The time that the rest of a body may take when the server stops.
pub const STOPPED_BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// Publishes what the publisher is granted, all or nothing. With others, if the publisher is in no hurry.
async fn publish(
    app: &App,
    credentials: &Credentials,
    unhurried: Option<Unhurried>,
    updates: Vec<Update>,
) -> Result<Vec<Arc<Entry>>, Problem> {
    for update in &updates {
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

/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of forms that can hold files, as `curl -F` sends them.
const MULTIPART: &str = "multipart/form-data";

/// True if the body is a form, as its content type says.
pub(crate) fn require_form(headers: &HeaderMap) -> Result<(), Problem> {
    match content_type(headers).as_str() {
        FORM => Ok(()),
        MULTIPART => Err(Problem::MultipartForm),
        _ => Err(Problem::ContentType { expected: FORM }),
    }
}

/// Refuses a body that is coded, as `Content-Encoding` says: coded bytes would be published as if they were the data.
fn require_no_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let codings = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    let mut others = codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"));
    match others.next() {
        Some(coding) => Err(Problem::ContentCoding(String::from_utf8_lossy(coding).chars().take(64).collect())),
        None => Ok(()),
    }
}

/// The whole body, if it is within the limit and not coded.
pub(crate) async fn collect(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    require_no_coding(headers)?;
    let limit = app.settings.max_body_bytes;
    // A body that is too large by its `Content-Length` is refused before a byte of it is read or asked for.
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::BodyTooLarge { limit });
    }
    let collecting = timeout(BODY_TIMEOUT, Limited::new(body, limit).collect());
    // As a rule the body is there already, and nobody asks whether the server stops.
    let collected = tokio::select! {
        biased;
        collected = collecting => collected,
        () = late_for_stopping(app) => return Err(Problem::CutShort),
    };
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::BodyTooLarge { limit }),
        Ok(Err(_)) | Err(_) => Err(Problem::BodyIncomplete),
    }
}

/// Waits until the server has begun to stop, and then for as long as a body that is on its way may take.
async fn late_for_stopping(app: &App) {
    let mut stopping = app.stopping.clone();
    // The end of the sender is the end of the server, too.
    _ = stopping.wait_for(|stopping| *stopping).await;
    sleep(STOPPED_BODY_TIMEOUT).await;
}

/// A form or query string that says what to publish. One that is too large is refused as a body would be
/// ([Mercure, publication](https://mercure.rocks/spec#publication)).
fn form(bytes: &[u8]) -> Result<Form, Problem> {
    Form::parse(bytes).map_err(|invalid| match invalid {
        InvalidForm::TooManyFields { limit } => Problem::FormTooLarge { limit },
        invalid => invalid.into(),
    })
}

/// The body as text.
fn text(bytes: &[u8]) -> Result<String, Problem> {
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| Problem::NotUtf8)
}

/// A reconnection time: ASCII digits only, as in an event stream.
fn retry_ms(value: &str) -> Result<u64, Problem> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().ok()).flatten().ok_or(Problem::Retry)
}

/// Reads a time to live, in milliseconds.
fn ttl_ms(value: &str) -> Result<u64, Problem> {
    crate::time::duration_ms(value).ok_or(Problem::Ttl)
}

/// The essence of the body's content type, in lower case.
fn content_type(headers: &HeaderMap) -> String {
    // Parameters do not matter, be they text or not.
    let value = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    crate::subscribe::topic::essence(&value.unwrap_or_default()).to_ascii_lowercase()
}

fn plain_text(body: String) -> Response {
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
