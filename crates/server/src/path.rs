//! The topic in a request's path.
use crate::problem::Problem;
use http::Uri;
use percent_encoding::percent_decode_str;

/// The path of the topic API.
pub const TOPICS: &str = "/topics";

/// Returns the topic of `/topics/{topic}`: everything after `/topics/`, with its slashes, percent-decoded. `None` for
/// `/topics` and `/topics/`, and for paths outside them.
///
/// # Errors
/// [`Problem::Path`] if the topic is not UTF-8.
pub fn topic_of_path(uri: &Uri) -> Result<Option<String>, Problem> {
    let Some(rest) = uri.path().strip_prefix(TOPICS).and_then(|rest| rest.strip_prefix('/')) else {
        return Ok(None);
    };
    let topic = percent_decode_str(rest).decode_utf8().map_err(|_| Problem::Path)?;
    Ok((!topic.is_empty()).then(|| topic.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_path_is_the_topic() {
        let cases = [
            ("/topics", None),
            ("/topics/", None),
            ("/topics/clock?x=1", Some("clock")),
            ("/topics/orders/42", Some("orders/42")),
            ("/topics/https%3A%2F%2Fexample.com%2Fa%20b+c", Some("https://example.com/a b+c")),
        ];
        for (uri, topic) in cases {
            assert_eq!(topic_of_path(&uri.parse().unwrap()).unwrap().as_deref(), topic, "{uri}");
        }
        assert!(matches!(topic_of_path(&"/topics/%ff".parse().unwrap()), Err(Problem::Path)));
    }
}
