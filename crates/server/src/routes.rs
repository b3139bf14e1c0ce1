//! The routes of the server.
use crate::{
    accept::Acceptance,
    admission,
    app::App,
    cors, erase, health,
    hub_path::{self, HUB_PATH},
    metadata, page,
    path::TOPICS,
    problem::Problem,
    publish, subscribe, subscriptions,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, Method};

/// Returns all routes of the server.
pub fn routes(app: App) -> Router {
    let topics = get(subscribe::topic::subscribe).post(publish::topic::publish_body);
    let topics = if app.settings.allow_erase { topics.delete(erase::erase) } else { topics };
    // axum cannot route the method QUERY, so the fallback handles it.
    let hub = get(subscribe::mercure::subscribe).post(publish::mercure::publish_form).fallback(other_methods);
    let cors = cors::layer(&app.settings);
    let challenges = from_fn_with_state(app.clone(), metadata::point);
    let admission = from_fn_with_state(app.clone(), admission::admit);
    let mut router = Router::new();
    if app.subscriptions.is_some() {
        let all = format!("{HUB_PATH}/subscriptions");
        router = router.route(&all, get(subscriptions::api::get));
        router = router.route(&format!("{all}/{{*which}}"), get(subscriptions::api::get));
    }
    if app.settings.page {
        router = router.merge(page::routes());
    }
    router
        .route("/", get(first_page))
        .route("/healthz", get(answers))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/publish", get(health::publish))
        .route(&hub_path::metadata_path(), get(metadata::describe))
        .route(HUB_PATH, hub)
        .route(TOPICS, topics.clone())
        .route(&format!("{TOPICS}/{{*topic}}"), topics)
        .fallback(elsewhere)
        .layer(challenges)
        .layer(cors)
        // The layer that is added last is the outermost: it sees every request first and every answer last.
        .layer(admission)
        .with_state(app)
}

/// The parts of the server that decide which paths are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnPaths {
    /// True if the server has the hub's page; see [`Settings::page`](crate::Settings::page).
    pub page: bool,
    /// True if the server publishes active subscriptions; see [`Settings::subscriptions`](crate::Settings::subscriptions).
    pub subscriptions: bool,
}

impl OwnPaths {
    /// True if the server itself answers requests for this path, so that nobody reaches an alias at it.
    #[must_use]
    pub fn contain(self, path: &str) -> bool {
        let own = ["/", "/healthz", "/health/live", "/health/ready", "/health/publish", HUB_PATH, TOPICS];
        let below = |first: &str| path.strip_prefix(first).and_then(|rest| rest.strip_prefix('/'));
        // The path of a topic or of a subscription is not empty.
        let is_within = |first: &str| below(first).is_some_and(|rest| !rest.is_empty());
        let pages = self.page && (path == page::PATH || below(page::PATH).is_some());
        let all = format!("{HUB_PATH}/subscriptions");
        let subscriptions = self.subscriptions && (path == all || is_within(&all));
        own.contains(&path) || is_within(TOPICS) || path == hub_path::metadata_path() || pages || subscriptions
    }
}

/// Answers a health check: the server answers.
async fn answers(headers: HeaderMap) -> Result<&'static str, Problem> {
    Acceptance::require(&headers, "text/plain").map(|()| "ok\n")
}

/// Answers requests to the hub's URL whose method is neither GET nor POST.
async fn other_methods(State(app): State<App>, request: Request<Body>) -> Response {
    if *request.method() == Method::QUERY {
        return subscribe::mercure::query(app, request).await.into_response();
    }
    Problem::Method { allowed: "GET, HEAD, POST, QUERY" }.into_response()
}

/// Answers requests for `/` with the operator's file for this path or, if there is none, with the hub's page.
async fn first_page(State(app): State<App>, request: Request<Body>) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let file = match &app.files {
        Some(files) => files.find(request).await?,
        None => None,
    };
    let page = || app.settings.page.then(|| page::index(&headers));
    file.or_else(page).ok_or(Problem::NotFound)
}

/// Answers requests for all other paths: with the stream of the alias at this path, or with a file.
async fn elsewhere(State(app): State<App>, request: Request<Body>) -> Result<Response, Problem> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if let (true, Some(topics)) = (reads, app.settings.aliases.get(request.uri().path())) {
        let (parts, _) = request.into_parts();
        return subscribe::topic::alias(&app, topics, parts).await;
    }
    match &app.files {
        Some(files) => files.find(request).await?.ok_or(Problem::NotFound),
        None => Err(Problem::NotFound),
    }
}
