//! The media type of a body, as its content type says.
use crate::problem::Problem;
use http::{HeaderMap, header};

/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of forms that can hold files, as `curl -F` sends them.
pub(crate) const MULTIPART: &str = "multipart/form-data";

/// Refuses a body that is not a form, as its content type says.
pub(crate) fn require_form(headers: &HeaderMap) -> Result<(), Problem> {
    match content_type(headers).as_str() {
        FORM => Ok(()),
        MULTIPART => Err(Problem::MultipartForm),
        _ => Err(Problem::ContentType { expected: FORM }),
    }
}

/// The essence of the body's content type, in lower case.
pub(crate) fn content_type(headers: &HeaderMap) -> String {
    // Parameters do not matter, be they text or not.
    let value = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    essence(&value.unwrap_or_default()).to_ascii_lowercase()
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}
