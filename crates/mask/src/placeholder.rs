//! Values that only stand for a secret, and may be shown.

/// True for what somebody else fills in: `$TOKEN`, `${TOKEN}`, `$env:TOKEN`, `$(openssl`, `<token>`, `…`; for an empty value,
/// and for a mask. All of the value has to be that: a secret may begin with any of these characters.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let is_variable = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
    };
    if value.bytes().all(|byte| byte == b'*') || value == "…" || value == "..." {
        return true;
    }
    if let Some(name) = value.strip_prefix('<').and_then(|name| name.strip_suffix('>')) {
        return is_name(name);
    }
    let Some(rest) = value.strip_prefix('$') else { return false };
    if let Some(name) = rest.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        return is_variable(name);
    }
    if let Some(command) = rest.strip_prefix('(') {
        return is_word(command.strip_suffix(')').unwrap_or(command));
    }
    is_variable(rest.strip_prefix("env:").unwrap_or(rest))
}
