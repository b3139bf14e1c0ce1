//! CORS: the rules by which browsers let pages of other origins read streams and publish.
use crate::{
    cursor::{LAST_EVENT_ID, MERCURE_LAST_EVENT_ID},
    settings::Settings,
};
use http::{HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The time for which a browser may remember the answer to a preflight.
const MAX_AGE: Duration = Duration::from_secs(3_600);

/// Returns the layer that adds the headers of CORS. Credentials are allowed only to origins that the settings name, and
/// never with the origin `*`. An answer never repeats an origin that the settings do not name.
pub fn layer(settings: &Settings) -> CorsLayer {
    let erases = settings.allow_erase.then_some(Method::DELETE);
    let methods: Vec<_> = [Method::GET, Method::POST, Method::QUERY].into_iter().chain(erases).collect();
    let layer = CorsLayer::new()
        .allow_methods(methods)
        .allow_headers([header::AUTHORIZATION, header::CACHE_CONTROL, header::CONTENT_TYPE, LAST_EVENT_ID])
        .expose_headers([header::LINK, LAST_EVENT_ID, MERCURE_LAST_EVENT_ID])
        .max_age(MAX_AGE);
    if settings.cors_origins.iter().any(|origin| origin == "*") {
        return layer.allow_origin(AllowOrigin::any());
    }
    let origins = settings.cors_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    layer.allow_origin(AllowOrigin::list(origins)).allow_credentials(true)
}
