//! The progress of a relay: the upstream's ID of the last event that the hub has acknowledged, and the position in the
//! hub's log after that event.
//!
//! If the process crashes after the hub's acknowledgement and before the file is written, the file is older than the
//! hub's log. The position in the file says where in the log the updates begin that the file does not know yet. The
//! relay finds its own updates there, and does not publish them again. Position and ID are in one line, so that they
//! are replaced together: `#<epoch>-<offset> <ID>`. A line without a position is an ID that somebody wrote by hand.
use fanfare_client::{BoxError, FileStore, Store, StoreFuture};
use fanfare_hub::{position::Position, update::EARLIEST};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The text that the file contains in place of a position that is not known.
const NOWHERE: &str = "-";

/// The state of one relay, in a file or only in memory. All clones have the same state.
#[derive(Clone, Debug)]
pub(crate) struct State(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: Option<FileStore>,
    /// The event ID after which the relay begins as long as no ID is saved.
    first: Option<String>,
    place: Mutex<Place>,
}

/// The progress of the relay.
#[derive(Debug, Default)]
struct Place {
    position: Option<String>,
    /// The upstream's event ID after which this run of the relay began.
    began: Option<String>,
    /// The line that was saved last, if there is no file: a relay that has failed starts again after this event.
    saved: Option<String>,
}

impl State {
    /// Makes a state that is saved in `file`. As long as the file has no ID, the relay begins after the event `first`.
    pub(crate) fn new(file: Option<PathBuf>, first: Option<String>) -> Self {
        Self(Arc::new(Shared { file: file.map(FileStore::new), first, place: Mutex::default() }))
    }

    /// Returns the same state for the next run of the relay, which begins where the state was saved last. The position
    /// of the run before is forgotten: the hub may have events up to this position whose IDs are not saved, and the
    /// next run has to look for them.
    pub(crate) fn for_next_run(&self) -> Self {
        let mut place = self.0.place();
        (place.position, place.began) = (None, None);
        self.clone()
    }

    /// Returns the position in the hub's log after the last acknowledged event.
    pub(super) fn position(&self) -> Option<String> {
        self.0.place().position.clone()
    }

    /// Sets the position in the hub's log. It is saved when the next ID of the upstream is saved.
    pub(super) fn set_position(&self, position: String) {
        self.0.place().position = Some(position);
    }

    /// Saves the position and the event ID at which the relay begins, before the relay publishes anything.
    ///
    /// # Errors
    /// [`BoxError`] if the file cannot be written.
    pub(super) async fn begin(&self) -> Result<(), BoxError> {
        let began = self.0.place().began.clone().unwrap_or_default();
        self.save(began).await
    }
}

impl Shared {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for State {
    fn load(&self) -> StoreFuture<'_, Option<String>> {
        Box::pin(async {
            let kept = match &self.0.file {
                Some(file) => file.load().await?,
                None => self.0.place().saved.clone(),
            };
            let (position, id) = kept.as_deref().map_or((None, self.0.first.as_deref().unwrap_or_default()), parse);
            let began = (!id.is_empty()).then(|| id.to_owned());
            let mut place = self.0.place();
            // If this run of the relay already has a position, this position is kept, because it is newer than the
            // position in the file.
            place.position = place.position.take().or_else(|| position.map(str::to_owned));
            place.began.clone_from(&began);
            drop(place);
            Ok(began)
        })
    }

    fn save(&self, id: String) -> StoreFuture<'_, ()> {
        let line = format!("{} {id}", self.0.place().position.as_deref().unwrap_or(NOWHERE));
        Box::pin(async move {
            match &self.0.file {
                Some(file) => file.save(line).await?,
                None => self.0.place().saved = Some(line),
            }
            Ok(())
        })
    }
}

/// Splits a line into the position, if there is one, and the ID.
fn parse(line: &str) -> (Option<&str>, &str) {
    match line.split_once(' ') {
        Some((NOWHERE, id)) => (None, id),
        Some((position, id)) if position == EARLIEST || Position::parse(position).is_some() => (Some(position), id),
        _ => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A relay without a file that has failed or panicked starts again with the same state.
    #[tokio::test]
    async fn a_state_without_a_file_is_kept_as_long_as_the_process_runs() {
        let state = State::new(None, Some("first".to_owned()));
        assert_eq!(state.load().await.unwrap().as_deref(), Some("first"));
        state.set_position("#00000000-7".to_owned());
        state.save("5".to_owned()).await.unwrap();
        state.set_position("#00000000-9".to_owned());
        let next = state.for_next_run();
        assert_eq!(next.load().await.unwrap().as_deref(), Some("5"));
        assert_eq!(next.position().as_deref(), Some("#00000000-7"), "what was published behind it is looked for");
    }

    #[test]
    fn a_line_has_an_id_and_perhaps_a_position() {
        let cases = [
            ("#00000000-7 5", Some("#00000000-7"), "5"),
            ("earliest a b", Some("earliest"), "a b"),
            ("#00000000-7 ", Some("#00000000-7"), ""),
            ("- #00000000-7", None, "#00000000-7"),
            ("#00000000-7", None, "#00000000-7"),
            ("a b", None, "a b"),
        ];
        for (line, position, id) in cases {
            assert_eq!(parse(line), (position, id), "{line}");
        }
    }
}
