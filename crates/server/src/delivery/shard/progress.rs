//! The looks at what the peers of a shard have acknowledged: a member whose peer takes nothing is given up.
//!
//! A member is looked at only when its timer fires, so an event costs nothing more. The shard keeps something only for
//! a member that has bytes on their way at such a look.
use super::Shard;
use crate::progress::{Sent, Verdict};
use fanfare_hub::fan_out::MemberKey;
use std::time::Instant;

impl Shard {
    /// Gives up those of the members `due` whose peers have acknowledged nothing for the write timeout. This comes
    /// before heartbeats are sent to these members: otherwise each of them would have a heartbeat on its way.
    pub(super) fn give_up_overdue(&mut self, due: &[MemberKey]) {
        let Some(rule) = self.write_timeout else { return };
        for key in due {
            let Some(socket) = self.sockets.get(*key) else { continue };
            match rule.judge(Sent::of(socket), self.waits.get(key).copied(), self.now) {
                Verdict::Complete => _ = self.waits.remove(key),
                Verdict::Waits(wait) => _ = self.waits.insert(*key, wait),
                Verdict::Overdue => {
                    tracing::debug!("a subscriber is given up, because it takes no data");
                    self.sockets.reset_at_close(*key);
                    self.fan_out.leave(*key);
                }
            }
        }
        self.settle();
    }

    /// Returns the time by which a member is to be looked at; `None` if members are not given up.
    pub(super) fn next_look(&self, key: MemberKey) -> Option<Instant> {
        Some(self.write_timeout?.next_look(self.waits.get(&key), self.now))
    }
}
