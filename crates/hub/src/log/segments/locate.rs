//! Finds the entries to which publishers gave a certain ID.
use super::{
    directory::Kind,
    index::{Posting, Stretch, Summary},
    index_file::Ids,
    read::{Part, Records},
    segment::{Segment, index_of},
    store::Store,
};
use crate::{
    entry::Timestamp,
    log::{
        Candidates, Found, LogError,
        found::MAX_CANDIDATES,
        terms::{self, Term},
    },
    position::Offset,
};
use fanfare_event_stream::EventId;
use std::{io, sync::Arc};

impl Store {
    pub(super) fn locate(&self, id: &EventId, now: Timestamp) -> Result<Candidates, LogError> {
        let now = self.hear(now);
        let term = terms::id(id.as_str(), super::head::log_seed(&self.log));
        match self.retry(|| self.candidates(id, term, now)) {
            // The file of a segment is missing. The ID is treated as unknown: a subscriber that sends it as its last
            // event ID is told of a gap.
            Err(LogError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Candidates::default()),
            found => found,
        }
    }

    fn candidates(&self, id: &EventId, term: Term, now: Timestamp) -> Result<Candidates, LogError> {
        let (segments, bounds) = {
            let held = self.held();
            (held.segments.clone(), held.bounds.clone())
        };
        let mut candidates = Candidates::default();
        let mut uses = Vec::new();
        for segment in segments.iter().filter(|segment| !segment.state().is_withheld) {
            let postings = self.postings_of(segment, term)?;
            let live: Vec<_> = postings.iter().filter(|posting| posting.offset >= bounds.oldest).copied().collect();
            uses.push((segment, postings.len(), live.len()));
            self.look_at(segment, &live, id, now, &mut candidates)?;
        }
        // If no entry in the log has the ID now, the ID is unknown, and it does not matter whether a discarded entry
        // had it.
        candidates.discarded = !candidates.held.is_empty()
            && (uses.iter().any(|(segment, count, live)| *count.max(&self.noted(segment, term)) > *live)
                || self.was_in_old(term));
        Ok(candidates)
    }

    /// Returns the postings of an ID in a segment. `term` is the hash of the ID.
    fn postings_of(&self, segment: &Segment, term: Term) -> io::Result<Vec<Posting>> {
        let parts = (&self.directory, &self.files);
        let everything = Stretch { from: Offset::ZERO, until: Offset(u64::MAX), most: MAX_CANDIDATES + 1 };
        if let Some(postings) = segment.ask(parts, |index, file| index.postings(file, term, everything))? {
            return Ok(postings);
        }
        let file = self.open(segment, Kind::Log)?;
        let Summary { log_bytes, end, .. } = segment.summary();
        Ok(index_of(&file, (segment.first, end), log_bytes, &segment.seeds)?.postings(term, everything))
    }

    /// Returns the number of times that an ID was used in a segment, according to the file with the hashes of its IDs.
    /// Uses that a rewrite has removed are included.
    fn noted(&self, segment: &Segment, term: Term) -> usize {
        let ids = self.open(segment, Kind::Ids).ok();
        ids.and_then(|file| Ids::open(&file, segment.seeds.ids()).ok()?.count_of(&file, term).ok()).unwrap_or(0)
    }

    fn look_at(
        &self,
        segment: &Arc<Segment>,
        postings: &[Posting],
        id: &EventId,
        now: Timestamp,
        candidates: &mut Candidates,
    ) -> Result<(), LogError> {
        if postings.is_empty() {
            return Ok(());
        }
        let file = self.open(segment, Kind::Log)?;
        let erased = segment.state().erased.clone();
        let mut records = Records::new(&Part { segment, file: &file, last: Offset(u64::MAX) });
        for posting in postings {
            if candidates.held.len() >= MAX_CANDIDATES {
                candidates.more = true;
                break;
            }
            let Some(record) = records.get(*posting, None)? else { continue };
            let Some(found) = record.found() else { continue };
            // Another ID may have the same hash, so the IDs are compared. A record of an erased or discarded entry has
            // only the hash.
            let has_it = match &found {
                Found::Entry(entry) => entry.update.id() == Some(id),
                _ => true,
            };
            if has_it {
                candidates.held.push(self.judge(found, &record, &erased, now));
            }
        }
        Ok(())
    }

    /// True if a segment that retention has removed had the ID, or another ID with the same hash.
    fn was_in_old(&self, term: Term) -> bool {
        let old = self.held().old_ids.clone();
        old.iter().rev().any(|(first, ids)| {
            let file = self.files.get(&self.directory, *first, 0, Kind::Ids);
            file.ok().and_then(|file| ids.count_of(&file, term).ok()).is_some_and(|count| count > 0)
        })
    }
}
