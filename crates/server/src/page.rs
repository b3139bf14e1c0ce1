//! The hub's own page at `/fanfare`, and its files below that path. They are embedded in the program, so that only one
//! binary has to be installed. The page is also at `/`, unless the operator serves another file there.
//!
//! The page shows data from strangers. The page never inserts data as markup. Two further measures protect it, in case
//! of a mistake: the browser runs and loads only files that this hub serves, and in browsers with Trusted Types,
//! assigning a string to `innerHTML` or a similar property is an error.
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::hash::{DefaultHasher, Hash, Hasher};

const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     object-src 'none'; require-trusted-types-for 'script'";

/// The header fields of the page and its files. With `no-cache`, a browser asks the hub each time, and mostly gets 304
/// (not modified). So the page is never older than the hub.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// A file of the page.
struct Asset {
    /// The path of the file in the folder `page`.
    file: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($file:literal),* $(,)?) => {
        &[$(Asset { file: $file, bytes: include_bytes!(concat!("../page/", $file)) }),*]
    };
}

const INDEX: &str = "index.html";

/// The files of the page. The first one is the page itself.
const ASSETS: &[Asset] = assets![
    "index.html",
    "style.css",
    "events.css",
    "theme.js",
    "app.js",
    "announcer.js",
    "connection.js",
    "copy.js",
    "download.js",
    "element.js",
    "event-data.js",
    "event-list.js",
    "event-row.js",
    "event-stream.js",
    "hub.js",
    "json-print.js",
    "matchers.js",
    "page-address.js",
    "patience.js",
    "publish.js",
    "rate.js",
    "refusal.js",
    "row-keys.js",
    "snippet.js",
    "stream.js",
    "token-panel.js",
    "topics.js",
    "icon.svg",
    "vendor/uplot/uPlot.iife.min.js",
    "vendor/uplot/uPlot.min.css",
    "vendor/uplot/LICENSE",
    "vendor/fonts/inter-latin-wght-normal.woff2",
    "vendor/fonts/inter-LICENSE",
    "vendor/fonts/jetbrains-mono-latin-wght-normal.woff2",
    "vendor/fonts/jetbrains-mono-LICENSE",
];

/// The path of the page. It must not end with a slash, because the page names its files and the hub by URLs that are
/// relative to this path.
pub const PATH: &str = "/fanfare";
/// The URL of the page, relative to `/fanfare/`. It is also right if a proxy serves the hub under a longer path.
const BACK: HeaderValue = HeaderValue::from_static("../fanfare");

/// Returns the routes of the page: [`PATH`], and every file below it. The routes need no state, so they fit any router.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let router = Router::new()
        .route(&format!("{PATH}/"), get(async || (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, BACK)])));
    ASSETS.iter().fold(router, |router, asset| {
        let etag = asset.etag();
        let answer = move |headers: HeaderMap| async move { asset.answer(&etag, &headers) };
        router.route(&asset.path(), get(answer))
    })
}

/// Returns the page itself, as the answer at a path other than [`PATH`].
pub(crate) fn index(request: &HeaderMap) -> Response {
    let index = &ASSETS[0];
    index.answer(&index.etag(), request)
}

impl Asset {
    fn path(&self) -> String {
        if self.file == INDEX { PATH.to_owned() } else { format!("{PATH}/{}", self.file) }
    }

    fn content_type(&self) -> &'static str {
        match self.file.rsplit_once('.').map(|(_, extension)| extension) {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("woff2") => "font/woff2",
            _ => "text/plain; charset=utf-8",
        }
    }

    /// Returns the entity tag of the file: a hash of its content (RFC 9110, 8.8.3). The hash may differ between builds
    /// of the hub; a browser then loads the unchanged file once more.
    fn etag(&self) -> HeaderValue {
        let mut hasher = DefaultHasher::new();
        self.bytes.hash(&mut hasher);
        HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish())).expect("hexadecimal digits in quotes")
    }

    fn answer(&self, etag: &HeaderValue, request: &HeaderMap) -> Response {
        let is_known = request.get_all(header::IF_NONE_MATCH).iter().any(|known| names(known, etag));
        let (status, body) =
            if is_known { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (StatusCode::OK, Body::from(self.bytes)) };
        let own = [(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type())), (header::ETAG, etag.clone())];
        (status, HEADERS, own, body).into_response()
    }
}

/// Returns true if an `If-None-Match` value lists `etag`. The tags are compared weakly (RFC 9110, 13.1.2).
fn names(if_none_match: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(listed), Ok(etag)) = (if_none_match.to_str(), etag.to_str()) else { return false };
    listed.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    fn asset(file: &str) -> &'static Asset {
        ASSETS.iter().find(|asset| asset.file == file).expect("embedded")
    }

    fn files_below(folder: &Path, found: &mut BTreeSet<String>, root: &Path) {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                files_below(&path, found, root);
            } else {
                found.insert(path.strip_prefix(root).expect("below").to_str().expect("UTF-8").replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let mut files = BTreeSet::new();
        files_below(&root, &mut files, &root);
        assert_eq!(ASSETS.iter().map(|asset| asset.file.to_owned()).collect::<BTreeSet<_>>(), files);
    }

    #[test]
    fn an_answer_says_what_it_is_and_locks_the_page_in() {
        let asset = asset("app.js");
        assert_eq!(asset.path(), "/fanfare/app.js");
        let answer = asset.answer(&asset.etag(), &HeaderMap::new());
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], CONTENT_SECURITY_POLICY);
    }

    /// The relative URLs lead to the files both from `/` and from `/fanfare`, since both are in the same folder.
    #[test]
    fn what_the_page_loads_is_there() {
        let index = str::from_utf8(asset(INDEX).bytes).expect("UTF-8");
        let urls = index.split([' ', '>']).filter_map(|part| {
            let value = part.strip_prefix("href=\"").or(part.strip_prefix("src=\""))?;
            value.strip_suffix('"').filter(|url| !url.starts_with('#'))
        });
        let urls: Vec<&str> = urls.collect();
        assert!(urls.len() > 5, "{urls:?}");
        for url in urls {
            assert!(ASSETS.iter().any(|asset| asset.path() == format!("/{url}")), "{url}");
        }
        assert_eq!(ASSETS[0].file, INDEX);
    }

    #[test]
    fn what_a_browser_already_has_is_not_sent_again() {
        let (known, other) = (asset("index.html"), asset("style.css"));
        let etag = known.etag();
        let tag = etag.to_str().expect("ASCII");
        for (if_none_match, status) in [
            (tag.to_owned(), StatusCode::NOT_MODIFIED),
            (format!("\"old\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            (other.etag().to_str().expect("ASCII").to_owned(), StatusCode::OK),
        ] {
            let request = HeaderMap::from_iter([(header::IF_NONE_MATCH, if_none_match.parse().expect("a header"))]);
            assert_eq!(known.answer(&etag, &request).status(), status, "{if_none_match}");
        }
    }

    #[test]
    fn the_policy_has_no_hole_and_the_page_needs_none() {
        assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
        let index = str::from_utf8(asset(INDEX).bytes).expect("UTF-8");
        for inline in ["<style", "style=", "<script>", " onclick=", "javascript:"] {
            assert!(!index.contains(inline), "{inline}");
        }
    }
}
