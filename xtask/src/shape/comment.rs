//! The check for doc comments that are headless: they begin with a clause or a phrase instead of a noun or a verb.

/// The words with which a headless comment begins.
const HEADLESS: [&str; 30] = [
    "which", "what", "whatever", "who", "whoever", "whom", "whose", "whether", "where", "when", "how", "why", "those",
    "that", "as", "of", "for", "from", "in", "on", "by", "with", "without", "until", "because", "if", "so", "at", "to",
    "under",
];

/// A doc comment.
#[derive(Debug, PartialEq, Eq)]
pub struct Comment<'a> {
    /// The number of the line in the file, counted from 1.
    pub line: usize,
    pub text: &'a str,
}

impl Comment<'_> {
    pub fn is_headless(&self) -> bool {
        let word = self.text.split(|char: char| !char.is_alphabetic()).next().unwrap_or_default();
        HEADLESS.contains(&&word.to_lowercase()[..])
    }
}

/// Returns the first line of each doc comment of a Rust file.
pub fn comments(source: &str) -> impl Iterator<Item = Comment<'_>> {
    let mut was_comment = false;
    source.lines().zip(1..).filter_map(move |(line, number)| {
        let text = ["///", "//!"].iter().find_map(|mark| line.trim_start().strip_prefix(mark));
        let begins = text.is_some() && !was_comment;
        was_comment = text.is_some();
        text.filter(|_| begins).map(|text| Comment { line: number, text: text.trim() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_has_a_head_or_not() {
        let source =
            "//! The parser.\n//!\n//! Which one.\n\n/// Which one it is.\nfn x() {}\n    /// Returns it.\n/// What.";
        let found: Vec<_> = comments(source).map(|comment| (comment.line, comment.is_headless())).collect();
        assert_eq!(found, [(1, false), (5, true), (7, false)]);
    }
}
