//! Where the events come from: topics of a hub, the URLs of event streams, or standard input.
use super::SubscribeError;
use crate::http::{HubUrl, MAX_URL_BYTES, Party, has_web_scheme, scheme_hint};
use url::Url;

/// The argument that means standard input.
const STDIN: &str = "-";

/// An event stream that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The topics of a hub, in whose stream each event is an envelope: its data is the update as JSON.
    Hub { url: String },
    /// Any event stream.
    Url { url: String },
    /// An event stream that somebody else has asked for.
    Stdin,
}

impl Source {
    /// True if its events are envelopes.
    pub(super) fn is_enveloped(&self) -> bool {
        matches!(self, Self::Hub { .. })
    }

    /// The URL that is asked, if one is.
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::Hub { url } | Self::Url { url } => Some(url),
            Self::Stdin => None,
        }
    }

    /// Returns the party that is asked, as messages name it.
    pub(super) fn party(&self) -> Party {
        match self {
            Self::Hub { url } => url.parse().map_or(Party::Hub { host: String::new() }, |url| Party::hub(&url)),
            Self::Url { url } => Party::server(url),
            Self::Stdin => Party::Input,
        }
    }
}

/// Reads the arguments of `subscribe`: those that look like a web address are streams themselves, all others are topics.
///
/// # Errors
/// [`SubscribeError`] if topics and URLs are mixed, or a URL is none.
pub(super) fn find(arguments: &[String], topics: &[String], hub: &HubUrl) -> Result<Vec<Source>, SubscribeError> {
    if arguments == [STDIN] && topics.is_empty() {
        return Ok(vec![Source::Stdin]);
    }
    let looks_like_url = |text: &&String| has_web_scheme(text);
    let Some(url) = arguments.iter().find(looks_like_url) else {
        let url = hub.subscribe(&[arguments, topics].concat()).map_err(SubscribeError::TooLong)?.to_string();
        return Ok(vec![Source::Hub { url }]);
    };
    if !topics.is_empty() || !arguments.iter().all(|argument| looks_like_url(&argument)) {
        return Err(SubscribeError::UrlAmongTopics { url: url.clone() });
    }
    let source = |url: &String| match Url::parse(url) {
        _ if url.len() > MAX_URL_BYTES => Err(SubscribeError::LongUrl { bytes: url.len() }),
        Ok(parsed) if parsed.as_str().len() > MAX_URL_BYTES => {
            Err(SubscribeError::LongUrl { bytes: parsed.as_str().len() })
        }
        Ok(parsed) if parsed.has_host() => Ok(Source::Url { url: url.clone() }),
        _ => Err(SubscribeError::Url { url: url.clone() }),
    };
    arguments.iter().map(source).collect()
}

/// Returns what to say of an argument that is taken for a topic, and was probably meant to be a URL.
pub(super) fn hint(arguments: &[String]) -> Option<String> {
    arguments.iter().find_map(|argument| {
        let urls = scheme_hint(argument)?;
        Some(format!("'{argument}' is taken for a topic of the hub. If it is the URL of an event stream, give {urls}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(arguments: &[&str], topics: &[&str]) -> Result<Vec<Source>, SubscribeError> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        super::find(&owned(arguments), &owned(topics), &"http://127.0.0.1:3000".parse().unwrap())
    }

    #[test]
    fn urls_are_streams_and_everything_else_is_a_topic() {
        let hub = |query: &str| vec![Source::Hub { url: format!("http://127.0.0.1:3000/topics?{query}&envelope") }];
        let url = |url: &str| Source::Url { url: url.into() };
        let cases: [(&[&str], &[&str], Vec<Source>); 5] = [
            (&["https://example.com/sse?a=b#c"], &[], vec![url("https://example.com/sse?a=b#c")]),
            (&["http://a/", "http://b/"], &[], vec![url("http://a/"), url("http://b/")]),
            (&["news", "*"], &[], hub("topic=news&topic=*")),
            (&[], &["http://x/1"], hub("topic=http%3A%2F%2Fx%2F1")),
            (&["-"], &[], vec![Source::Stdin]),
        ];
        for (arguments, topics, sources) in cases {
            assert_eq!(find(arguments, topics).unwrap(), sources);
        }
        for (arguments, topics) in [(&["news", "http://x/"][..], &[][..]), (&["http://x/"], &["news"])] {
            assert!(matches!(find(arguments, topics), Err(SubscribeError::UrlAmongTopics { .. })));
        }
        assert!(matches!(find(&["http://"], &[]), Err(SubscribeError::Url { .. })));
    }
}
