//! Where the events come from: topics of a hub, or the URL of any event stream.
use super::SubscribeError;
use crate::http::HubUrl;
use hyper::Uri;
use url::Url;

/// An event stream that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Where it is.
    pub uri: Uri,
    /// Whether each event is an envelope of our hub's: an unnamed event whose data is the update as JSON.
    pub enveloped: bool,
}

/// Reads the arguments of `subscribe`: one that looks like a web address is the stream itself, all others are topics.
///
/// # Errors
/// [`SubscribeError`] if a URL is not alone, or is none.
pub(super) fn find(arguments: &[String], topics: &[String], hub: &HubUrl) -> Result<Source, SubscribeError> {
    let looks_like_url = |text: &&String| text.starts_with("http://") || text.starts_with("https://");
    let Some(url) = arguments.iter().find(looks_like_url) else {
        return Ok(Source { uri: hub.subscribe(&[arguments, topics].concat()), enveloped: true });
    };
    if arguments.len() + topics.len() > 1 {
        return Err(SubscribeError::UrlAmongTopics { url: url.clone() });
    }
    Ok(Source { uri: stream_uri(url)?, enveloped: false })
}

/// A URL as it is sent: without a fragment.
///
/// # Errors
/// [`SubscribeError::Url`] if it cannot be asked.
pub(super) fn stream_uri(text: &str) -> Result<Uri, SubscribeError> {
    let not_asked = || SubscribeError::Url { url: text.to_owned() };
    let mut url = Url::parse(text).map_err(|_| not_asked())?;
    url.set_fragment(None);
    if url.scheme() != "http" && url.scheme() != "https" {
        return Err(not_asked());
    }
    url.as_str().parse().map_err(|_| not_asked())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_alone_is_the_stream_and_everything_else_a_topic() {
        let hub: HubUrl = "http://127.0.0.1:3000".parse().unwrap();
        let find = |arguments: &[&str], topics: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            find(&owned(arguments), &owned(topics), &hub).map(|source| (source.uri.to_string(), source.enveloped))
        };
        let cases: [(&[&str], &[&str], &str, bool); 3] = [
            (&["https://example.com/sse?a=b#c"], &[], "https://example.com/sse?a=b", false),
            (&["news", "*"], &[], "http://127.0.0.1:3000/topics?topic=news&topic=*&envelope", true),
            (&[], &["http://x/1"], "http://127.0.0.1:3000/topics?topic=http%3A%2F%2Fx%2F1&envelope", true),
        ];
        for (arguments, topics, uri, enveloped) in cases {
            assert_eq!(find(arguments, topics).unwrap(), (uri.to_owned(), enveloped));
        }
        assert!(matches!(find(&["news", "http://x/"], &[]), Err(SubscribeError::UrlAmongTopics { .. })));
        assert!(matches!(find(&["http://"], &[]), Err(SubscribeError::Url { .. })));
    }
}
