//! The words and punctuation marks of a Rust file, without its comments, string literals and tests.
use std::{iter::Peekable, str::Chars};

/// A word, or one punctuation mark. `::` is two marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Word(String),
    Mark(char),
}

impl Token {
    pub fn is(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }

    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Mark(_) => None,
        }
    }
}

/// The words that begin an item. Other things with an attribute are fields, statements or match arms.
const ITEMS: [&str; 14] = [
    "pub", "mod", "use", "fn", "struct", "enum", "trait", "impl", "type", "const", "static", "async", "unsafe",
    "extern",
];

/// Returns the tokens of a file without those that only tests have.
pub fn without_tests(source: &str) -> Vec<Token> {
    let all = tokens(source);
    let mut kept = Vec::with_capacity(all.len());
    let mut at = 0;
    while at < all.len() {
        let attribute = end_of_attribute(&all, at);
        match attribute {
            Some(end) if is_for_tests(&all[at..end]) => at = end_of_item(&all, end),
            Some(end) => {
                kept.extend_from_slice(&all[at..end]);
                at = end;
            }
            None => {
                kept.push(all[at].clone());
                at += 1;
            }
        }
    }
    kept
}

/// Returns the index after the attribute `#[…]` that begins at `at`, if one begins there.
fn end_of_attribute(tokens: &[Token], at: usize) -> Option<usize> {
    let begins = tokens[at].is('#') && tokens.get(at + 1).is_some_and(|next| next.is('['));
    begins.then(|| end_of_group(tokens, at + 1))
}

fn is_for_tests(attribute: &[Token]) -> bool {
    let words: Vec<_> = attribute.iter().filter_map(Token::word).collect();
    words == ["test"] || (words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not"))
}

/// Returns the index after the item, field or statement that begins at `at`, perhaps with more attributes.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len()
        && let Some(end) = end_of_attribute(tokens, at)
    {
        at = end;
    }
    let is_item = tokens.get(at).and_then(Token::word).is_some_and(|word| ITEMS.contains(&word));
    let is_use = tokens[at..].iter().map_while(Token::word).any(|word| word == "use");
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Mark(';') => return at + 1,
            Token::Mark(',') if !is_item => return at + 1,
            Token::Mark('}' | ')' | ']') => return at,
            Token::Mark('{') if !is_use => return end_of_group(tokens, at),
            Token::Mark('{' | '(' | '[') => at = end_of_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// Returns the index after the bracket that closes the bracket at `at`.
pub fn end_of_group(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Mark('{' | '(' | '[') => depth += 1,
            Token::Mark('}' | ')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = source.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '/' if rest.peek() == Some(&'/') => skip_line(&mut rest),
            '/' if rest.peek() == Some(&'*') => skip_comment(&mut rest),
            '"' => skip_text(&mut rest),
            '\'' => skip_char_or_lifetime(&mut rest),
            _ if char.is_alphanumeric() || char == '_' => {
                let mut word = String::from(char);
                while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || *next == '_') {
                    word.push(next);
                }
                match (&word[..], rest.peek()) {
                    ("r" | "br" | "cr", Some('"' | '#')) => skip_raw_text(&mut rest),
                    ("b" | "c", Some('"')) => {
                        rest.next();
                        skip_text(&mut rest);
                    }
                    _ => found.push(Token::Word(word)),
                }
            }
            _ if char.is_whitespace() => {}
            _ => found.push(Token::Mark(char)),
        }
    }
    found
}

fn skip_line(rest: &mut Peekable<Chars<'_>>) {
    rest.find(|char| *char == '\n');
}

fn skip_comment(rest: &mut Peekable<Chars<'_>>) {
    let (mut depth, mut before) = (1, ' ');
    rest.next();
    for char in rest.by_ref() {
        match (before, char) {
            ('/', '*') => (depth, before) = (depth + 1, ' '),
            ('*', '/') => (depth, before) = (depth - 1, ' '),
            _ => before = char,
        }
        if depth == 0 {
            return;
        }
    }
}

fn skip_text(rest: &mut Peekable<Chars<'_>>) {
    while let Some(char) = rest.next() {
        match char {
            '\\' => drop(rest.next()),
            '"' => return,
            _ => {}
        }
    }
}

/// Skips the rest of a raw string, `#"…"#` with any number of `#`.
fn skip_raw_text(rest: &mut Peekable<Chars<'_>>) {
    let mut hashes = 0;
    while rest.next_if_eq(&'#').is_some() {
        hashes += 1;
    }
    if rest.next_if_eq(&'"').is_none() {
        // The text is not a raw string, but a raw identifier such as `r#type`.
        return;
    }
    while rest.any(|char| char == '"') {
        let closing = (0..hashes).take_while(|_| rest.next_if_eq(&'#').is_some()).count();
        if closing == hashes {
            return;
        }
    }
}

fn skip_char_or_lifetime(rest: &mut Peekable<Chars<'_>>) {
    match rest.next() {
        Some('\\') => {
            rest.next();
            rest.find(|char| *char == '\'');
        }
        Some(_) if rest.peek() == Some(&'\'') => drop(rest.next()),
        // The quote begins a lifetime, whose name is skipped too.
        _ => while rest.next_if(|next| next.is_alphanumeric() || *next == '_').is_some() {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> String {
        let words: Vec<_> = without_tests(source).iter().filter_map(|token| token.word().map(str::to_owned)).collect();
        words.join(" ")
    }

    #[test]
    fn comments_and_texts_are_left_out() {
        for (source, left) in [
            ("a // b\nc", "a c"),
            ("a /* b /* c */ d */ e", "a e"),
            (r#"a "b \" c" d"#, "a d"),
            (r##"a r#"b " c"# d br"e" b"f" g"##, "a d g"),
            (r"a 'b' '\'' '\u{7f}' &'static c <'a> d", "a c d"),
            ("r#type a", "type a"),
        ] {
            assert_eq!(words(source), left, "{source}");
        }
    }

    #[test]
    fn what_only_tests_have_is_left_out() {
        for (source, left) in [
            ("a; #[cfg(test)] mod tests { x { y } } b", "a b"),
            ("#[cfg(test)] mod cases; a", "a"),
            ("#[cfg(all(test, unix))] #[allow(x)] pub(crate) fn x<A, B>(y: [u8; 2]) -> z { w } a", "a"),
            ("#[cfg(test)] use x::{y, z}; a", "a"),
            ("struct a { #[cfg(test)] x: y, b: c }", "struct a b c"),
            ("{ #[cfg(test)] x(y)?; a }", "a"),
            ("#[cfg(not(test))] a", "cfg not test a"),
            ("#[test] fn x() {} a", "a"),
        ] {
            assert_eq!(words(source), left, "{source}");
        }
    }
}
