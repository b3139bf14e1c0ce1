//! Distinguishes a quotation mark that ends a quotation from a mark inside a secret, such as `ab'cd`.

pub(crate) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Returns the length of the quoted text. `text` begins directly after the opening mark. Returns `None` if no closing
/// mark is on the same line.
pub(crate) fn length(text: &[u8], mark: u8) -> Option<usize> {
    let end = text.iter().position(|&byte| byte == mark || byte == b'\n')?;
    (text[end] == mark).then_some(end)
}

/// True if `following`, the bytes after a quotation mark, show that the mark ends a quotation. Otherwise the mark is
/// part of a word.
pub(crate) fn ends_before(following: &[u8]) -> bool {
    let is_space = |byte: u8| is_quote(byte) || byte.is_ascii_whitespace() || byte == 0x1b;
    match *following {
        [] => true,
        [next, ..] if is_space(next) || next == b'&' => true,
        [next, ref rest @ ..] if b",;:.!?)]}>".contains(&next) => {
            rest.first().is_none_or(|&byte| byte.is_ascii() && !byte.is_ascii_alphanumeric())
        }
        _ => false,
    }
}
