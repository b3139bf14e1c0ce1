//! A parser for [Caddyfiles](https://caddyserver.com/docs/caddyfile/concepts): one directive on each line, with
//! arguments, and perhaps a block of directives in braces.
use super::translation::Environment;

/// The greatest number of blocks inside each other. The known directives need two: the block of an issuer, and in it
/// the block of its publisher.
const MAX_DEPTH: usize = 8;

/// A directive with its arguments and its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) block: Vec<Directive>,
}

/// The reason why a text is not a Caddyfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SyntaxError {
    /// A quotation mark or a block has no end, or a block has no beginning.
    Unbalanced,
    /// Blocks are nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// Parses the directives in `text`. Placeholders such as `{env.NAME}` and `{$NAME:default}` are replaced with the
/// values of variables.
pub(super) fn parse(text: &str, environment: Environment<'_>) -> Result<Vec<Directive>, SyntaxError> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((line, after)) = next_line(rest)? {
        lines.push(line.into_iter().map(|token| fill(&token, environment)).collect());
        rest = after;
    }
    let mut lines = lines.into_iter().filter(|line: &Vec<String>| !line.is_empty());
    let directives = block(&mut lines, 0)?;
    if directives.closed { Err(SyntaxError::Unbalanced) } else { Ok(directives.list) }
}

struct Block {
    list: Vec<Directive>,
    closed: bool,
}

fn block(lines: &mut dyn Iterator<Item = Vec<String>>, depth: usize) -> Result<Block, SyntaxError> {
    if depth > MAX_DEPTH {
        return Err(SyntaxError::TooDeep);
    }
    let mut list = Vec::new();
    while let Some(mut tokens) = lines.next() {
        if tokens == ["}"] {
            return Ok(Block { list, closed: true });
        }
        let opens = tokens.last().is_some_and(|token| token == "{");
        if opens {
            tokens.pop();
        }
        let inner = if opens { block(lines, depth + 1)? } else { Block { list: Vec::new(), closed: true } };
        if !inner.closed || tokens.is_empty() {
            return Err(SyntaxError::Unbalanced);
        }
        let name = tokens.remove(0);
        list.push(Directive { name, arguments: tokens, block: inner.list });
    }
    Ok(Block { list, closed: false })
}

/// Returns the tokens of the first line, and the text after that line. A line break within quotation marks belongs to
/// the token and does not end the line.
fn next_line(text: &str) -> Result<Option<(Vec<String>, &str)>, SyntaxError> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut tokens = Vec::new();
    let mut token: Option<String> = None;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        rest = after;
        match character {
            '\n' => break,
            ' ' | '\t' | '\r' => tokens.extend(token.take()),
            '#' if token.is_none() => {
                rest = after.split_once('\n').map_or("", |(_, next)| next);
                break;
            }
            '"' | '`' if token.is_none() => {
                let (quoted, length) = quoted(after, character).ok_or(SyntaxError::Unbalanced)?;
                tokens.push(quoted);
                rest = &after[length..];
            }
            _ => token.get_or_insert_default().push(character),
        }
    }
    tokens.extend(token);
    Ok(Some((tokens, rest)))
}

/// Returns the text up to the closing quotation mark `mark`, without backslashes before escaped marks, and the number
/// of bytes up to and including the closing mark. A backslash escapes only the mark `"`, not a backtick.
fn quoted(text: &str, mark: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == mark => return Some((value, at + 1)),
            '\\' if mark == '"' && characters.peek().is_some_and(|(_, next)| *next == '"') => {
                value.push('"');
                characters.next();
            }
            _ => value.push(character),
        }
    }
    None
}

fn fill(token: &str, environment: Environment<'_>) -> String {
    let mut filled = String::new();
    let mut rest = token;
    while let Some((before, after)) = rest.split_once('{') {
        let placeholder = after.split_once('}').and_then(|(inside, after)| {
            let (name, default) = match inside.strip_prefix('$') {
                Some(inside) => inside.split_once(':').unwrap_or((inside, "")),
                None => (inside.strip_prefix("env.")?, ""),
            };
            Some((environment(name).unwrap_or_else(|| default.to_owned()), after))
        });
        filled.push_str(before);
        match placeholder {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directive(name: &str, arguments: &[&str], block: Vec<Directive>) -> Directive {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Directive { name: name.to_owned(), arguments, block }
    }

    #[test]
    fn a_directive_a_line() {
        let environment = |name: &str| (name == "KEY").then(|| "a secret".to_owned());
        let text = "anonymous\n\n  cors_origins a  b # c\n#x y\npublisher_jwt {env.KEY} HS256\r\nx {$NO:d}{$KEY}\n\
                    y \"a \\\" \\n b\" `c \"` d\nissuer i {\n publisher {\n jwt k\n }\n authorization_server\n}\nz {http.x}";
        let expected = vec![
            directive("anonymous", &[], vec![]),
            directive("cors_origins", &["a", "b"], vec![]),
            directive("publisher_jwt", &["a secret", "HS256"], vec![]),
            directive("x", &["da secret"], vec![]),
            directive("y", &["a \" \\n b", "c \"", "d"], vec![]),
            directive(
                "issuer",
                &["i"],
                vec![
                    directive("publisher", &[], vec![directive("jwt", &["k"], vec![])]),
                    directive("authorization_server", &[], vec![]),
                ],
            ),
            directive("z", &["{http.x}"], vec![]),
        ];
        assert_eq!(parse(text, &environment), Ok(expected));
        assert_eq!(parse("", &environment), Ok(vec![]));
    }

    #[test]
    fn what_has_no_end_is_told() {
        for text in ["a {", "a {\nb", "}", "a \"b", "a `b", "{\n}"] {
            assert_eq!(parse(text, &|_| None), Err(SyntaxError::Unbalanced), "{text:?}");
        }
        let nested = |depth: usize| "a {\n".repeat(depth) + &"}\n".repeat(depth);
        assert!(parse(&nested(MAX_DEPTH), &|_| None).is_ok());
        assert_eq!(parse(&nested(MAX_DEPTH + 1), &|_| None), Err(SyntaxError::TooDeep));
    }
}
