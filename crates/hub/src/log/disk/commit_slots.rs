//! A look at the first bytes of a redb file before redb opens it.
//!
//! redb keeps its last two commits in two slots and, when the newer one does not verify, goes back to the older one
//! without a word. That is right for a commit that was cut off, and wrong for one that was acknowledged and damaged
//! later. A process that is killed leaves no torn slot, and neither does a loss of power: both lie in one disk sector.
//! So a bad one is damage. [The layout](https://github.com/cberner/redb/blob/master/docs/design.md) is fixed by redb's
//! file format.
use crate::log::disk::stored::Fields;
use xxhash_rust::xxh3::xxh3_128;

/// The number of bytes of the file that are looked at.
pub(super) const BYTES: usize = 320;
const MAGIC: &[u8] = b"redb\x1a\n\xa9\r\n";
const SLOTS_FROM: usize = 64;
const SLOT_BYTES: usize = 128;
const CHECKSUM_BYTES: usize = 16;
const TRANSACTION_FROM: usize = SLOT_BYTES - CHECKSUM_BYTES - 8;
const PRIMARY: u8 = 1;
const TWO_PHASE: u8 = 4;

/// What is wrong with the first [`BYTES`] of a file, if anything is.
pub(super) fn damage(start: &[u8]) -> Option<&'static str> {
    let flags = match start.strip_prefix(MAGIC) {
        Some([flags, ..]) if start.len() >= BYTES => flags,
        _ => return Some("this is no log"),
    };
    let slot = |index: usize| &start[SLOTS_FROM + index * SLOT_BYTES..][..SLOT_BYTES];
    let primary = usize::from(flags & PRIMARY);
    let (Some(current), Some(other)) = (transaction(slot(primary)), transaction(slot(1 - primary))) else {
        return Some("a commit slot does not match its checksum");
    };
    // Closing a log commits in two phases, and no commit follows: the current slot is then the newest.
    (flags & TWO_PHASE != 0 && other > current).then_some("the current commit is not the newest")
}

/// The number of the transaction that the slot holds, if the slot is whole.
fn transaction(slot: &[u8]) -> Option<u64> {
    let (body, checksum) = slot.split_at(SLOT_BYTES - CHECKSUM_BYTES);
    let whole = xxh3_128(body).to_le_bytes() == checksum;
    Fields(&body[TRANSACTION_FROM..]).u64().filter(|_| whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::{Database, TableDefinition};

    /// The first bytes of a file that was written `commits` times, and is closed or not.
    fn start_of_file(commits: u64, is_closed: bool) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let database = Database::create(file.path()).unwrap();
        for number in 0..commits {
            let transaction = database.begin_write().unwrap();
            let table = TableDefinition::<u64, u64>::new("table");
            transaction.open_table(table).unwrap().insert(number, number).unwrap();
            transaction.commit().unwrap();
        }
        let kept = (!is_closed).then_some(database);
        let start = std::fs::read(file.path()).unwrap()[..BYTES].to_vec();
        drop(kept);
        start
    }

    #[test]
    fn damage_is_seen_and_the_rest_is_not_damage() {
        for (commits, is_closed) in
            [(0, true), (0, false), (1, true), (1, false), (2, true), (2, false), (3, true), (3, false)]
        {
            let start = start_of_file(commits, is_closed);
            assert_eq!(damage(&start), None, "{commits} commits, closed: {is_closed}");
            for place in (0..MAGIC.len()).chain(SLOTS_FROM..BYTES) {
                let mut start = start.clone();
                start[place] ^= 4;
                assert!(damage(&start).is_some(), "byte {place} after {commits} commits, closed: {is_closed}");
            }
            for cut in 0..BYTES {
                assert!(damage(&start[..cut]).is_some(), "cut at {cut}");
            }
        }
        let mut stale = start_of_file(3, true);
        stale[MAGIC.len()] ^= PRIMARY;
        assert_eq!(damage(&stale), Some("the current commit is not the newest"));
    }
}
