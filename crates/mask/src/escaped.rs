//! Resolves the percent-escapes of a word (`%3D` becomes `=`), and remembers from which bytes of the word each
//! resulting byte came.
use std::ops::Range;

/// A word whose percent-escapes were resolved zero or more times.
pub(crate) struct Layer {
    bytes: Vec<u8>,
    /// For each byte, its index in the original word. One more item at the end is the length of the original word.
    from: Vec<usize>,
}

impl Layer {
    /// Returns the word with no escapes resolved yet.
    pub(crate) fn new(word: &[u8]) -> Self {
        Self { bytes: word.to_vec(), from: (0..=word.len()).collect() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the part of the original word from which the bytes at `span` came.
    pub(crate) fn source(&self, span: &Range<usize>) -> Range<usize> {
        self.from[span.start]..self.from[span.end]
    }

    /// Resolves each percent-escape once. Returns the resulting word, and the index in the original word where the
    /// first escape begins; `None` if the word has no escape.
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

    /// Returns the byte that the percent-escape at the index `at` stands for; `None` if no escape begins there.
    fn escape(&self, at: usize) -> Option<u8> {
        let digit = |at: usize| char::from(*self.bytes.get(at)?).to_digit(16);
        let (high, low) = (self.bytes[at] == b'%').then(|| Some((digit(at + 1)?, digit(at + 2)?)))??;
        u8::try_from(high << 4 | low).ok()
    }
}
