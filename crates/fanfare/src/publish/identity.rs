//! Makes an ID for each line to publish. No other publisher uses the same IDs. If the answer to a line was lost, the ID
//! shows whether the line is in the hub's log. The text alone would not show it, because another publisher may have
//! sent the same text.
use uuid::Uuid;

/// The IDs of one run of the command: `urn:uuid:<random>#<line>.<number>`. `<line>` is the number of the first line of
/// a batch, and `<number>` counts the lines of the batch from 1. As Mercure requires, each ID is an IRI and does not
/// begin with `#`.
#[derive(Clone, Debug)]
pub(super) struct Identity(Uuid);

impl Identity {
    /// Makes the IDs of a new run from 122 random bits, which the system provides.
    pub(super) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Returns the text with which all IDs of a batch begin. `line` is the number of the first line of the batch.
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
