//! A checksum that shows whether all data arrived completely and in order, at a cost that is negligible compared with
//! the cost of parsing.

/// Two running sums over words of eight bytes (after Fletcher). The second sum depends on the order of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    sum: u64,
    sums: u64,
}

impl Default for Checksum {
    /// Returns the checksum of no data. `sum` does not begin with zero, because then words of zero would not change the
    /// checksum.
    fn default() -> Self {
        Self { sum: 1, sums: 0 }
    }
}

impl Checksum {
    /// Adds the data of the next event.
    #[inline]
    pub fn add(&mut self, data: &str) {
        let (words, rest) = data.as_bytes().as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        words.iter().for_each(|word| self.word(u64::from_le_bytes(*word)));
        self.word(u64::from_le_bytes(last));
        // The length is added too, so that the checksum depends on where each event ends.
        self.word(data.len() as u64);
    }

    /// Returns the checksum of all data that was added so far.
    #[must_use]
    pub fn value(self) -> u64 {
        self.sum ^ self.sums.rotate_left(32)
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.sum = self.sum.wrapping_add(word);
        self.sums = self.sums.wrapping_add(self.sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_has_another_checksum() {
        let of = |events: &[&str]| {
            let mut checksum = Checksum::default();
            events.iter().for_each(|data| checksum.add(data));
            checksum.value()
        };
        let all: [&[&str]; 8] = [
            &[],
            &[""],
            &["", ""],
            &["one", "two"],
            &["two", "one"],
            &["onetwo"],
            &["a text of several words", "b"],
            &["b", "a text of several words"],
        ];
        for (index, events) in all.iter().enumerate() {
            assert_eq!(of(events), of(events));
            assert!(all[..index].iter().all(|other| of(other) != of(events)), "{events:?}");
        }
    }
}
