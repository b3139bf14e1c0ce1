//! The media type of a body, according to its `Content-Type`.
use crate::problem::Problem;
use http::{HeaderMap, header};

/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of forms that can hold files, as `curl -F` sends them.
pub(crate) const MULTIPART: &str = "multipart/form-data";

/// Refuses a body whose content type is not that of a form.
pub(crate) fn require_form(headers: &HeaderMap) -> Result<(), Problem> {
    match content_type(headers).as_str() {
        FORM => Ok(()),
        MULTIPART => Err(Problem::MultipartForm),
        _ => Err(Problem::ContentType { expected: FORM }),
    }
}

/// Returns the body's content type without its parameters, in lower case.
pub(crate) fn content_type(headers: &HeaderMap) -> String {
    // The parameters do not matter, even if they are not text.
    let value = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    essence(&value.unwrap_or_default()).to_ascii_lowercase()
}

/// Returns a media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}
