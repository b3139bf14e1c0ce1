//! IDs in messages. Whoever sends events chooses their IDs, of any length.
use fanfare_mask::shortened;

/// The most characters of an ID that are shown.
const MAX_ID_CHARACTERS: usize = 64;

/// Gives an ID as messages show it: in quotation marks, with control characters escaped, and its beginning alone if it
/// is long.
pub(crate) fn shown_id(id: &str) -> String {
    format!("{:?}", shortened(id, MAX_ID_CHARACTERS))
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
