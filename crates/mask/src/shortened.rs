//! Shortens texts from strangers, which may be long, for messages of one line.
use std::borrow::Cow;

/// Returns the text if it has at most `most` characters, and otherwise its first `most` characters and `…`.
///
/// Mask a text before you shorten it: a token that was cut is not recognised any more.
#[must_use]
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!((shortened("éé", 2), shortened("ééé", 2), shortened("", 0)), ("éé".into(), "éé…".into(), "".into()));
    }
}
