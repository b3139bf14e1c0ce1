//! Recognises placeholders: values that only stand for a secret and may be shown.

/// True for a value that somebody still has to fill in: `$TOKEN`, `${TOKEN}`, `$env:TOKEN`, `$(openssl rand -hex 32)`,
/// `<token>`, `…`; for an empty value; and for a secret that is already masked. The whole value must have this form,
/// because a secret may begin with any of these characters.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let is_variable = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b' '))
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
        // A command without a closing `)` was cut at a space: `$(openssl` of `$(openssl rand -hex 32)`.
        let Some(command) = command.strip_suffix(')') else { return is_word(command) };
        return is_word(command.split(' ').next().unwrap_or_default());
    }
    is_variable(rest.strip_prefix("env:").unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MASK;

    #[test]
    fn only_a_whole_placeholder_is_harmless() {
        for value in [
            "",
            "$TOKEN",
            "$HUB_2",
            "${TOKEN}",
            "$env:TOKEN",
            "$(cat /run/key)",
            "$(openssl",
            "<token>",
            "<your token>",
            "…",
            "...",
            MASK,
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in [
            "$",
            "$ecret",
            "$2b$10$abc",
            "$TOKEN-x",
            "${token",
            "${TOKEN}x",
            "$()x",
            "$(4)",
            "$(4",
            "<a",
            "<a>b",
            "<1>",
            "<>",
            "{token}",
            "{a",
            "…a",
            "....",
            "********a",
            "a",
        ] {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
