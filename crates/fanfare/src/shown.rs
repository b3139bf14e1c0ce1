//! Prepares text from other parties for messages. A publisher chooses the content of its events: an ID may have any
//! length, and may contain control characters.
use fanfare_mask::shortened;
use std::borrow::Cow;

/// The greatest number of characters of an ID that are shown.
const MAX_ID_CHARACTERS: usize = 64;

/// Returns an ID as messages show it: in quotation marks, with control characters escaped, and only its beginning if it
/// is long.
pub(crate) fn shown_id(id: &str) -> String {
    format!("{:?}", shortened(id, MAX_ID_CHARACTERS))
}

/// Returns `text` with its control characters escaped, which could move the cursor of a terminal or forge lines.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let hidden = |character: char| character.is_control() && character != '\t';
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let escape = |character: char| match hidden(character) {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    Cow::Owned(text.chars().map(escape).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_id_the_beginning_is_shown() {
        assert_eq!(shown_id("a\n\"b"), r#""a\n\"b""#);
        let long = "é".repeat(10_000);
        assert_eq!(shown_id(&long), format!("\"{}…\"", "é".repeat(MAX_ID_CHARACTERS)));
    }
}
