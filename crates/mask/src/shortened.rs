//! Texts of strangers, which may be long, in messages of one line.
use std::borrow::Cow;

/// Gives the text if it has at most `most` characters, else that many of them and `…`.
///
/// What may hold secrets is masked before it is shortened: a token that was cut is not recognised.
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
