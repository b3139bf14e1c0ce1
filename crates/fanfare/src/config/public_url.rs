//! The URL under which clients reach the hub, if a proxy is in front of it.
use std::{fmt, str::FromStr};
use url::Url;

/// An http or https URL without user, query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl(pub Url);

/// The error for a text that is not an http or https URL without user, query and fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidPublicUrl;

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let url = Url::parse(text).map_err(|_| InvalidPublicUrl)?;
        let has_more =
            !url.username().is_empty() || [url.password(), url.query(), url.fragment()].iter().any(Option::is_some);
        if matches!(url.scheme(), "http" | "https") && !has_more { Ok(Self(url)) } else { Err(InvalidPublicUrl) }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for InvalidPublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected the URL of the hub, such as https://hub.example.com/, without user, query and fragment, because \
             the hub publishes this URL",
        )
    }
}

impl std::error::Error for InvalidPublicUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_is_on_the_web_and_its_url_has_nothing_to_hide() {
        for text in ["http://localhost:3000", "https://hub.example.com/", "https://example.com/hub/"] {
            assert!(text.parse::<PublicUrl>().is_ok(), "{text}");
        }
        for text in
            ["", "hub.example.com", "/hub", "ftp://h/", "https://me@h/", "https://:pw@h/", "http://h/?a", "http://h/#a"]
        {
            assert_eq!(text.parse::<PublicUrl>(), Err(InvalidPublicUrl), "{text}");
        }
    }
}
