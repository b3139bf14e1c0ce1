//! A word and what it comes to when its percent-escapes are resolved, with the way back to the word.
use std::ops::Range;

/// A word that was unescaped any number of times.
pub(crate) struct Layer {
    bytes: Vec<u8>,
    /// The place in the word where each byte begins, and the end.
    from: Vec<usize>,
}

impl Layer {
    /// The word as it stands.
    pub(crate) fn new(word: &[u8]) -> Self {
        Self { bytes: word.to_vec(), from: (0..=word.len()).collect() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the part of the word that `span` was made of.
    pub(crate) fn source(&self, span: &Range<usize>) -> Range<usize> {
        self.from[span.start]..self.from[span.end]
    }

    /// Resolves each escape once, and says where in the word the first of them begins. `None` if there is none.
    pub(crate) fn unescaped(&self) -> Option<(Self, usize)> {
        let first = (0..self.bytes.len()).find(|&at| self.escape(at).is_some())?;
        let mut next = Self { bytes: self.bytes[..first].to_vec(), from: self.from[..first].to_vec() };
        let mut at = first;
        while at < self.bytes.len() {
            let (byte, length) = self.escape(at).map_or((self.bytes[at], 1), |byte| (byte, 3));
            next.bytes.push(byte);
            next.from.push(self.from[at]);
            at += length;
        }
        next.from.push(self.from[self.bytes.len()]);
        Some((next, self.from[first]))
    }

    /// Gives the byte that the escape at `at` stands for.
    fn escape(&self, at: usize) -> Option<u8> {
        let digit = |at: usize| char::from(*self.bytes.get(at)?).to_digit(16);
        let (high, low) = (self.bytes[at] == b'%').then(|| Some((digit(at + 1)?, digit(at + 2)?)))??;
        u8::try_from(high << 4 | low).ok()
    }
}
