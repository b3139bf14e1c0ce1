//! Bodies of the type `text/event-stream`: each event is published as soon as it has arrived, so that a publisher can
//! pipe the output of another event stream into the request. Events by which another hub tells of the connection are
//! left out. If an error occurs, the events before it stay published, and the answer contains their number.
use super::{
    lines::most_updates,
    publish,
    template::{EventSays, Template},
};
use crate::{
    app::App,
    auth::{AuthError, Credentials, InvalidToken},
    delivery::body::stopping,
    problem::Problem,
};
use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Response},
};
use fanfare_event_stream::{Chunk, EventRef, Limits, Parser};
use fanfare_hub::{
    entry::Timestamp,
    log::writer::MAX_BATCH_BYTES,
    notice,
    update::{MAX_EVENT_TYPE_BYTES, MAX_ID_BYTES, Update},
};
use http_body_util::BodyExt;
use serde_json::json;

/// Publishes the events of the body. When the body ends, answers with the number of published events, and with the ID
/// and the position of the last one.
pub(super) async fn publish_events(
    app: &App,
    credentials: &Credentials,
    template: &Template,
    mut body: Body,
) -> Result<Response, Problem> {
    let mut reader = Reader::new(app.settings.max_body_bytes, template);
    let mut stopping = stopping(app.stopping.clone(), app.hub.clone());
    let signer = credentials.signer.clone();
    let revoked = async move {
        match signer {
            Some(signer) => signer.revoked().await,
            None => std::future::pending().await,
        }
    };
    let mut revoked = std::pin::pin!(revoked);
    let (mut published, mut last) = (0, None);
    let broken = |published, problem| Problem::StreamBroken { published, problem: Box::new(problem) };
    loop {
        // When the server stops, no more events are published, even if they have already arrived. Otherwise a publisher
        // that sends events without a pause would never learn that the server stops.
        if app.stopping.has_changed().unwrap_or(true) {
            return Err(broken(published, Problem::Stopping));
        }
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = &mut revoked => {
                let error = AuthError::Invalid(InvalidToken::Revoked);
                return Err(broken(published, app.auth.refuse(credentials, error).into()));
            }
            _ = &mut stopping => return Err(broken(published, Problem::Stopping)),
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| broken(published, Problem::BodyIncomplete))?;
        let Ok(bytes) = frame.into_data() else { continue };
        let mut chunk = Chunk::new(&bytes);
        loop {
            let (updates, problem) = reader.read(&mut chunk);
            if updates.is_empty() && problem.is_none() {
                break;
            }
            if !updates.is_empty() {
                still_valid(credentials)
                    .map_err(|error| broken(published, app.auth.refuse(credentials, error).into()))?;
                // The next events are read only when these updates are acknowledged.
                let entries =
                    publish(app, credentials, None, updates).await.map_err(|problem| broken(published, problem))?;
                published += entries.len() as u64;
                last = entries.into_iter().next_back();
            }
            if let Some(problem) = problem {
                return Err(broken(published, problem));
            }
        }
    }
    // The answer has both the ID and the position. The publisher may have chosen the ID, so other updates may have it
    // too; the position names only this update in the hub's log.
    let (last_id, position) = last.map(|entry| (entry.id().to_string(), entry.position.to_string())).unzip();
    Ok(Json(json!({ "published": published, "last_id": last_id, "position": position })).into_response())
}

/// Checks that the token is still valid, because the stream may last longer than the token, or than the trust in its
/// signer.
fn still_valid(credentials: &Credentials) -> Result<(), AuthError> {
    if credentials.signer.as_ref().is_some_and(|signer| signer.is_revoked()) {
        return Err(AuthError::Invalid(InvalidToken::Revoked));
    }
    match credentials.expires_at {
        Some(at) if at <= Timestamp::now() => Err(AuthError::Invalid(InvalidToken::Expired)),
        _ => Ok(()),
    }
}

struct Reader<'a> {
    parser: Parser,
    template: &'a Template,
}

impl<'a> Reader<'a> {
    fn new(max_data_bytes: usize, template: &'a Template) -> Self {
        let limits = Limits {
            max_data_bytes,
            max_id_bytes: MAX_ID_BYTES,
            max_type_bytes: MAX_EVENT_TYPE_BYTES,
            max_line_bytes: max_data_bytes,
        };
        Self { parser: Parser::with_limits(limits), template }
    }

    /// Returns the next updates, made from the events that end in this chunk, and a problem if an event is not valid.
    /// The updates are at most one batch. If an event is not valid, only the updates before it are returned, and the
    /// problem says what is wrong with it. If the result has neither updates nor a problem, the whole chunk has been
    /// read.
    fn read(&mut self, chunk: &mut Chunk<'_>) -> (Vec<Update>, Option<Problem>) {
        let (most, mut updates, mut bytes) = (most_updates(self.template), Vec::new(), 0);
        let problem = loop {
            if updates.len() == most || bytes >= MAX_BATCH_BYTES {
                break None;
            }
            match self.parser.next_event(chunk) {
                Ok(None) => break None,
                Err(error) => break Some(error.into()),
                Ok(Some(event)) if notice::is_about_the_connection(event.event_type) => {}
                Ok(Some(event)) => match update(self.template, &event) {
                    Ok(update) => {
                        bytes += update.stored_bytes();
                        updates.push(update);
                    }
                    Err(problem) => break Some(problem),
                },
            }
        };
        (updates, problem)
    }
}

fn update(template: &Template, event: &EventRef<'_>) -> Result<Update, Problem> {
    // An ID that begins with `#` was made by another hub, and would be taken for a position in this hub's log. So the
    // update gets a new ID.
    let id = event.id().filter(|id| !id.starts_with('#')).map(str::to_owned);
    let event_type = (event.event_type != "message").then(|| event.event_type.to_owned());
    template.event(event.data.to_owned(), EventSays { id, event_type, retry_ms: event.retry_ms })
}
