//! `DELETE /topics/{topic}`: erases updates, if the sender of the request may publish to all of their topics.
use crate::{
    app::App,
    auth::{AuthError, Purpose},
    cursor,
    path::topic_of_path,
    problem::Problem,
    time,
};
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use fanfare_event_stream::EventId;
use fanfare_hub::{hub::Erasing, log::erase::Erased, topic::Topic};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Erases the updates of a topic. Answers with the number of updates that were erased, and the number of updates that
/// were kept because they have another topic to which the sender may not publish. The parameter `id` selects only the
/// updates with this ID. The parameter `before` selects only the updates that were published before this time.
///
/// # Errors
/// [`Problem`] if nothing was erased.
pub(crate) async fn erase(State(app): State<App>, request: Request<Body>) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    // A page of another origin must not be able to erase by means of the browser's cookie. So the rules for publishing
    // apply to erasing too.
    let credentials = app.auth.authenticate(&parts, Purpose::Publish).await?;
    let query = cursor::query_of(&parts.uri)?;
    let in_path = topic_of_path(&parts.uri)?;
    let mut topics = in_path.as_deref().into_iter().chain(query.all("topic"));
    let (Some(topic), None) = (topics.next(), topics.next()) else { return Err(Problem::OneTopic) };
    let topic = Topic::new(topic)?;
    if !credentials.grant.publish.matches(&topic) {
        return Err(app.auth.refuse(&credentials, AuthError::Insufficient).into());
    }
    let id = query.get("id").map(|id| EventId::new(id).map_err(|_| Problem::EraseId)).transpose()?;
    let before =
        query.get("before").map(|text| time::moment(text, app.hub.now()).ok_or(Problem::Before)).transpose()?;
    let erasing = Erasing { topic: Some(topic), id, before, grant: credentials.grant.clone() };
    let Erased { erased, kept } = app.hub.erase(erasing).await.map_err(Problem::Erase)?;
    let json = HeaderValue::from_static("application/json");
    let body = json!({ "erased": erased, "kept": kept }).to_string() + "\n";
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, json)], body).into_response())
}
