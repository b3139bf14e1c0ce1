//! Places in a log, as options such as `--from` name them: by the ID of an update, or by a time.
use crate::{moment::Moment, shown::shown_id};
use fanfare_event_stream::EventId;
use fanfare_hub::{
    entry::Timestamp,
    log::{Found, LogView, ViewError},
    position::{Offset, Position},
};
use std::{convert::Infallible, fmt, str::FromStr};

/// A place in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The place of an update whose ID the hub made.
    Position(Position),
    /// The place between the updates from before this time and the updates from this time on.
    Time(Moment),
    /// The place of an update to which its publisher gave this ID.
    Id(String),
}

/// The reason why the log does not have the place that an option names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnknownPlace {
    /// The log has no update with this ID, or no longer has it.
    Id(String),
    /// Another log made the ID, or the ID is so old that the log has forgotten its epoch.
    Foreign(Position),
    /// The offset in this ID is after the end of its epoch in this log: the log has lost the update, or never had it.
    Beyond(Position),
}

/// The end of the range of updates for which a place is looked up: the first or the last update of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

impl FromStr for Place {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let moment = || text.parse().ok().map(Self::Time);
        Ok(Position::parse(text).map(Self::Position).or_else(moment).unwrap_or_else(|| Self::Id(text.to_owned())))
    }
}

impl Place {
    /// Returns the offset of the first update at this place or after it ([`End::First`]), or of the last update at this
    /// place or before it ([`End::Last`]). If the place is a time, an update at exactly this time counts as after the
    /// place.
    pub(super) fn find(
        &self,
        view: &mut LogView,
        end: End,
        now: Timestamp,
    ) -> Result<Result<Offset, UnknownPlace>, ViewError> {
        match self {
            Self::Time(time) => {
                let before = view.place_at(time.at(now))?;
                Ok(Ok(if end == End::First { before.next() } else { before }))
            }
            Self::Position(position) => Ok(of_position(*position, view)),
            Self::Id(id) => of_id(id, view, end, now),
        }
    }
}

fn of_position(position: Position, view: &LogView) -> Result<Offset, UnknownPlace> {
    match view.epochs().end(position.epoch, view.bounds().head) {
        None => Err(UnknownPlace::Foreign(position)),
        Some(end) if position.offset > end => Err(UnknownPlace::Beyond(position)),
        Some(_) => Ok(position.offset),
    }
}

/// Finds an update by its ID. If several updates have the ID, returns the first of them for [`End::First`], and the
/// last of them for [`End::Last`].
fn of_id(id: &str, view: &mut LogView, end: End, now: Timestamp) -> Result<Result<Offset, UnknownPlace>, ViewError> {
    let unknown = || UnknownPlace::Id(id.to_owned());
    let Ok(parsed) = EventId::new(id) else { return Ok(Err(unknown())) };
    let held = view.locate(&parsed, now)?.held;
    let found = if end == End::First { held.first() } else { held.last() };
    Ok(found.map(Found::offset).ok_or_else(unknown))
}

impl fmt::Display for UnknownPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "no update in the log has the ID {}", shown_id(id)),
            Self::Foreign(id) => write!(f, "the ID {id} is from another log, or is too old for this log to know it"),
            Self::Beyond(id) => {
                write!(f, "the log does not have the update with the ID {id}: it was lost, or never written")
            }
        }
    }
}

impl std::error::Error for UnknownPlace {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_position_a_time_or_an_id() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        assert!(matches!(place("#00000000-7"), Place::Position(_)));
        let second = Place::Time(Moment::At(Timestamp(1_000)));
        assert_eq!(place("1970-01-01T00:00:01Z"), second);
        assert!(matches!(place("90m"), Place::Time(Moment::Ago(_))));
        for id in ["mine", "#00000000-07", "2026", "urn:uuid:1"] {
            assert_eq!(place(id), Place::Id(id.into()));
        }
    }
}
