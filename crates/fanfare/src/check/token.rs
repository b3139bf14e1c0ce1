//! A report about a token: what it contains, what it allows, and what to change if it should allow something else.
use crate::shown::shown_id;
use fanfare_hub::{entry::Timestamp, grant::Matchers, topic::Topic};
use fanfare_server::auth::{
    AuthSettings, InvalidToken, Revision,
    explain::{Explanation, Granted, Verdict},
};
use serde_json::Value;
use std::fmt;

/// The report about one token, printed with `Display`.
pub(super) struct Report<'a> {
    pub(super) explanation: &'a Explanation,
    pub(super) topics: &'a [Topic],
    pub(super) access: &'a AuthSettings,
    pub(super) now: Timestamp,
}

impl Report<'_> {
    /// Returns true if the token allows its bearer to publish or to subscribe, and if each topic of `topics` is covered
    /// for publishing or for subscribing.
    pub(super) fn is_good(&self) -> bool {
        let verdicts = [&self.explanation.publish, &self.explanation.subscribe];
        let opens = |topic: &Topic| verdicts.iter().any(|verdict| covers(verdict, topic));
        verdicts.iter().any(|verdict| verdict.outcome.is_ok()) && self.topics.iter().all(opens)
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        self.explanation.claims.get(name)
    }

    fn verdict(&self, f: &mut fmt::Formatter<'_>, what: [&str; 2], verdict: &Verdict) -> fmt::Result {
        let [title, nothing] = what;
        match &verdict.outcome {
            Ok(Granted { topics, key, .. }) => {
                writeln!(f, "{title:<11}{}", if topics.is_empty() { nothing.to_owned() } else { shown(topics) })?;
                writeln!(f, "{:<11}verified by {key}, {}", "", of(verdict.issuer.as_deref()))
            }
            Err(error) => {
                writeln!(f, "{title:<11}refused: {error}")?;
                if !verdict.keys.is_empty() {
                    let whose = of(verdict.issuer.as_deref());
                    writeln!(f, "{:<11}tried with {}, {whose}", "", verdict.keys.join("; "))?;
                }
                writeln!(f, "{:<11}{}", "", self.advice(error))
            }
        }
    }

    /// Returns advice on what to change in the token or in the configuration of the hub, so that the hub accepts the
    /// token.
    fn advice(&self, error: &InvalidToken) -> String {
        let issuer = self.claim("iss").and_then(Value::as_str);
        match error {
            InvalidToken::Signature => {
                "sign the token with the key that the hub verifies with; if it is signed with this key, the key of the \
                 hub may be wrong, for example a base64 text, or a secret with a line end after it"
                    .to_owned()
            }
            InvalidToken::UnknownKey => format!(
                "the hub does not have the key {}; if the key is new, the JWK set must contain it",
                self.explanation.key_id.as_ref().map_or_else(|| "of this token".to_owned(), |id| shown_id(id))
            ),
            InvalidToken::Algorithm { algorithm, .. } => {
                format!("sign the token with an allowed algorithm, or allow this one: algorithm = [\"{algorithm}\"]")
            }
            InvalidToken::Issuer => format!(
                "if the hub should trust this issuer, give the hub --issuer '{}=https://…/jwks.json'",
                issuer.unwrap_or("NAME")
            ),
            InvalidToken::NoKey if self.explanation.revision == Revision::Modern => {
                format!("give the hub the issuer of this token: --issuer '{}'", issuer.unwrap_or("NAME"))
            }
            InvalidToken::NoKey => {
                "give the hub a key for this role (publisher or subscriber), or get a token from an issuer that has \
                 such a key"
                    .to_owned()
            }
            InvalidToken::Audience => {
                format!(
                    "the token's `aud` must be {:?}; or set --audience of the hub to the token's `aud`",
                    self.access.audience
                )
            }
            InvalidToken::Expired => "the token has expired: get a new one from its issuer".to_owned(),
            InvalidToken::NotYetValid => {
                "wait until the token is valid, or correct the clock of the issuer or the hub".to_owned()
            }
            InvalidToken::Claim("aud") => format!("give the token the `aud` {:?}", self.access.audience),
            InvalidToken::Claim("exp") => "a token of type at+jwt must expire: give it an `exp`".to_owned(),
            InvalidToken::Claim(name) => format!("correct the token's claim `{name}`"),
            _ => "make a new token, for example with `fanfare token`".to_owned(),
        }
    }

    fn topic(&self, f: &mut fmt::Formatter<'_>, topic: &Topic) -> fmt::Result {
        let may = |verdict| if covers(verdict, topic) { "may" } else { "may not" };
        writeln!(
            f,
            "{:<11}{topic}: the bearer {} publish under it, and {} receive its private updates",
            "topic",
            may(&self.explanation.publish),
            may(&self.explanation.subscribe)
        )
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation { revision, algorithm, key_id, token_type, publish, subscribe, .. } = self.explanation;
        let revision = match revision {
            Revision::Legacy => "of the older revision (draft 7 and before, a `mercure` claim)",
            Revision::Modern => "of the newer revision (an access token with `authorization_details`)",
        };
        let token_type = token_type.as_deref().unwrap_or("none");
        writeln!(f, "{:<11}{revision}", "token")?;
        writeln!(
            f,
            "{:<11}type {}, signed with {algorithm}, kid {}",
            "",
            shown_id(token_type),
            key_id.as_deref().map_or_else(|| "none".to_owned(), shown_id)
        )?;
        for (name, title) in [("iss", "issuer"), ("sub", "subject"), ("aud", "audience")] {
            if let Some(value) = self.claim(name) {
                writeln!(f, "{title:<11}{value}")?;
            }
        }
        writeln!(f, "{:<11}{}", "expires", self.expiry())?;
        self.verdict(f, ["publishes", "nothing: the token grants no topic"], publish)?;
        self.verdict(f, ["receives", "only public updates: the token grants no topic"], subscribe)?;
        self.topics.iter().try_for_each(|topic| self.topic(f, topic))
    }
}

impl Report<'_> {
    fn expiry(&self) -> String {
        let Some(seconds) = self.claim("exp").and_then(Value::as_f64) else { return "never".to_owned() };
        #[allow(clippy::cast_possible_truncation)]
        let seconds = seconds as i64;
        let Ok(at) = jiff::Timestamp::from_second(seconds) else {
            return "at a time that this program cannot show".to_owned();
        };
        #[allow(clippy::cast_possible_wrap)]
        let left = seconds.saturating_sub((self.now.0 / 1_000) as i64);
        let amount = jiff::SignedDuration::from_secs(left.saturating_abs());
        if left < 0 { format!("{at}, {amount:#} ago") } else { format!("{at}, in {amount:#}") }
    }
}

fn covers(verdict: &Verdict, topic: &Topic) -> bool {
    verdict.outcome.as_ref().is_ok_and(|granted| granted.topics.matches(topic))
}

fn shown(topics: &Matchers) -> String {
    topics.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn of(issuer: Option<&str>) -> String {
    issuer.map_or_else(|| "for tokens without a known issuer".to_owned(), |issuer| format!("of the issuer {issuer}"))
}
