//! The members that others are told of. Kept beside the members, so that it takes memory only where it is told at all.
use crate::subscriptions::Present;
use fanfare_hub::fan_out::MemberKey;

/// The signs of presence by the members' keys.
#[derive(Debug, Default)]
pub(super) struct Presence(Vec<Option<Present>>);

impl Presence {
    /// The member is there.
    pub(super) fn begin(&mut self, key: MemberKey, present: Present) {
        let place = key as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place] = Some(present);
    }

    /// The member has left, if it was there.
    pub(super) fn end(&mut self, key: MemberKey) {
        if let Some(present) = self.0.get_mut(key as usize) {
            *present = None;
        }
    }
}
