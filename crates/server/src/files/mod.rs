//! Files of a directory, where nothing else is at a path.
//!
//! The directory is often one that somebody works in. So what a request names is looked at before it is looked for:
//! `name` refuses names that begin with a dot, and `beneath` opens nothing outside the directory. Ranges, conditions
//! and types are left to [`ServeDir`].
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

/// Paths, and what is below them, that a fallback never answers: there are no pages, so it would only hide an error.
const WITHOUT_PAGES: [&str; 4] = ["/.well-known", TOPICS, "/healthz", crate::page::PATH];

/// The files of one directory.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    serve: ServeDir<DefaultServeDirFallback, Beneath>,
    /// The path of the page that stands for every page that is not there.
    fallback: Option<PathAndQuery>,
    /// The aliases, for which there is no fallback either.
    streams: Vec<String>,
}

impl Files {
    /// The files that `settings` name, if they name some.
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let directory = settings.static_dir.as_deref()?;
        Some(Self {
            // Paths are relative to what `Beneath` opens them beneath.
            serve: ServeDir::with_backend("", Beneath::new(directory)),
            fallback: settings.fallback.as_deref().and_then(path_of),
            streams: settings.aliases.keys().cloned().collect(),
        })
    }

    /// The file at the request's path, or what stands for it; `None` if there is neither.
    ///
    /// # Errors
    /// [`Problem::Method`] if the request does not only read.
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
            // Who does not want HTML is told that there is nothing here.
            answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
            answer
        }))
    }

    async fn serve(&self, mut request: Request, uri: Uri) -> Option<Response> {
        // Without scheme and host: a redirection stays where the request came in.
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

/// The path at which the file `name` of the directory is.
fn path_of(name: &str) -> Option<PathAndQuery> {
    let parts: Vec<_> = name.split('/').map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()).collect();
    format!("/{}", parts.join("/")).parse().ok()
}

/// Makes sure that `name` is a file in `directory` that can be handed out, such as `index.html`.
///
/// # Errors
/// [`io::Error`] says why not.
pub fn check(directory: &Path, name: &str) -> io::Result<()> {
    let path = path_of(name).and_then(|path| name::read(path.path()));
    let Some(path) = path.filter(|path| !name.starts_with('/') && !path.ends_with('/')) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "expected the name of a file, relative to the directory",
        ));
    };
    let opened = Directory::new(directory).open(Path::new(path.trim_start_matches('/')))?;
    if opened.metadata()?.is_file() { Ok(()) } else { Err(io::Error::other("it is not a file")) }
}
