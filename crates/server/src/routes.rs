//! What is where.
use crate::{
    app::App,
    cors, metadata, page,
    path::TOPICS,
    problem::Problem,
    publish::{self, reserved::HUB_PATH},
    subscribe, subscriptions,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use http::Method;
use tower_http::services::ServeDir;
use tower_service::Service;

/// Every route of the server.
pub fn routes(app: App) -> Router {
    let topics = get(subscribe::topic::subscribe).post(publish::topic::publish_body);
    // axum has no filter for QUERY.
    let hub = get(subscribe::mercure::subscribe).post(publish::mercure::publish_form).fallback(other_methods);
    let cors = cors::layer(&app.settings);
    let challenges = from_fn_with_state(app.clone(), metadata::point);
    let mut router = Router::new();
    if app.subscriptions.is_some() {
        let all = format!("{HUB_PATH}/subscriptions");
        router = router.route(&all, get(subscriptions::api::get));
        router = router.route(&format!("{all}/{{*which}}"), get(subscriptions::api::get));
    }
    router
        .merge(page::routes())
        .route("/healthz", get(async || "ok\n"))
        .route(&metadata::path(), get(metadata::describe))
        .route(HUB_PATH, hub)
        .route(TOPICS, topics.clone())
        .route(&format!("{TOPICS}/{{*topic}}"), topics)
        .fallback(elsewhere)
        .layer(challenges)
        .layer(cors)
        .with_state(app)
}

/// The hub's own URL, by a method that is neither GET nor POST.
async fn other_methods(State(app): State<App>, request: Request<Body>) -> Response {
    if *request.method() == Method::QUERY {
        return subscribe::mercure::query(app, request).await.into_response();
    }
    Problem::Method { allowed: "GET, HEAD, POST, QUERY" }.into_response()
}

/// Where nothing else is: an alias, or a file.
async fn elsewhere(State(app): State<App>, request: Request<Body>) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if let (true, Some(topics)) = (reads, app.settings.aliases.get(request.uri().path())) {
        let (parts, _) = request.into_parts();
        return subscribe::topic::alias(&app, topics, &parts).await.into_response();
    }
    match &app.settings.static_dir {
        Some(directory) => match ServeDir::new(directory).call(request).await {
            Ok(response) => response.into_response(),
            Err(never) => match never {},
        },
        None => Problem::NotFound.into_response(),
    }
}
