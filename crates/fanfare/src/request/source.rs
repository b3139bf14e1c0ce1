//! The source of events: topics of a hub, the URLs of event streams, or standard input.
use super::RequestError;
use crate::http::{HubUrl, MAX_URL_BYTES, Party, RewindQuery, has_web_scheme, scheme_hint};
use url::Url;

/// The argument that means standard input.
const STDIN: &str = "-";

/// An event stream that can be requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The stream of topics of a hub. Each event is an envelope: its data is the update as JSON.
    Hub { url: String },
    /// The event stream at any URL.
    Url { url: String },
    /// The event stream on standard input, which another program has requested.
    Stdin,
}

impl Source {
    /// Returns true if each event of this source is an envelope, which contains an update as JSON.
    pub(crate) fn is_enveloped(&self) -> bool {
        matches!(self, Self::Hub { .. })
    }

    /// Returns the URL to request; `None` for standard input.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Hub { url } | Self::Url { url } => Some(url),
            Self::Stdin => None,
        }
    }

    /// Returns the party that sends the events, as messages name it.
    pub(crate) fn party(&self) -> Party {
        match self {
            Self::Hub { url } => url.parse().map_or(Party::hub(&http::Uri::default()), |url| Party::hub(&url)),
            Self::Url { url } => Party::server(url),
            Self::Stdin => Party::Input,
        }
    }
}

/// Reads the arguments of a command: an argument that looks like a web address is the URL of a stream, and any other
/// argument is a topic of `hub`. The streams begin as `rewind` says.
///
/// # Errors
/// [`RequestError`] if topics and URLs are mixed, if a URL is not valid, or if `rewind` is given for standard input.
pub(crate) fn find(
    (arguments, topics): (&[String], &[String]),
    hub: &HubUrl,
    rewind: &RewindQuery,
) -> Result<Vec<Source>, RequestError> {
    if arguments == [STDIN] && topics.is_empty() {
        return if rewind.is_empty() { Ok(vec![Source::Stdin]) } else { Err(RequestError::RewindOfInput) };
    }
    let looks_like_url = |text: &&String| has_web_scheme(text);
    let Some(url) = arguments.iter().find(looks_like_url) else {
        let uri = hub.subscribe(&[arguments, topics].concat(), rewind).map_err(RequestError::TooLong)?;
        return Ok(vec![Source::Hub { url: uri.to_string() }]);
    };
    if !topics.is_empty() || !arguments.iter().all(|argument| looks_like_url(&argument)) {
        return Err(RequestError::UrlAmongTopics { url: url.clone() });
    }
    arguments.iter().map(|url| of_url(url, rewind)).collect()
}

fn of_url(url: &str, rewind: &RewindQuery) -> Result<Source, RequestError> {
    let mut parsed = match Url::parse(url) {
        _ if url.len() > MAX_URL_BYTES => return Err(RequestError::LongUrl { bytes: url.len() }),
        Ok(parsed) if parsed.has_host() => parsed,
        _ => return Err(RequestError::Url { url: url.to_owned() }),
    };
    let mut url = url.to_owned();
    if !rewind.is_empty() {
        rewind.append_to(&mut parsed.query_pairs_mut());
        url = parsed.to_string();
    }
    match parsed.as_str().len() {
        bytes if bytes > MAX_URL_BYTES => Err(RequestError::LongUrl { bytes }),
        _ => Ok(Source::Url { url }),
    }
}

/// Returns a hint for the user if one of the arguments is used as a topic, but was probably meant to be a URL.
pub(crate) fn hint(arguments: &[String]) -> Option<String> {
    arguments.iter().find_map(|argument| {
        let urls = scheme_hint(argument)?;
        Some(format!("'{argument}' is used as a topic of the hub. If it is the URL of an event stream, give {urls}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(arguments: &[&str], topics: &[&str]) -> Result<Vec<Source>, RequestError> {
        find_rewound(arguments, topics, &RewindQuery::default())
    }

    fn find_rewound(arguments: &[&str], topics: &[&str], rewind: &RewindQuery) -> Result<Vec<Source>, RequestError> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        super::find((&owned(arguments), &owned(topics)), &"http://127.0.0.1:3000".parse().unwrap(), rewind)
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
            assert!(matches!(find(arguments, topics), Err(RequestError::UrlAmongTopics { .. })));
        }
        assert!(matches!(find(&["http://"], &[]), Err(RequestError::Url { .. })));
    }

    #[test]
    fn a_rewind_goes_into_the_query() {
        let last = RewindQuery { last: Some(2), since: None };
        for (argument, url) in [
            ("news", "http://127.0.0.1:3000/topics?topic=news&last=2&envelope"),
            ("http://x", "http://x/?last=2"),
            ("http://x/sse?a=b%20c#d", "http://x/sse?a=b%20c&last=2#d"),
        ] {
            let [found] = &find_rewound(&[argument], &[], &last).unwrap()[..] else { panic!("one stream") };
            assert_eq!(found.url(), Some(url));
        }
        let fits = format!("http://x/{}", "a".repeat(MAX_URL_BYTES - "http://x/?last=2".len()));
        assert!(find_rewound(&[&fits], &[], &last).is_ok());
        let long = find_rewound(&[&(fits + "a")], &[], &last);
        assert!(matches!(long, Err(RequestError::LongUrl { bytes }) if bytes == MAX_URL_BYTES + 1), "{long:?}");
        assert!(matches!(find_rewound(&["-"], &[], &last), Err(RequestError::RewindOfInput)));
    }
}
