//! Erasing: the offsets of erased updates are written to a file beside their segment, and readers do not get these
//! updates any more. Their bytes are removed when the segment is [rewritten](super::rewrite).
use super::{
    blocks,
    directory::{Directory, Kind, PutError},
    index::Stretch,
    read::{Part, Records},
    scan::{Piece, Scan},
    segment::{Seeds, Segment},
    store::Store,
};
use crate::{
    entry::{Entry, Timestamp},
    log::{
        Found, LogError,
        erase::{Erase, Erased},
        record::{Fields, Record},
        terms::{self, Term},
    },
    position::{Offset, Position},
};
use std::{fs, io, sync::Arc};

impl Store {
    pub(super) fn erase(&self, erase: &Erase<'_>, now: Timestamp) -> Result<Erased, LogError> {
        let _keeping = self.keeping();
        self.check()?;
        let now = self.hear(now);
        let (segments, bounds) = {
            let held = self.held();
            (held.segments.clone(), held.bounds.clone())
        };
        let mut erased = Erased::default();
        // The file of presence updates goes first if it may hold what is erased. If it cannot be removed, nothing is
        // erased, and another attempt finds the same updates.
        let erases_presence = self.presence().has_any(erase);
        if erases_presence && self.remove_presence_file()? {
            self.directory.sync().map_err(|error| self.could_not_sync(&error))?;
        }
        self.presence().erase(erase, &mut erased);
        for segment in &segments {
            if segment.summary().end <= bounds.oldest || segment.state().is_withheld {
                continue;
            }
            let mut offsets = Vec::new();
            self.visit_fitting(segment, erase, (bounds.oldest, bounds.head), now, |entry| {
                if (erase.may)(entry.update.topics()) {
                    offsets.push(entry.position.offset);
                } else {
                    erased.kept += 1;
                }
            })?;
            if !offsets.is_empty() {
                erased.erased += offsets.len() as u64;
                self.write_erased(segment, &offsets, now)?;
            }
        }
        Ok(erased)
    }

    /// Calls `visit` for each entry of a segment that meets the conditions of `erase`, in order.
    fn visit_fitting(
        &self,
        segment: &Segment,
        erase: &Erase<'_>,
        (oldest, head): (Offset, Offset),
        now: Timestamp,
        mut visit: impl FnMut(&Entry),
    ) -> Result<(), LogError> {
        let file = match self.open(segment, Kind::Log) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let (end, gone) = {
            let state = segment.state();
            (state.summary.log_bytes, state.erased.clone())
        };
        let mut look = |record: &Record<'_>| {
            let found = record.found().map(|found| self.judge(found, record, &gone, now));
            if let Some(Found::Entry(entry)) = found
                && (oldest..=head).contains(&entry.position.offset)
                && erase.fits(&entry)
            {
                visit(&entry);
            }
        };
        let stretch = Stretch { from: oldest, until: head, most: usize::MAX };
        let postings = match self.term_of(erase) {
            Some(term) => {
                segment.ask((&self.directory, &self.files), |index, file| index.postings(file, term, stretch))?
            }
            None => None,
        };
        if let Some(postings) = postings {
            let mut records = Records::new(&Part { segment, file: &file, last: head });
            for (number, posting) in postings.iter().enumerate() {
                let follows = postings.get(number + 1).map(|next| next.at);
                if let Some(record) = records.get(*posting, follows)? {
                    look(&record);
                }
            }
            return Ok(());
        }
        let mut scan = Scan::new(&file, 0..end, segment.seeds.segment);
        while let Some((_, piece)) = scan.next()? {
            if let Piece::Record(record) = piece {
                look(&record);
            }
        }
        Ok(())
    }

    /// Returns the term (the hash of a topic or of an ID) by which the index finds the entries to erase; `None` if the
    /// whole segment has to be scanned.
    fn term_of(&self, erase: &Erase<'_>) -> Option<Term> {
        let log_seed = super::head::log_seed(&self.log);
        let own = erase.id.filter(|id| Position::parse(id.as_str()).is_none());
        let by_id = own.map(|id| terms::id(id.as_str(), log_seed));
        by_id.or(erase.topic.map(|topic| terms::topic(topic.as_str(), log_seed)))
    }

    /// Adds offsets to the list of erased updates of a segment, durably.
    fn write_erased(&self, segment: &Arc<Segment>, more: &[Offset], now: Timestamp) -> Result<(), LogError> {
        let mut offsets = [&*segment.state().erased, more].concat();
        offsets.sort_unstable();
        let path = self.directory.file(segment.first, Kind::Erased);
        let list = encode(&offsets, segment.seeds.erased(segment.generation));
        self.directory.put(&path, &list).map_err(|error| match error {
            PutError::Sync(error) => self.could_not_sync(&error),
            PutError::Other(error) => error.into(),
        })?;
        // If this sync fails, it is not known whether the list is durable, and a second attempt could seem to succeed.
        self.directory.sync().map_err(|error| self.could_not_sync(&error))?;
        let mut state = segment.state_mut();
        state.erased = offsets.into();
        state.dead_since = state.dead_since.min(now);
        drop(state);
        if !self.held().segments.iter().any(|held| Arc::ptr_eq(held, segment)) {
            // Retention has removed the segment meanwhile, so its list is not needed.
            _ = fs::remove_file(path);
        }
        Ok(())
    }
}

/// Encodes the offsets twice, so that one damaged byte does not make erased updates visible again.
fn encode(offsets: &[Offset], seed: u64) -> Vec<u8> {
    let numbers = [offsets.len() as u64].into_iter().chain(offsets.iter().map(|offset| offset.0));
    let once = blocks::encode(&numbers.flat_map(u64::to_le_bytes).collect::<Vec<_>>(), seed);
    [&once[..], &once].concat()
}

/// Reads the list of erased updates of a segment; `None` if it is damaged. If the segment was rewritten after the list
/// was written, the result is an empty list.
pub(super) fn read_erased(
    directory: &Directory,
    first: Offset,
    generation: u32,
    seeds: &Seeds,
) -> io::Result<Option<Arc<[Offset]>>> {
    let path = directory.file(first, Kind::Erased);
    let Some(bytes) = directory.read(&path)? else { return Ok(Some(Arc::default())) };
    let offsets = decode(&bytes, seeds.erased(generation));
    let was_rewritten = || generation > 0 && decode(&bytes, seeds.erased(generation - 1)).is_some();
    Ok(offsets.or_else(|| was_rewritten().then(Arc::default)))
}

fn decode(bytes: &[u8], seed: u64) -> Option<Arc<[Offset]>> {
    let payload = blocks::decode_either(bytes, seed)?;
    let mut numbers = payload.chunks(8).map_while(|bytes| Fields(bytes).u64());
    let count = numbers.next()?;
    let offsets: Arc<[Offset]> = numbers.map(Offset).collect();
    (offsets.len() as u64 == count).then_some(offsets)
}
