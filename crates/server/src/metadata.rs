//! The metadata of the hub, for clients that need a token for it: protected resource metadata, [RFC
//! 9728](https://www.rfc-editor.org/rfc/rfc9728), with the fields that Mercure adds.
//!
//! Mercure's older revision has no metadata: if a hub does not have this document, a client may conclude that the hub
//! only speaks the older revision.
use crate::{accept::Acceptance, app::App, auth::DETAIL_TYPE, problem::Problem};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;
use url::Url;

/// The media type of the metadata.
const JSON: &str = "application/json";
/// The types of topic matchers that requests and tokens may name.
pub const MATCHER_TYPES: [&str; 2] = ["exact", "urlpattern"];

/// Answers with the metadata.
///
/// # Errors
/// [`Problem::NotAcceptable`] if the request does not accept JSON.
pub async fn describe(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    Acceptance::require(&headers, JSON)?;
    let auth = app.auth.settings();
    let mut document = json!({
        "resource": auth.audience,
        "authorization_details_types_supported": [DETAIL_TYPE],
        "bearer_methods_supported": ["header"],
        "mercure_cookie": auth.modern_cookie,
        "mercure_matcher_types_supported": MATCHER_TYPES,
    });
    let keys = auth.keys.current();
    if app.subscriptions.is_some() {
        document["mercure_subscriptions"] = true.into();
    }
    let issuers: Vec<_> = keys.issuers.iter().map(|trusted| trusted.issuer.as_str()).collect();
    if !issuers.is_empty() {
        document["authorization_servers"] = issuers.into();
    }
    let json = HeaderValue::from_static(JSON);
    Ok(([(header::CONTENT_TYPE, json)], document.to_string()).into_response())
}

/// Adds the URL of the metadata to every `WWW-Authenticate` challenge of the hub ([RFC 9728,
/// 5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)). With this URL, a client can find out by itself which
/// token it needs.
pub(crate) async fn point(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(challenge) = response.headers_mut().get_mut(header::WWW_AUTHENTICATE)
        && let Some(pointing) = pointing(challenge, &app.metadata_url)
    {
        *challenge = pointing;
    }
    response
}

/// Returns the challenge with one more parameter: the URL of the metadata in quotation marks. The URL needs no
/// escaping, because it contains no quotation mark and no backslash.
fn pointing(challenge: &HeaderValue, metadata: &Url) -> Option<HeaderValue> {
    let challenge = challenge.to_str().ok()?;
    let separator = if challenge.contains(' ') { ", " } else { " " };
    HeaderValue::from_str(&format!("{challenge}{separator}resource_metadata=\"{metadata}\"")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub_path::metadata_url;

    #[test]
    fn a_challenge_gets_one_parameter_more() {
        let hub = Url::parse("https://hub.example/.well-known/mercure").unwrap();
        let metadata = metadata_url(&hub);
        assert_eq!(metadata.as_str(), "https://hub.example/.well-known/oauth-protected-resource/.well-known/mercure");
        for (challenge, separator) in [("Bearer", " "), (r#"Bearer error="invalid_token""#, ", ")] {
            let pointing = pointing(&HeaderValue::from_static(challenge), &metadata).unwrap();
            assert_eq!(pointing, format!("{challenge}{separator}resource_metadata=\"{metadata}\"").as_str());
        }
    }
}
