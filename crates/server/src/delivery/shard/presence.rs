//! The presence of members that the hub publishes as active subscriptions. It is stored apart from other data about a
//! member, so that it takes memory only if the hub publishes active subscriptions.
use crate::subscriptions::Present;
use fanfare_hub::fan_out::MemberKey;

/// The presence of each member. The index is the member's key.
#[derive(Debug, Default)]
pub(super) struct Presence(Vec<Option<Present>>);

impl Presence {
    /// Stores the presence of a new member.
    pub(super) fn begin(&mut self, key: MemberKey, present: Present) {
        let place = key as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place] = Some(present);
    }

    /// Drops the presence of a member that has left, if it had one.
    pub(super) fn end(&mut self, key: MemberKey) {
        if let Some(present) = self.0.get_mut(key as usize) {
            *present = None;
        }
    }
}
