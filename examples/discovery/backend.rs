//! A backend whose pages find the hub by themselves: the resource says in `Link` headers which hubs announce its changes, from
//! which event on, and under which topic. [Mercure, discovery](https://mercure.rocks/spec#discovery).
use axum::{
    Router,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
    routing::get,
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE, LINK, SET_COOKIE},
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::sync::Arc;
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

/// A hub that announces changes.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Its URL.
    pub url: String,
    /// The token with which this backend publishes.
    pub token: Option<String>,
}

/// What the backend is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Every hub. Each is notified, and each is offered to subscribers.
    pub hubs: Vec<Hub>,
    /// The topic: the one URL of the resource, by whatever path it was asked for.
    pub topic: String,
    /// Whether only those who have a token get the changes.
    pub private: bool,
    /// A cookie, as `name=token`, with which visitors may receive what is private.
    pub cookie: Option<String>,
}

/// The resource, and the last event that each hub was given about it.
#[derive(Debug)]
struct Book {
    json: String,
    last_event_ids: Vec<Option<String>>,
}

type Shared = Arc<(Settings, Mutex<Book>)>;

/// The backend: `GET` shows the book, `PUT` changes it.
pub fn backend(settings: Settings) -> Router {
    let last_event_ids = vec![None; settings.hubs.len()];
    let book = Book { json: r#"{"title":"Dune"}"#.into(), last_event_ids };
    let methods = get(show).put(change);
    let routes = Router::new().route("/books/1", methods.clone()).route("/books/1.json", methods);
    routes.with_state(Arc::new((settings, Mutex::new(book))))
}

async fn show(State(shared): State<Shared>) -> Response {
    let (settings, book) = (&shared.0, shared.1.lock().await);
    let mut headers = vec![
        (CONTENT_TYPE, "application/json".to_owned()),
        // The topic. A page subscribes to this, and not to the URL by which it came here.
        (LINK, format!(r#"<{}>; rel="self""#, settings.topic)),
    ];
    for (hub, last_event_id) in settings.hubs.iter().zip(&book.last_event_ids) {
        // What is published from now on; with the ID, nothing between this answer and the subscription is missed.
        let since = last_event_id.as_ref().map_or(String::new(), |id| format!(r#"; last-event-id="{id}""#));
        let link = format!(r#"<{}>; rel="mercure"; content-type="application/json"; type="book"{since}"#, hub.url);
        headers.push((LINK, link));
    }
    if let Some(cookie) = &settings.cookie {
        let attributes = "Path=/.well-known/mercure; Secure; HttpOnly; SameSite=Strict";
        headers.push((SET_COOKIE, format!("{cookie}; {attributes}")));
    }
    (AppendHeaders(headers), book.json.clone()).into_response()
}

async fn change(State(shared): State<Shared>, json: String) -> Response {
    let (settings, mut book) = (&shared.0, shared.1.lock().await);
    book.json = json;
    // Every hub, even if one fails: its subscribers know no other.
    let mut status = StatusCode::NO_CONTENT;
    for index in 0..settings.hubs.len() {
        match publish(settings, &settings.hubs[index], &book.json).await {
            Ok(id) => book.last_event_ids[index] = Some(id),
            Err(error) => {
                eprintln!("{}: {error}", settings.hubs[index].url);
                status = StatusCode::BAD_GATEWAY;
            }
        }
    }
    status.into_response()
}

async fn publish(
    settings: &Settings,
    hub: &Hub,
    json: &str,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut request = Request::post(&hub.url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(token) = &hub.token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request.body(Full::<Bytes>::from(form(settings, json)))?).await?;
    let (status, body) = (answer.status(), answer.into_body().collect().await?.to_bytes());
    let body = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() { Ok(body) } else { Err(format!("{status}: {body}").into()) }
}

/// The update as a form.
fn form(settings: &Settings, json: &str) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("topic", &settings.topic).append_pair("type", "book").append_pair("data", json);
    if settings.private {
        form.append_pair("private", "on");
    }
    form.finish()
}
