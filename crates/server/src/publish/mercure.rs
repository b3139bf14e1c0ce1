//! `POST /.well-known/mercure`: publishes the update that a form describes. The form is the same in both revisions of
//! Mercure.
use super::{form, plain_text, publish, retry_ms, ttl_ms};
use crate::{app::App, auth::Purpose, body::collect, form::Form, media_type::require_form, problem::Problem};
use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use fanfare_hub::{
    topic::Topic,
    update::{Update, UpdateFields},
};

/// Publishes one update and answers with its ID.
///
/// # Errors
/// [`Problem`] if the update was not published.
pub async fn publish_form(State(app): State<App>, request: Request<Body>) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let credentials = app.auth.authenticate(&parts, Purpose::Publish).await?;
    require_form(&parts.headers)?;
    let update = update(&form(&collect(&app, &parts.headers, body).await?)?)?;
    let entries = publish(&app, &credentials, parts.extensions.get().copied(), vec![update]).await?;
    Ok(plain_text(entries[0].id().as_str().to_owned()))
}

fn update(form: &Form) -> Result<Update, Problem> {
    let field = |name| form.get(name).map(str::to_owned);
    Ok(Update::new(UpdateFields {
        topics: form.all("topic").map(Topic::new).collect::<Result<_, _>>()?,
        data: field("data").unwrap_or_default(),
        id: field("id"),
        event_type: field("type"),
        retry_ms: form.get("retry").filter(|value| !value.is_empty()).map(retry_ms).transpose()?,
        ttl_ms: form.get("ttl").filter(|value| !value.is_empty()).map(ttl_ms).transpose()?,
        private: form.has("private"),
    })?)
}
