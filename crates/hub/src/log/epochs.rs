//! The epochs of a log: they show whether an ID comes from another log, or names an update that this log has lost.
//!
//! Each time a log is opened, a new epoch begins with the first entry that is appended, and an ID made by the hub
//! contains the epoch in which its entry was appended. An offset alone would not be enough: after a backup is restored,
//! or a damaged file has lost its end, the same offsets are given to other updates. With epochs, an ID whose epoch the
//! log never wrote, or that is beyond the end of its epoch, names an update that this log does not hold, and the
//! subscriber is told of a gap.
use crate::position::{Epoch, Offset, Position};

/// The number of epochs without entries that are remembered: epochs in which nothing was appended, and epochs whose
/// entries retention has discarded. An ID of a remembered epoch is resolved exactly; an ID of an older epoch is treated
/// like an ID of another log.
pub const IDLE_EPOCHS: usize = 64;

/// The epochs of a log and the offset at which each began, oldest first. Each epoch ends where the next epoch begins.
/// The last epoch is the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epochs(Vec<(Epoch, Offset)>);

impl Epochs {
    /// Returns the epochs of a log that is opened for the first time.
    #[must_use]
    pub fn first(epoch: Epoch) -> Self {
        Self::begin(Vec::new(), epoch, Offset(1))
    }

    /// The current epoch: the epoch of the entries that are appended next.
    #[must_use]
    pub fn current(&self) -> Epoch {
        self.0.last().expect("there is always a current epoch").0
    }

    /// Returns the newest offset that the log had when `epoch` ended; for the current epoch, returns `head`, which must
    /// be the newest offset of the log. `None` if the log never wrote the epoch, or has forgotten it.
    #[must_use]
    pub fn end(&self, epoch: Epoch, head: Offset) -> Option<Offset> {
        let index = self.0.iter().rposition(|(known, _)| *known == epoch)?;
        Some(self.0.get(index + 1).map_or(head, |(_, first)| Offset(first.0 - 1)))
    }

    /// Returns the position of `offset`. Its epoch is the last remembered epoch that began at this offset or before;
    /// the oldest remembered epoch if none did.
    #[must_use]
    pub fn position(&self, offset: Offset) -> Position {
        let begun = self.0.partition_point(|(_, first)| *first <= offset);
        Position { epoch: self.0[begun.saturating_sub(1)].0, offset }
    }

    /// Returns the `earlier` epochs with `epoch` after them. The new epoch begins with the offset `first`, where the
    /// last earlier epoch ends.
    pub(crate) fn begin(mut earlier: Vec<(Epoch, Offset)>, epoch: Epoch, first: Offset) -> Self {
        earlier.push((epoch, first));
        Self(earlier)
    }

    /// Makes the epochs from a list as [`Self::to_vec`] returns it; the list must have at least one epoch.
    pub(crate) fn from_vec(epochs: Vec<(Epoch, Offset)>) -> Self {
        assert!(!epochs.is_empty(), "there is always a current epoch");
        Self(epochs)
    }

    /// Returns the epochs in which the offsets from `first` to `last` were appended, oldest first.
    pub(crate) fn between(&self, first: Offset, last: Offset) -> Vec<Epoch> {
        let ends = self.0.iter().skip(1).map(|(_, next)| next.0.saturating_sub(1)).chain([u64::MAX]);
        let wrote = self.0.iter().zip(ends).filter(|((_, begin), end)| *begin <= last && first.0 <= *end);
        wrote.filter(|((_, begin), end)| begin.0 <= *end).map(|((epoch, _), _)| *epoch).collect()
    }

    /// Returns each epoch and the offset at which it began, oldest first.
    #[must_use]
    pub fn to_vec(&self) -> Vec<(Epoch, Offset)> {
        self.0.clone()
    }

    /// Removes the epochs without entries, except the newest [`IDLE_EPOCHS`] of them. `oldest` is the oldest offset
    /// that the log holds. Returns true if it removed an epoch.
    pub(crate) fn forget(&mut self, oldest: Offset) -> bool {
        let holds_none = |index: usize| match self.0.get(index + 1) {
            Some((_, end)) => *end <= oldest || *end == self.0[index].1,
            None => false,
        };
        let idle: Vec<usize> = (0..self.0.len()).filter(|index| holds_none(*index)).collect();
        let surplus = &idle[..idle.len().saturating_sub(IDLE_EPOCHS)];
        for index in surplus.iter().rev() {
            self.0.remove(*index);
        }
        !surplus.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(bits: u64) -> Epoch {
        Epoch::from_bits(bits)
    }

    /// Epoch 1 wrote the offsets 1 to 10, epoch 2 wrote none, epoch 3 writes from 11 on.
    fn epochs() -> Epochs {
        let epochs = Epochs::first(epoch(1));
        let epochs = Epochs::begin(epochs.to_vec(), epoch(2), Offset(11));
        Epochs::begin(epochs.to_vec(), epoch(3), Offset(11))
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        for (bits, end) in [(1, Some(10)), (2, Some(10)), (3, Some(15)), (4, None)] {
            assert_eq!(epochs().end(epoch(bits), Offset(15)), end.map(Offset), "epoch {bits}");
        }
    }

    #[test]
    fn a_position_names_the_epoch_that_wrote_it() {
        for (offset, bits) in [(0, 1), (1, 1), (10, 1), (11, 3), (99, 3)] {
            assert_eq!(epochs().position(Offset(offset)), Position { epoch: epoch(bits), offset: Offset(offset) });
        }
    }

    #[test]
    fn idle_epochs_are_forgotten_beyond_the_limit() {
        let mut epochs = epochs();
        for bits in 0..IDLE_EPOCHS as u64 - 1 {
            epochs = Epochs::begin(epochs.to_vec(), epoch(100 + bits), Offset(11));
        }
        // All epochs from 2 on, except the last one, are without entries: exactly as many as are remembered.
        assert!(!epochs.forget(Offset(1)));
        // When the entries of epoch 1 are discarded, there is one epoch too many.
        assert!(!epochs.forget(Offset(10)), "10 is still held");
        assert!(epochs.forget(Offset(11)));
        assert_eq!(epochs.end(epoch(1), Offset(11)), None);
        assert_eq!(epochs.end(epoch(2), Offset(11)), Some(Offset(10)));
        // The position before the oldest entry still has an ID that the log knows.
        let before = epochs.position(Offset(10));
        assert!(before.offset <= epochs.end(before.epoch, Offset(11)).unwrap());
    }
}
