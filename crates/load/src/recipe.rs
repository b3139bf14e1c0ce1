//! The recipes: the URLs and formats with which clients subscribe and publish, for each kind of server.
use crate::{
    body::Body,
    pattern::PatternSyntax,
    target::{Endpoint, InvalidUrl, Target},
};
use clap::ValueEnum;

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Recipe {
    /// Fanfare's topic API: /topics/{topic}
    Fanfare,
    /// A Mercure hub: /.well-known/mercure
    Mercure,
    /// Nginx with Nchan: subscribers at /sub/{topic}, publishers at /pub/{topic}
    Nchan,
}

impl Recipe {
    /// Returns the target for a server of this kind at `url`.
    ///
    /// # Errors
    /// [`InvalidUrl`] if the server cannot be reached by `url`.
    pub fn target(self, url: &str) -> Result<Target, InvalidUrl> {
        let base = url.trim_end_matches('/');
        let endpoint = |path: &str| Endpoint::parse(&format!("{base}{path}"));
        let (subscribe, pattern, publish, body) = match self {
            Self::Fanfare => (
                "/topics/{topic}",
                Some(("/.well-known/mercure?match_urlpattern={topic}", PatternSyntax::UrlPattern)),
                "/topics/{topic}",
                Body::Data,
            ),
            Self::Mercure => (
                "/.well-known/mercure?topic={topic}",
                Some(("/.well-known/mercure?topic={topic}", PatternSyntax::UriTemplate)),
                "/.well-known/mercure",
                Body::Form,
            ),
            Self::Nchan => ("/sub/{topic}", None, "/pub/{topic}", Body::Data),
        };
        Ok(Target {
            subscribe: endpoint(subscribe)?,
            subscribe_pattern: pattern.map(|(path, syntax)| Ok((endpoint(path)?, syntax))).transpose()?,
            publish: Some(endpoint(publish)?),
            body,
            headers: Vec::new(),
            run: std::process::id().to_string(),
        })
    }
}
