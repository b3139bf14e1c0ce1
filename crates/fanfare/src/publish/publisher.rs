//! A client that publishes under one topic of a hub.
use super::{PublishError, reader::Line};
use crate::{
    http::{self, ANSWER_TIMEOUT, ConnectArgs, Http, HubArgs, HubUrl, Party, PublishQuery, Refusal, Unreachable},
    stdout,
};
use fanfare_hub::topic::Topic;
use http_body_util::Full;
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Bytes,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use std::{ops::ControlFlow, slice, time::Duration};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The answer to the question whether lines that were sent, but not acknowledged, are in the hub's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// The lines are in the log.
    Found,
    /// The lines are not in the log.
    Missing,
    /// The hub refuses to tell whether it has the lines. The value is the status of its answer.
    Refused(StatusCode),
}

/// Publishes updates under one topic.
#[derive(Debug)]
pub(super) struct Publisher {
    http: Http,
    party: Party,
    publish: Uri,
    look_up: Uri,
}

impl Publisher {
    /// Makes a publisher that publishes under `topic` to the hub that `hub` names. `connect` has the options for the
    /// connection.
    ///
    /// # Errors
    /// [`PublishError`] if the token or the certificates cannot be used, or if topic and query are too long for the URL
    /// of a request.
    pub(super) fn new(
        (hub, connect): (&HubArgs, &ConnectArgs),
        topic: &Topic,
        query: &PublishQuery,
    ) -> Result<Self, PublishError> {
        let publish = hub.hub.publish(topic.as_str(), query).map_err(PublishError::TooLong)?;
        let transport = connect.transport().map_err(PublishError::Certificates)?;
        Ok(Self {
            http: Http::new(transport, hub.token())?,
            party: Party::hub(&publish),
            publish,
            look_up: hub.hub.replay(slice::from_ref(topic)).map_err(PublishError::TooLong)?,
        })
    }

    /// Publishes one update with this data and returns its ID, ended by LF.
    ///
    /// # Errors
    /// [`PublishError`] if the hub cannot be reached, or refuses the update.
    ///
    /// # Cancel safety
    /// When cancelled, the update may be published or not.
    pub(super) async fn publish(&self, data: String) -> Result<String, PublishError> {
        self.post(self.publish.clone(), "text/plain; charset=utf-8", data.into()).await
    }

    /// Publishes all of `lines` or none, and returns their IDs, each ended by LF. If `id_prefix` is given, each ID is
    /// this prefix followed by the number of the line in `lines`, from 1.
    ///
    /// # Errors
    /// [`PublishError`] if the hub cannot be reached, or refuses the lines.
    ///
    /// # Cancel safety
    /// When cancelled, the updates may be published or not.
    pub(super) async fn publish_lines(&self, lines: &[Line], id_prefix: Option<&str>) -> Result<String, PublishError> {
        let uri = match id_prefix {
            Some(prefix) => HubUrl::with_id_prefix(&self.publish, prefix).map_err(PublishError::TooLong)?,
            None => self.publish.clone(),
        };
        let mut body = Vec::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
        for line in lines {
            body.extend_from_slice(line.text.as_bytes());
            body.push(b'\n');
        }
        self.post(uri, "application/x-ndjson", body.into()).await
    }

    async fn post(&self, uri: Uri, content_type: &'static str, body: Bytes) -> Result<String, PublishError> {
        let patience = http::answer_timeout(body.len());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let asked = async {
            let (head, body) = self.http.send(request).await?.into_parts();
            let text = http::read_text(&self.party, body).await?;
            Ok((head, text))
        };
        match self.in_time(patience, asked).await? {
            (head, ids) if head.status == StatusCode::OK => Ok(ids),
            (head, text) => Err(PublishError::Refused(Refusal::new(&self.party, &head, &text))),
        }
    }

    /// Asks the hub whether its log has an update with this ID. For this, it subscribes with the ID as `Last-Event-ID`:
    /// if the log has the update, the headers of the answer contain the same ID. This also works for private updates
    /// that the hub may not send to this client.
    ///
    /// # Errors
    /// [`PublishError`] if the hub does not answer. A later call may succeed.
    pub(super) async fn look_up(&self, id: &str) -> Result<Lookup, PublishError> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.look_up.clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/x-ndjson"));
        let value = HeaderValue::from_str(id).expect("the IDs of this program are ASCII");
        request.headers_mut().insert(LAST_EVENT_ID, value);
        let head = self.in_time(ANSWER_TIMEOUT, self.http.send(request)).await?.into_parts().0;
        match head.status {
            StatusCode::OK if head.headers.get(LAST_EVENT_ID).is_some_and(|found| found == id) => Ok(Lookup::Found),
            StatusCode::OK => Ok(Lookup::Missing),
            status => {
                let refusal = Refusal::new(&self.party, &head, "");
                if refusal.is_passing() { Err(PublishError::Refused(refusal)) } else { Ok(Lookup::Refused(status)) }
            }
        }
    }

    async fn in_time<T>(
        &self,
        patience: Duration,
        asked: impl Future<Output = Result<T, Unreachable>>,
    ) -> Result<T, PublishError> {
        let timeout = |_| Unreachable::Timeout { party: self.party.clone() };
        Ok(tokio::time::timeout(patience, asked).await.map_err(timeout)??)
    }
}

/// Prints the IDs of published updates, without buffering. Returns [`ControlFlow::Break`] if the reader has closed the
/// output, which is not a failure, because the updates are published.
///
/// # Errors
/// [`PublishError::Print`] if the IDs cannot be written for another reason.
pub(super) fn print(ids: &str) -> Result<ControlFlow<()>, PublishError> {
    stdout::print(&ids).map_err(PublishError::Print)
}
