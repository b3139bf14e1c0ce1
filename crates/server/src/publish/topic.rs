//! `POST /topics/{topic}`: publishes the body of the request. With most content types, the whole body is the data of
//! one update, even if the type is that of a form, because `curl -d` declares every body as a form.
use super::{lines, plain_text, publish, stream, template::Template};
use crate::{
    app::App,
    auth::Purpose,
    body::{collect, require_no_coding, text},
    media_type::{MULTIPART, content_type},
    problem::Problem,
};
use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http::Uri;

/// Publishes the updates in the body, and answers with their IDs, one on each line.
///
/// # Errors
/// [`Problem`] if the body was not published.
pub async fn publish_body(State(app): State<App>, request: Request<Body>) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let credentials = app.auth.authenticate(&parts, Purpose::Publish).await?;
    let template = Template::of(&parts.uri)?;
    let updates = match content_type(&parts.headers).as_str() {
        "text/event-stream" => {
            require_no_coding(&parts.headers)?;
            let template = template.without_lines()?.of_many()?;
            return stream::publish_events(&app, &credentials, &template, body).await;
        }
        "application/x-ndjson" => lines::updates(&template.of_many()?, &collect(&app, &parts.headers, body).await?)?,
        MULTIPART => return Err(Problem::MultipartBody { url: url_of(&app, &parts.uri) }),
        _ => {
            let template = template.without_lines()?;
            vec![template.update(text(&collect(&app, &parts.headers, body).await?)?)?]
        }
    };
    let entries = publish(&app, &credentials, parts.extensions.get().copied(), updates).await?;
    Ok(plain_text(entries.iter().map(|entry| format!("{}\n", entry.id())).collect()))
}

/// Returns the URL of a request without its query, which may hold a secret. The URL can stand between single quotes in
/// a shell.
fn url_of(app: &App, uri: &Uri) -> String {
    let mut url = app.settings.public_url.clone();
    url.set_path(uri.path());
    url.as_str().replace('\'', "%27")
}
