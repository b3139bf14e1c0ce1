//! The party that a request was sent to, and its name in messages.
use fanfare_mask::masked_url;
use http::uri::{Scheme, Uri};
use std::fmt;
use url::Url;

/// The party that a failed request was sent to. The message about the failure names the party, so that the reader knows
/// where to look: at the hub or at another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// The hub that `--hub` names.
    Hub {
        /// The host and port of the hub.
        host: String,
        /// True if its scheme is `https`.
        is_secure: bool,
    },
    /// A server whose URL the user gave. It may be a hub or any other server.
    Server {
        /// The URL, without secrets.
        url: String,
    },
    /// The server whose event stream a relay publishes.
    Upstream {
        /// The URL, without secrets.
        url: String,
    },
    /// A server to which a redirect of another party led.
    Redirected {
        /// The URL, without secrets.
        url: String,
        /// True if a redirect has led to another scheme, host or port than those of the first request. Since that
        /// redirect, no request carries a token or other credentials, even if another redirect leads back to the first
        /// server.
        is_elsewhere: bool,
        /// The party that the first request was sent to.
        from: Box<Party>,
    },
    /// Standard input, in place of a server: the events are read from it.
    Input,
}

impl Party {
    /// Returns the hub that a request to `uri` is sent to.
    pub(crate) fn hub(uri: &Uri) -> Self {
        let host = uri.authority().map(|authority| without_user(authority.as_str())).unwrap_or_default();
        Self::Hub { host, is_secure: uri.scheme() == Some(&Scheme::HTTPS) }
    }

    /// Returns the server that a request to `url` is sent to.
    pub(crate) fn server(url: &str) -> Self {
        Self::Server { url: shown_url(url) }
    }

    /// Returns the server at `url`, whose event stream a relay publishes.
    pub(crate) fn upstream(url: &str) -> Self {
        Self::Upstream { url: shown_url(url) }
    }

    /// Returns the party that the latest request was sent to. The first request was sent to `self`, and the latest one
    /// to `uri`: if `uri` is not the URL of `self`, a redirect led to it. `has_left` is true if a redirect has led to
    /// another scheme, host or port than those of the first request.
    pub(crate) fn redirected(&self, uri: &Uri, has_left: bool) -> Self {
        let is_same = match self {
            Self::Hub { .. } => Self::hub(uri) == *self && !has_left,
            Self::Server { url } | Self::Upstream { url } => shown_url(&uri.to_string()) == *url,
            Self::Redirected { .. } | Self::Input => true,
        };
        if is_same {
            return self.clone();
        }
        let url = shown_url(&uri.to_string());
        Self::Redirected { url, is_elsewhere: has_left, from: Box::new(self.clone()) }
    }

    /// Returns the name of the party with its address, for messages that say that it cannot be reached.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Hub { host, .. } => format!("the hub at {host}"),
            Self::Redirected { url, from, .. } => format!("{url} (redirected from {})", from.place()),
            party => party.to_string(),
        }
    }

    /// Returns advice about the credentials to give if the party answers 401.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Hub { .. } => Some("Give a token with --token or FANFARE_TOKEN; `fanfare token` makes one"),
            Self::Server { .. } => Some("Give a token with --token, or other credentials with -H 'Authorization: …'"),
            Self::Upstream { .. } => Some("Give its credentials with -H 'Authorization: …'; --token is for the hub"),
            Self::Redirected { is_elsewhere: true, .. } => Some(
                "Credentials are not sent to a server that a redirect leads to: give the URL of that server instead",
            ),
            Self::Redirected { from, .. } => from.advice(),
            Self::Input => None,
        }
    }
}

fn without_user(authority: &str) -> String {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
}

/// Returns a URL without its parts that are often secret: user, password, and keys in the query.
fn shown_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return "that URL".to_owned() };
    url.set_fragment(None);
    // `set_username` and `set_password` fail only for URLs without a host, which have no user and no password.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    masked_url(url.as_str()).into_owned()
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub { .. } => f.write_str("the hub"),
            Self::Server { url } | Self::Upstream { url } | Self::Redirected { url, .. } => f.write_str(url),
            Self::Input => f.write_str("standard input"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_its_secrets() {
        let cases = [
            ("http://me:pw@h:81/a?topic=x&key=s&flag#f", "http://h:81/a?topic=x&key=********&flag"),
            ("HTTP://H/", "http://h/"),
            ("nonsense", "that URL"),
        ];
        for (url, shown) in cases {
            assert_eq!(Party::server(url).to_string(), shown);
        }
        assert_eq!(Party::hub(&Uri::from_static("http://h:1/x")).place(), "the hub at h:1");
    }

    #[test]
    fn a_redirect_leads_to_another_party() {
        let (here, there) = (Uri::from_static("http://h:1/x?key=s"), Uri::from_static("http://h:2/y?key=s"));
        let hub = Party::hub(&here);
        assert_eq!(hub.redirected(&Uri::from_static("http://h:1/other"), false), hub, "another page of the hub");
        assert_eq!(hub.redirected(&there, true).place(), "http://h:2/y?key=******** (redirected from the hub at h:1)");
        for party in [Party::server("http://h:1/x?key=s#f"), Party::upstream("http://me@h:1/x?key=s")] {
            assert_eq!(party.redirected(&here, false), party);
            let redirected = party.redirected(&there, true);
            assert_eq!(redirected.to_string(), "http://h:2/y?key=********");
            assert!(redirected.advice().unwrap().contains("are not sent"), "other credentials do not help");
            let beside = party.redirected(&Uri::from_static("http://h:1/y"), false);
            assert_eq!((beside.to_string().as_str(), beside.advice()), ("http://h:1/y", party.advice()));
        }
    }

    #[test]
    fn credentials_are_not_asked_for_where_they_would_not_be_sent() {
        let (plain, secure) = (Uri::from_static("http://h/x"), Uri::from_static("https://h/x"));
        for party in [Party::hub(&plain), Party::server("http://h/x"), Party::upstream("http://h/x")] {
            for (uri, way) in [(&secure, "to https"), (&Uri::from_static("http://h/y"), "away and back")] {
                let advice = party.redirected(uri, true).advice().unwrap();
                assert!(advice.contains("are not sent"), "{way}: {advice}");
            }
        }
    }
}
