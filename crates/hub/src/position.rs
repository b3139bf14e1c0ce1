//! Positions: where an update is in the log, as an epoch and an offset.
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

/// The number of an entry in the log's one sequence. The first entry has offset 1; offset 0 is the position before the
/// first entry.
///
/// Offsets are dense: the offset of each entry is the offset of the previous entry plus one. So a missing offset always
/// means a lost entry, and can be reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Offset(pub u64);

impl Offset {
    /// The position before the first entry.
    pub const ZERO: Self = Self(0);

    /// Returns the next offset.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Returns the offset `count` entries after this one.
    pub(crate) fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

/// The name of the time between two openings of a log. It consists of [`Epoch::LEN`] characters of Crockford's base 32,
/// in lower case.
///
/// The first entry that is appended after a log was opened begins a new epoch. A position whose epoch the log does not
/// know, or that is beyond the end of its epoch, belongs to another log, or to an update that this log has lost, for
/// example because a backup was restored or a file was truncated. So the log can distinguish this position from a
/// position that is merely old.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch([u8; Self::LEN]);

impl Epoch {
    /// The number of characters of an epoch. They encode 40 random bits.
    pub const LEN: usize = 8;
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

    /// Returns a new epoch from random bits. Only the lowest 40 bits are used.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let digit = |place: usize| Self::ALPHABET[(bits >> (5 * place) & 31) as usize];
        Self(std::array::from_fn(digit))
    }

    /// Returns a random epoch. It has to differ from other epochs, but it need not be hard to guess.
    #[must_use]
    pub fn random() -> Self {
        // The standard library takes the keys of its hashes from the operating system's random bits.
        Self::from_bits(RandomState::new().hash_one(0))
    }

    /// Reads an epoch in the form that its [`fmt::Display`] writes; `None` if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(|byte| Self::ALPHABET.contains(byte)).then_some(Self(bytes))
    }

    /// Returns the epoch as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

/// A position in the log: an epoch and an offset. The IDs that the hub makes are positions, written as
/// `#<epoch>-<offset>`. This is a URI fragment, and so a valid Mercure ID. No publisher may choose an ID that begins
/// with `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The epoch in which the entry was appended.
    pub epoch: Epoch,
    /// The number of the entry in the log's sequence.
    pub offset: Offset,
}

impl Position {
    /// Reads a position in exactly the form that its [`fmt::Display`] writes, so that one position has only one
    /// spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, offset) = text.strip_prefix('#')?.split_once('-')?;
        let canonical = offset == "0" || !offset.starts_with('0');
        if !canonical || offset.is_empty() || !offset.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { epoch: Epoch::parse(epoch)?, offset: Offset(offset.parse().ok()?) })
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}-{}", self.epoch, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_has_one_spelling() {
        let position = Position { epoch: Epoch::from_bits(0x12_3456_789a), offset: Offset(42) };
        assert_eq!(Position::parse(&position.to_string()), Some(position));
        for other in ["", "#", "#00000000", "#00000000-", "#00000000-01", "#00000000-+1", "#0000000-1", "#0000000u-1"] {
            assert_eq!(Position::parse(other), None, "{other}");
        }
        assert_eq!(Position::parse("#00000000-18446744073709551616"), None, "beyond 64 bits");
        assert!(Position::parse("#00000000-0").is_some());
    }
}
