//! IDs for lines that no other publisher uses. Two publishers may send equal lines, so only the ID shows whether an
//! update in the log is the line whose answer was lost.
use uuid::Uuid;

/// The IDs of one run: `urn:uuid:<random>#<line>.<number>`, where the number counts the lines of a batch that begins
/// with that line. As Mercure requires, each ID is an IRI and does not begin with `#`.
#[derive(Clone, Debug)]
pub(super) struct Identity(Uuid);

impl Identity {
    /// Makes an identity from 122 random bits of the system.
    pub(super) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Returns the beginning of all IDs of a batch whose first line has this number.
    pub(super) fn prefix(&self, line: u64) -> String {
        format!("{}#{line}.", self.0.urn())
    }
}

/// Returns the IDs of a batch of `lines` lines, each ended by LF.
pub(super) fn ids(prefix: &str, lines: usize) -> String {
    (1..=lines).map(|number| format!("{prefix}{number}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_runs_share_an_id() {
        let [one, other] = [(); 2].map(|()| Identity::random());
        assert_ne!(one.prefix(1), other.prefix(1));
        let prefix = one.prefix(12);
        assert!(prefix.starts_with("urn:uuid:") && prefix.ends_with("#12."), "{prefix}");
        assert_eq!(ids(&prefix, 2), format!("{prefix}1\n{prefix}2\n"));
    }
}
