//! What is where.
use crate::{
    app::App,
    cors, page,
    path::TOPICS,
    problem::Problem,
    publish::{self, reserved::HUB_PATH},
    subscribe,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::Method;
use tower_http::services::ServeDir;
use tower_service::Service;

/// Every route of the server.
pub fn routes(app: App) -> Router {
    let topics = get(subscribe::topic::subscribe).post(publish::topic::publish_body);
    let cors = cors::layer(&app.settings);
    Router::new()
        .merge(page::routes())
        .route("/healthz", get(async || "ok\n"))
        .route(HUB_PATH, get(subscribe::mercure::subscribe).post(publish::mercure::publish_form))
        .route(TOPICS, topics.clone())
        .route(&format!("{TOPICS}/{{*topic}}"), topics)
        .fallback(elsewhere)
        .layer(cors)
        .with_state(app)
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
