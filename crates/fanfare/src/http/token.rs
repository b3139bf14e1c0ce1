//! The token of a command, and the decision to which servers it is sent.
//!
//! A token that is given with `--token` goes to the server that the command line names. A token from the environment is
//! meant for the hub, but every command of a shell or a container can read it. So it is sent to no other server,
//! whichever URL a command is given. Servers are compared as browsers compare origins ([WHATWG HTML,
//! 7.1.1](https://html.spec.whatwg.org/multipage/browsers.html#same-origin)): scheme, host and port must be the same.
//! If a port is left out, it is the default port of the scheme. Upper case and the forms of an IP address make no
//! difference. `localhost`, `127.0.0.1` and `[::1]` are three different hosts, and so are a name with and without a dot
//! at its end.
use super::HubUrl;
use crate::secret::Secret;
use clap::{Arg, ArgMatches, Command, FromArgMatches, parser::ValueSource, value_parser};
use std::fmt;
use url::Url;

/// The name of the environment variable with a token for the hub.
pub(crate) const VARIABLE: &str = "FANFARE_TOKEN";
const NAME: &str = "token";

/// The token that a command was given, if any: with `--token`, or else by the environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenArg(Option<(Secret, Given)>);

/// The source of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Flag,
    Environment,
}

/// The error that a token from the environment must not be sent to a server, because this server is not the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Withheld {
    server: String,
    hub: String,
}

impl TokenArg {
    /// Returns the token that a request to `url` may carry. `hub` is the URL of the hub, with which `url` is compared.
    ///
    /// # Errors
    /// [`Withheld`] if there is a token, and it must not be sent to that server. The text of the error is for the
    /// person who started the command.
    pub(crate) fn for_server(&self, url: &str, hub: &HubUrl) -> Result<Option<&Secret>, Withheld> {
        match &self.0 {
            Some((_, Given::Environment)) if !is_same_origin(url, hub) => {
                Err(Withheld { server: origin(url), hub: origin(hub.as_str()) })
            }
            token => Ok(token.as_ref().map(|(secret, _)| secret)),
        }
    }

    /// Returns true if the token came from the environment.
    pub(crate) fn is_of_environment(&self) -> bool {
        matches!(self.0, Some((_, Given::Environment)))
    }
}

fn is_same_origin(url: &str, hub: &HubUrl) -> bool {
    match (Url::parse(url), Url::parse(hub.as_str())) {
        // URLs without a host have opaque origins, which are never the same.
        (Ok(url), Ok(hub)) => url.origin().is_tuple() && url.origin() == hub.origin(),
        _ => false,
    }
}

/// Returns scheme, host and port of a URL as text for messages.
fn origin(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) if url.origin().is_tuple() => url.origin().ascii_serialization(),
        _ => "that server".to_owned(),
    }
}

/// This implementation is not derived, because derived code does not know whether a value came from a flag or from the
/// environment.
impl FromArgMatches for TokenArg {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = match matches.value_source(NAME) {
            Some(ValueSource::EnvVariable) => Given::Environment,
            _ => Given::Flag,
        };
        let token = matches.get_one::<Secret>(NAME).cloned();
        // An empty variable counts as not set.
        Ok(Self(token.filter(|token| given == Given::Flag || !token.reveal().is_empty()).map(|token| (token, given))))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for TokenArg {
    fn augment_args(command: Command) -> Command {
        let token = Arg::new(NAME).long(NAME).value_name("TOKEN").env(VARIABLE).hide_env_values(true);
        command.arg(token.value_parser(value_parser!(Secret)).help(
            "Token to publish or subscribe with; `fanfare token` makes one. A token from the environment is sent only \
             to the hub: to the scheme, host and port in FANFARE_HUB or --hub",
        ))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, hub } = self;
        write!(
            f,
            "{VARIABLE} is not sent to {server}: it is for the hub, {hub}. Give a token for this server with --token, \
             or, if this server is the hub, give its URL in FANFARE_HUB"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_the_environment_goes_to_the_origin_of_the_hub_alone() {
        let cases = [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/topics/x?a", true),
            ("http://127.0.0.1:3000/hub", "http://127.0.0.1:3000/other", true),
            ("http://hub.example", "http://HUB.example:80/", true),
            ("https://hub.example:443", "HTTPS://hub.example/", true),
            ("http://[::1]:3000", "http://[0:0:0:0:0:0:0:1]:3000/", true),
            ("http://127.0.0.1", "http://127.1/", true),
            ("http://bücher.example", "http://xn--bcher-kva.example/", true),
            ("http://hub.example", "http://user:pw@hub.example/", true),
            ("http://hub.example", "https://hub.example/", false),
            ("https://hub.example", "http://hub.example:443/", false),
            ("http://hub.example", "http://hub.example:81/", false),
            ("http://hub.example", "http://hub.example./", false),
            ("http://hub.example", "http://a.hub.example/", false),
            ("http://hub.example", "http://hub.example.evil.example/", false),
            ("http://hub.example", "http://hub.example@evil.example/", false),
            ("http://hub.example", "http://evil.example/http://hub.example/", false),
            ("http://hub.example", "http://evil.example\\@hub.example/", false),
            ("http://127.0.0.1:3000", "http://localhost:3000/", false),
            ("http://127.0.0.1:3000", "http://[::1]:3000/", false),
            ("http://127.0.0.1:3000", "http://[::ffff:127.0.0.1]:3000/", false),
            ("http://hub.example", "hub.example", false),
            ("http://hub.example", "", false),
        ];
        let Ok(secret) = "t".parse::<Secret>();
        let [flag, variable] = [Given::Flag, Given::Environment].map(|given| TokenArg(Some((secret.clone(), given))));
        for (hub, url, sent) in cases {
            let hub: HubUrl = hub.parse().unwrap();
            assert_eq!(variable.for_server(url, &hub).is_ok(), sent, "{url}");
            assert_eq!(flag.for_server(url, &hub), Ok(Some(&secret)), "{url}");
            assert_eq!(TokenArg(None).for_server(url, &hub), Ok(None));
        }
    }
}
