//! Answers for people: whether a request wants one, and a page that needs nothing else.
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};

/// Nothing is loaded, and nothing runs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Whether a request names HTML in `Accept`, as browsers do for what they show, and only for that. `*/*` is no wish for HTML:
/// scripts, images and programs send it.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parameters = range.split(';').map(str::trim);
        let media_type = parameters.next().unwrap_or_default();
        let names_html =
            ["text/html", "application/xhtml+xml"].iter().any(|html| media_type.eq_ignore_ascii_case(html));
        names_html && !parameters.any(is_zero)
    })
}

/// Whether a parameter is `q=0`, which refuses what it stands behind (RFC 9110, 12.4.2).
fn is_zero(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    name.trim_end().eq_ignore_ascii_case("q") && value.trim_start().parse().is_ok_and(|weight: f32| weight == 0.0)
}

/// A page with a heading and a paragraph.
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
