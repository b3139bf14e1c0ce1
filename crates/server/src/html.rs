//! Answers that people read in a browser: the check whether a request wants HTML, and a small page that loads no
//! further files.
use crate::accept::{Acceptance, Range};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};

/// The content security policy of the page: nothing is loaded, and no script runs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Returns true if a request names HTML in `Accept`, as a browser does when somebody opens an address or follows a
/// link. `*/*` is not enough: browsers also send it to get scripts and images, and other programs send it with every
/// request.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = ["text/html", "application/xhtml+xml"].map(|html| Acceptance::of(headers, html));
    accepted.into_iter().flatten().any(|html| html.range == Range::Exact && html.weight > 0)
}

/// Returns an HTML page with a heading and a paragraph.
pub(crate) fn page(heading: &'static str, paragraph: &str) -> Response {
    let (heading, paragraph) = (escaped(heading), escaped(paragraph));
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{heading}</title>\n\
         <h1>{heading}</h1>\n<p>{paragraph}</p>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    ];
    (headers, text).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_want_html_and_programs_do_not() {
        let cases: [(&[&str], bool); 12] = [
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], true),
            (&["TEXT/HTML"], true),
            (&["application/json", "text/html;q=0.1"], true),
            (&["application/xhtml+xml"], true),
            (&["text/html;q=0"], false),
            (&["text/html ; Q = 0.000, */*"], false),
            (&["*/*"], false),
            (&["text/*"], false),
            (&["text/event-stream"], false),
            (&["application/json, text/plain, */*"], false),
            (&["image/avif,image/webp,*/*;q=0.8"], false),
            (&[], false),
        ];
        for (values, wanted) in cases {
            let headers = values.iter().map(|value| (header::ACCEPT, HeaderValue::from_static(value))).collect();
            assert_eq!(is_wanted(&headers), wanted, "{values:?}");
        }
    }
}
