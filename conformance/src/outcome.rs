//! How an entry ends.
use std::fmt;

/// What an entry says of a hub.
pub type Outcome = Result<(), Fault>;

/// Why an entry does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The hub breaks the rule: what it did, and what it should have done.
    Broken(String),
    /// The rule says nothing of this hub, for this reason.
    NotApplicable(String),
}

impl Fault {
    /// The rule says nothing of this hub.
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Self::NotApplicable(why.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(what) => f.write_str(what),
            Self::NotApplicable(why) => f.write_str(why),
        }
    }
}

/// Ends the entry with what the hub did wrong, unless the condition holds.
macro_rules! check {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err($crate::outcome::Fault::Broken(format!($($what)+)));
        }
    };
}
pub(crate) use check;

/// Ends the entry unless both are equal, and says what each is.
macro_rules! check_eq {
    ($is:expr, $should:expr, $($what:tt)+) => {
        match (&$is, &$should) {
            (is, should) => $crate::outcome::check!(*is == *should, "{}: {is:?}, and should be {should:?}", format!($($what)+)),
        }
    };
}
pub(crate) use check_eq;
