//! The result of a trial, and the reasons why a trial stops early.

/// The result of a trial or of a part of it, or the reason why it stopped early.
pub type Outcome<T = ()> = Result<T, Fault>;

/// The reason why a trial stopped early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The hub did not do what was expected. The text says what it did and what it should have done. The level of the
    /// rule that was tried decides the verdict.
    Broken(String),
    /// The suite lacks something that the trial needs, such as a key. The text says what.
    NotTried(String),
    /// The report already contains the reason why the trial cannot go on.
    Reported,
}

/// Ends the trial with `Fault::Broken` and this text, unless the condition holds.
macro_rules! check {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err($crate::outcome::Fault::Broken(format!($($what)+)));
        }
    };
}
pub(crate) use check;

/// Ends the trial with `Fault::Broken` unless both values are equal. The text of the fault contains both values.
macro_rules! check_eq {
    ($is:expr, $should:expr, $($what:tt)+) => {
        match (&$is, &$should) {
            (is, should) => $crate::outcome::check!(*is == *should, "{}: {is:?}, and should be {should:?}", format!($($what)+)),
        }
    };
}
pub(crate) use check_eq;
