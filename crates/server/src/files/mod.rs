//! The files of a directory, which are served at all paths that the hub does not use.
//!
//! Often somebody works in this directory, so it may also hold files that are not meant to be served. So the names in a
//! request's path are checked: `name` refuses names that begin with a dot, and `beneath` opens nothing outside the
//! directory. [`ServeDir`] handles ranges of bytes, conditional requests and media types.
mod beneath;
mod name;
mod opened;

use crate::{html, path::TOPICS, problem::Problem, settings::Settings};
use axum::{body::Body, extract::Request, response::Response};
use beneath::Directory;
use http::{HeaderValue, Method, StatusCode, Uri, header, uri::PathAndQuery};
use opened::Beneath;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::{io, path::Path};
use tower_http::services::{ServeDir, fs::DefaultServeDirFallback};
use tower_service::Service;

/// The paths at which and below which the fallback page is never sent. There are no pages at these paths, so the
/// fallback would only hide an error.
const WITHOUT_PAGES: [&str; 7] =
    ["/.well-known", TOPICS, "/healthz", "/health/live", "/health/ready", "/health/publish", crate::page::PATH];

/// The files of one directory.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    serve: ServeDir<DefaultServeDirFallback, Beneath>,
    /// The path of the fallback: the page that is sent instead of a page that does not exist. If it is `None`, the
    /// answer for a page that does not exist is 404.
    fallback: Option<PathAndQuery>,
    /// The paths of the aliases, at which streams are served. The fallback is not sent at these paths either.
    streams: Vec<String>,
}

impl Files {
    /// Returns the files in the directory that `settings` name; `None` if they name none.
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let directory = settings.static_dir.as_deref()?;
        Some(Self {
            // `Beneath` resolves paths relative to its directory, so there is no path to add here.
            serve: ServeDir::with_backend("", Beneath::new(directory)),
            fallback: settings.fallback.as_deref().and_then(path_of),
            streams: settings.aliases.keys().cloned().collect(),
        })
    }

    /// Returns the file at the request's path, or else the fallback page; `None` if the answer must be 404.
    ///
    /// # Errors
    /// [`Problem::Method`] if the method is not GET or HEAD.
    pub(crate) async fn find(&self, request: Request) -> Result<Option<Response>, Problem> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Problem::Method { allowed: "GET, HEAD" });
        }
        let Some(path) = name::read(request.uri().path()) else { return Ok(None) };
        let (parts, _) = request.into_parts();
        let falls_back = html::is_wanted(&parts.headers) && self.may_be_page(&path);
        let uri = parts.uri.clone();
        if let Some(answer) = self.serve(Request::from_parts(parts.clone(), Body::empty()), uri).await {
            return Ok(Some(answer));
        }
        let Some(fallback) = self.fallback.as_ref().filter(|_| falls_back) else { return Ok(None) };
        let answer = self.serve(Request::from_parts(parts, Body::empty()), Uri::from(fallback.clone())).await;
        Ok(answer.map(|mut answer| {
            // `Vary` is needed because the answer depends on `Accept`: a client that does not want HTML gets 404 and
            // not the fallback.
            answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
            answer
        }))
    }

    async fn serve(&self, mut request: Request, uri: Uri) -> Option<Response> {
        // The URI must not have a scheme and a host, so that a redirection leads to the host of the request.
        *request.uri_mut() = uri.path_and_query().cloned().map_or(uri, Uri::from);
        let answer = match self.serve.clone().call(request).await {
            Ok(answer) => answer.map(Body::new),
            Err(never) => match never {},
        };
        (answer.status() != StatusCode::NOT_FOUND).then_some(answer)
    }

    fn may_be_page(&self, path: &str) -> bool {
        let is_in =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        !WITHOUT_PAGES.iter().any(|prefix| is_in(prefix)) && !self.streams.iter().any(|alias| is_in(alias))
    }
}

/// Returns the path at which the file `name` of the directory is served.
fn path_of(name: &str) -> Option<PathAndQuery> {
    let parts: Vec<_> = name.split('/').map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()).collect();
    format!("/{}", parts.join("/")).parse().ok()
}

/// Checks that `name` is a file in `directory` that can be served, such as `index.html`.
///
/// # Errors
/// [`io::Error`] if there is no such file, or if it cannot be served.
pub fn check(directory: &Path, name: &str) -> io::Result<()> {
    let path = path_of(name).and_then(|path| name::read(path.path()));
    let Some(path) = path.filter(|path| !name.starts_with('/') && !path.ends_with('/')) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "expected the path of a file, relative to the directory",
        ));
    };
    let opened = Directory::new(directory).open(Path::new(path.trim_start_matches('/')))?;
    if opened.metadata()?.is_file() { Ok(()) } else { Err(io::Error::other("it is not a file")) }
}
