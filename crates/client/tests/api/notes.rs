//! A store in the hands of a test.
use fanfare_client::{BoxError, Store, StoreFuture};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// A store that tells what was saved, and waits or fails as a test wants it.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    kept: Option<String>,
    saved: Vec<String>,
    fails: bool,
    /// Saving takes until this, if it is there.
    slow: Option<Arc<Notify>>,
    /// True if a save is over as soon as it is begun.
    saves_at_once: bool,
}

impl Notes {
    pub(crate) fn holding(id: &str) -> Self {
        let notes = Self::default();
        notes.state().kept = Some(id.to_owned());
        notes
    }

    /// Returns what was saved so far, one after the other.
    pub(crate) fn saved(&self) -> Vec<String> {
        self.state().saved.clone()
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.state().fails = fails;
    }

    /// Lets each save from now on be over as soon as it is begun.
    pub(crate) fn save_at_once(&self) {
        self.state().saves_at_once = true;
    }

    /// Delays each save from now on until what is returned is notified.
    pub(crate) fn slow(&self) -> Arc<Notify> {
        Arc::clone(self.state().slow.insert(Arc::default()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics with it")
    }
}

impl Store for Notes {
    fn load(&self) -> StoreFuture<'_, Option<String>> {
        Box::pin(async {
            tokio::task::yield_now().await;
            let state = self.state();
            if state.fails { Err(BoxError::from("the disk is gone")) } else { Ok(state.kept.clone()) }
        })
    }

    fn save(&self, id: String) -> StoreFuture<'_, ()> {
        Box::pin(async {
            let slow = self.state().slow.clone();
            let saves_at_once = self.state().saves_at_once;
            match slow {
                Some(slow) => slow.notified().await,
                None if saves_at_once => {}
                None => tokio::task::yield_now().await,
            }
            let mut state = self.state();
            if state.fails {
                return Err(BoxError::from("the disk is full"));
            }
            state.saved.push(id.clone());
            state.kept = Some(id);
            Ok(())
        })
    }
}
