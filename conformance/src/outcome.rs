//! How a trial ends before its end.

/// What a trial gives: its result, or why there is none.
pub type Outcome<T = ()> = Result<T, Fault>;

/// The reason why a trial went no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The hub did otherwise: what it did, and what it should have done. The rule that was tried says what follows from
    /// that.
    Broken(String),
    /// The suite lacks what the trial needs, such as a key.
    NotTried(String),
    /// The report says already why nothing more can be tried.
    Reported,
}

/// Ends the trial with what the hub did, unless the condition holds.
macro_rules! check {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err($crate::outcome::Fault::Broken(format!($($what)+)));
        }
    };
}
pub(crate) use check;

/// Ends the trial unless both are equal, and says what each is.
macro_rules! check_eq {
    ($is:expr, $should:expr, $($what:tt)+) => {
        match (&$is, &$should) {
            (is, should) => $crate::outcome::check!(*is == *should, "{}: {is:?}, and should be {should:?}", format!($($what)+)),
        }
    };
}
pub(crate) use check_eq;
