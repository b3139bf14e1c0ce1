//! The log lines about refused tokens. They let the operator of the hub tell a wrong clock from a stolen key.
//!
//! Anybody can send any number of tokens. So the first refusal of a kind is logged at once. Further refusals of this
//! kind are counted until [`PERIOD`] has passed, and then their number is logged. A kind is a reason and an issuer. The
//! issuer's name is the only part of a token that is logged. It is shortened and escaped, since the maker of the token
//! may have put anything there. All issuers that the hub does not know have at most [`MAX_STRANGERS`] kinds together,
//! so that invented names take little memory and hide no line about other issuers.
use super::error::AuthError;
use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

/// The time after a logged refusal in which refusals of the same kind are only counted.
const PERIOD: Duration = Duration::from_secs(60);
/// The number of kinds of refusals with an unknown issuer that are logged separately in a period. The refusals of all
/// further kinds with an unknown issuer are counted together.
const MAX_STRANGERS: usize = 16;
/// The greatest number of characters of an issuer's name that are logged.
const MAX_ISSUER_CHARS: usize = 100;

/// The refusals of the current period. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(Arc<Mutex<Period>>);

/// A kind of refusals. Refusals of the same kind are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    reason: Cow<'static, str>,
    /// The issuer's name as it is logged; `None` if the token names no issuer.
    issuer: Option<Box<str>>,
    /// True if the hub trusts the issuer or has verified the token, or if the token names no issuer.
    is_known: bool,
}

#[derive(Debug, Default)]
struct Period {
    ends: Option<Instant>,
    /// For each kind, the number of refusals that followed the first one. The first one was logged at once.
    more: HashMap<Kind, u64>,
    /// The number of refusals that are counted together because there are too many kinds: they have an unknown issuer,
    /// and their kind is not among the first [`MAX_STRANGERS`] kinds with an unknown issuer.
    others: u64,
}

/// A line about refused tokens, for the log of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    First(Kind),
    More(Kind, u64),
    Others(u64),
}

impl Kind {
    /// Makes the kind of a refusal from its reason and the issuer that the token names.
    pub(super) fn new(reason: Cow<'static, str>, issuer: Option<&str>, is_known: bool) -> Self {
        let issuer = issuer.map(|name| {
            let mut shown: String = name.chars().take(MAX_ISSUER_CHARS).flat_map(char::escape_default).collect();
            if name.chars().nth(MAX_ISSUER_CHARS).is_some() {
                shown.push_str("...");
            }
            shown.into_boxed_str()
        });
        Self { reason, is_known: is_known || issuer.is_none(), issuer }
    }
}

impl Refusals {
    /// Logs a refusal now, or counts it to be logged later. This is fast and waits for nothing.
    pub(super) fn note(&self, kind: Kind) {
        let now = Instant::now();
        let mut period = self.lock();
        let mut lines = Vec::new();
        if period.ends.is_none_or(|ends| ends <= now) {
            lines = period.end();
            period.ends = Some(now + PERIOD);
            self.tell_later(now + PERIOD);
        }
        lines.extend(period.note(kind));
        drop(period);
        lines.iter().for_each(Line::tell);
    }

    /// Starts a task that logs the counted refusals when the period has ended, even if no further token is refused by
    /// then.
    fn tell_later(&self, at: Instant) {
        let Ok(runtime) = Handle::try_current() else { return };
        let period: Weak<_> = Arc::downgrade(&self.0);
        runtime.spawn(async move {
            sleep_until(at).await;
            let Some(period) = period.upgrade() else { return };
            let refusals = Self(period);
            let lines = {
                let mut period = refusals.lock();
                if period.ends == Some(at) { period.end() } else { Vec::new() }
            };
            lines.iter().for_each(Line::tell);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Period> {
        // No code that holds the lock panics in the middle of a change, so the state is complete even if the lock is
        // poisoned.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Period {
    /// Counts a refusal. Returns the line to log at once, if the refusal is the first one of its kind.
    fn note(&mut self, kind: Kind) -> Option<Line> {
        if let Some(more) = self.more.get_mut(&kind) {
            *more += 1;
            return None;
        }
        let strangers = || self.more.keys().filter(|kind| !kind.is_known).count();
        if !kind.is_known && strangers() >= MAX_STRANGERS {
            self.others += 1;
            return None;
        }
        self.more.insert(kind.clone(), 0);
        Some(Line::First(kind))
    }

    /// Ends the period. Returns the lines about the refusals that were counted in it.
    fn end(&mut self) -> Vec<Line> {
        self.ends = None;
        let (more, others) = (std::mem::take(&mut self.more), std::mem::take(&mut self.others));
        let counted = more.into_iter().filter(|(_, count)| *count > 0).map(|(kind, count)| Line::More(kind, count));
        counted.chain((others > 0).then_some(Line::Others(others))).collect()
    }
}

/// Logs the counted refusals when the server ends before the period does.
impl Drop for Period {
    fn drop(&mut self) {
        self.end().iter().for_each(Line::tell);
    }
}

impl Line {
    fn tell(&self) {
        tracing::warn!("{self}");
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.issuer, self.is_known) {
            (None, _) => write!(f, "{}; it names no issuer", self.reason),
            (Some(issuer), true) => write!(f, "{}; its issuer is \"{issuer}\"", self.reason),
            (Some(issuer), false) => {
                write!(f, "{}; its issuer is \"{issuer}\", which this hub does not trust", self.reason)
            }
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = PERIOD.as_secs();
        match self {
            Self::First(kind) => {
                write!(
                    f,
                    "a token was refused: {kind} (further refusals of this kind are only counted for {seconds} s)"
                )
            }
            Self::More(kind, count) => write!(f, "{count} more tokens were refused within {seconds} s: {kind}"),
            Self::Others(count) => write!(
                f,
                "{count} more tokens were refused within {seconds} s: they come from other issuers that this hub does \
                 not trust"
            ),
        }
    }
}

impl AuthError {
    /// Returns the reason for the log, without any part of the token. `None` if this module does not log the refusal.
    pub(super) fn logged(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            // There is no token to tell about. A request that came through a proxy is logged where it is refused.
            Self::Missing | Self::Proxied(_) => return None,
            Self::Malformed(malformed) => malformed.as_str().into(),
            Self::Origin(_) => "it came in a cookie, from a page whose origin may not publish".into(),
            Self::Invalid(invalid) => invalid.logged(),
            Self::Insufficient => "it does not allow this for every requested topic".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(reason: &'static str, issuer: &str, is_known: bool) -> Kind {
        Kind::new(reason.into(), Some(issuer), is_known)
    }

    #[test]
    fn the_first_of_a_kind_is_told_and_the_others_are_counted() {
        let mut period = Period::default();
        let (a, b) = (kind("expired", "a", true), kind("expired", "b", true));
        assert_eq!(period.note(a.clone()), Some(Line::First(a.clone())));
        assert_eq!(period.note(b.clone()), Some(Line::First(b)));
        for _ in 0..1_000 {
            assert_eq!(period.note(a.clone()), None);
        }
        assert_eq!(period.end(), [Line::More(a.clone(), 1_000)]);
        assert_eq!(period.note(a.clone()), Some(Line::First(a)), "a new period");
    }

    /// A flood of invented issuers takes no memory, and hides no other issuer's refusals.
    #[test]
    fn strangers_are_few_and_leave_room_for_others() {
        let mut period = Period::default();
        let told = (0..10_000).filter(|number| period.note(kind("signature", &number.to_string(), false)).is_some());
        assert_eq!(told.count(), MAX_STRANGERS);
        assert_eq!(period.more.len(), MAX_STRANGERS);
        let known = kind("expired", "https://login.example", true);
        assert!(period.note(known).is_some() && period.note(Kind::new("expired".into(), None, false)).is_some());
        assert_eq!(period.end(), [Line::Others(10_000 - MAX_STRANGERS as u64)]);
    }

    #[test]
    fn an_issuer_is_cut_and_escaped() {
        let kind = kind("expired", &format!("\u{1b}[31m\n\u{202e}\"é{}", "x".repeat(10_000)), false);
        let text = kind.to_string();
        assert!(text.starts_with(r#"expired; its issuer is "\u{1b}[31m\n\u{202e}\"\u{e9}xxx"#), "{text}");
        assert!(text.contains("xxx...\", which this hub does not trust") && text.len() < 200, "{text}");
        assert!(text.is_ascii() && !text.contains('\n'));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_counted_is_told_when_the_period_ends() {
        let refusals = Refusals::default();
        for _ in 0..3 {
            refusals.note(kind("expired", "a", true));
        }
        assert_eq!(refusals.lock().more.len(), 1);
        tokio::time::sleep(PERIOD * 2).await;
        assert!(refusals.lock().more.is_empty() && refusals.lock().ends.is_none(), "no further token is needed");
    }
}
