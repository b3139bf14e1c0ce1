//! All parts of one [`FanOut`](super::FanOut), which can be found by their numbers and by their audiences.
use super::{member::PartIndex, part::Part};
use crate::{audience_key::AudienceKey, bundle::PartKey};
use slab::Slab;
use std::{collections::HashMap, sync::Arc};

/// The parts of one [`FanOut`](super::FanOut).
#[derive(Debug, Default)]
pub(super) struct Parts {
    parts: Slab<(u32, Part)>,
    by_key: HashMap<Arc<AudienceKey>, PartIndex>,
    /// The number of parts that were ever added. It is the generation in the key of the newest part. Events for a part
    /// that is gone are recognised by their generation, even if a newer part has the same index.
    generation: u32,
}

impl Parts {
    /// Returns the number of the part of this audience, if there is one.
    pub(super) fn find(&self, key: &AudienceKey) -> Option<PartIndex> {
        self.by_key.get(key).copied()
    }

    /// The number of parts.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Adds the part of this audience. `make` gets the key of the new part and returns the part.
    pub(super) fn add(&mut self, key: Arc<AudienceKey>, make: impl FnOnce(PartKey) -> Part) -> PartIndex {
        self.generation = self.generation.wrapping_add(1);
        let index = u32::try_from(self.parts.vacant_key()).expect("there are fewer than 2^32 parts");
        let part = make(PartKey { index, generation: self.generation });
        self.parts.insert((self.generation, part));
        let before = self.by_key.insert(key, index);
        assert!(before.is_none(), "an audience has at most one part");
        index
    }

    /// Removes a part that has no members.
    pub(super) fn remove(&mut self, index: PartIndex) -> (Arc<AudienceKey>, PartKey) {
        let (generation, part) = self.parts.remove(index as usize);
        assert!(
            part.members == 0 && part.waiting.is_empty() && part.readers.is_empty(),
            "the part still has members: {part:?}"
        );
        self.by_key.remove(&part.key);
        // When the last part is gone, the memory is released: there may have been many parts.
        if self.parts.is_empty() {
            (self.parts, self.by_key) = Default::default();
        }
        (part.key, PartKey { index, generation })
    }

    pub(super) fn get(&self, index: PartIndex) -> &Part {
        &self.parts[index as usize].1
    }

    pub(super) fn get_mut(&mut self, index: PartIndex) -> &mut Part {
        &mut self.parts[index as usize].1
    }

    /// Returns the number of the part with this key; `None` if the part is gone.
    pub(super) fn known(&self, key: PartKey) -> Option<PartIndex> {
        let (generation, _) = self.parts.get(key.index as usize)?;
        (*generation == key.generation).then_some(key.index)
    }

    /// Returns the key of this part, which the router writes on the events for it.
    pub(super) fn key_of(&self, index: PartIndex) -> PartKey {
        PartKey { index, generation: self.parts[index as usize].0 }
    }
}
