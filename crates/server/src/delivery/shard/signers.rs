//! The signers of the tokens that have let in a shard's members. A member has only a small number, its tag, so that an
//! idle member takes no more memory.
use crate::auth::Signer;
use slab::Slab;
use std::sync::Arc;

/// The tag of a member that needed no token.
const NO_TOKEN: u32 = 0;

/// The signers, and the number of members of each. A tag is the index of a signer plus 1.
#[derive(Debug, Default)]
pub(super) struct MembersBySigner(Slab<(Arc<Signer>, usize)>);

impl MembersBySigner {
    /// Returns the tag for a new member whose token has this signer.
    pub(super) fn begin(&mut self, signer: Option<&Arc<Signer>>) -> u32 {
        let Some(signer) = signer else { return NO_TOKEN };
        // There are few signers: as many as there are keys, if no key was replaced.
        let known = self.0.iter_mut().find(|(_, (known, _))| Arc::ptr_eq(known, signer));
        let index = match known {
            Some((index, (_, members))) => {
                *members += 1;
                index
            }
            None => self.0.insert((Arc::clone(signer), 1)),
        };
        u32::try_from(index + 1).expect("there are fewer signers than members")
    }

    /// Notes that a member with this tag has left.
    pub(super) fn end(&mut self, tag: u32) {
        let Some(index) = (tag as usize).checked_sub(1) else { return };
        let (_, members) = &mut self.0[index];
        *members -= 1;
        if *members == 0 {
            self.0.remove(index);
        }
    }

    /// Returns the tags of the members whose signers the hub does not trust any more.
    pub(super) fn revoked(&self) -> Vec<u32> {
        let revoked = self.0.iter().filter(|(_, (signer, _))| signer.is_revoked());
        revoked.map(|(index, _)| u32::try_from(index + 1).expect("there are fewer signers than members")).collect()
    }
}
