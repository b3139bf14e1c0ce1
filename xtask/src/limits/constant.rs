//! A constant in a file of Rust or JavaScript: its value as the source has it, and the first sentence of its doc
//! comment.

/// A constant that was found in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Constant {
    /// The first sentence of the constant's doc comment, without the full stop.
    pub(super) meaning: String,
    /// The type of the constant; empty in JavaScript.
    pub(super) kind: String,
    /// The value of the constant, as the source has it.
    pub(super) expression: String,
}

/// Finds the first constant with this name.
///
/// # Errors
/// A text that says what is wrong with the constant, as the end of a sentence that begins with the constant's name.
pub(super) fn find(source: &str, name: &str) -> Result<Constant, &'static str> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let declared = |line: &str| {
        let (_, rest) = line.split_once("const ")?;
        let rest = rest.strip_prefix(name)?;
        rest.starts_with([':', ' ']).then_some(())
    };
    let at = lines.iter().position(|line| declared(line).is_some()).ok_or("is not there")?;
    let text = lines[at..].join(" ");
    // The type of an array contains a semicolon, so the text is first split at the `=`.
    let (head, value) = text.split_once('=').ok_or("has no value")?;
    let (expression, _) = value.split_once(';').ok_or("does not end")?;
    let kind = head.split_once(':').map_or("", |(_, kind)| kind.trim());
    let meaning = first_sentence(&comment(&lines[..at])).ok_or("has no doc comment with a sentence")?;
    Ok(Constant { meaning, kind: kind.to_owned(), expression: expression.trim().to_owned() })
}

/// Returns the first paragraph of the doc comment at the end of `before`, which are the lines before a constant.
fn comment(before: &[&str]) -> String {
    let is_attribute = |line: &&&str| line.starts_with("#[");
    let before = &before[..before.len() - before.iter().rev().take_while(is_attribute).count()];
    if let Some(text) = before.last().and_then(|line| line.strip_prefix("/**")?.strip_suffix("*/")) {
        return text.trim().to_owned();
    }
    let own: Vec<_> = before.iter().rev().map_while(|line| line.strip_prefix("///")).collect();
    let paragraph = own.into_iter().rev().map(str::trim).take_while(|line| !line.is_empty());
    paragraph.collect::<Vec<_>>().join(" ")
}

/// Returns the first sentence of a text, without links to items and in a form that fits a cell of a table.
fn first_sentence(text: &str) -> Option<String> {
    let (mut sentence, mut rest) = (String::new(), text);
    // A full stop in code does not end the sentence.
    loop {
        let (plain, code) = rest.split_once('`').map_or((rest, None), |(plain, code)| (plain, Some(code)));
        if let Some((end, _)) = plain.split_once(". ") {
            sentence.push_str(end);
            break;
        }
        sentence.push_str(plain);
        let Some((code, behind)) = code.and_then(|code| code.split_once('`')) else { break };
        sentence.push_str(&format!("`{code}`"));
        rest = behind;
    }
    let sentence = without_links(sentence.trim_end_matches('.')).replace('|', "\\|");
    (!sentence.is_empty()).then_some(sentence)
}

/// Replaces links to items by the names of the items, because the links work only in the code.
fn without_links(text: &str) -> String {
    let mut pieces = text.split("`]");
    let mut plain = pieces.next().unwrap_or_default().replace("[`", "`");
    for piece in pieces {
        let target = piece.strip_prefix('(').and_then(|piece| piece.split_once(')'));
        plain.push('`');
        plain.push_str(&target.map_or(piece, |(_, behind)| behind).replace("[`", "`"));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_is_found_with_its_comment() {
        let source = "/// Other.\nconst A_B: u8 = 1;\n\n/// The most `a.b` of\n/// [`C`](x::C). It\n/// costs.\n///\n/// More.\n\
                      #[cfg(x)]\npub(super) const A: usize =\n    4 << 10;\n/** The page's. */\nexport const J = 7;\n";
        let constant = |meaning: &str, kind: &str, expression: &str| Constant {
            meaning: meaning.to_owned(),
            kind: kind.to_owned(),
            expression: expression.to_owned(),
        };
        assert_eq!(find(source, "A"), Ok(constant("The most `a.b` of `C`", "usize", "4 << 10")));
        assert_eq!(find(source, "J"), Ok(constant("The page's", "", "7")));
    }

    #[test]
    fn what_is_wrong_with_a_constant_is_said() {
        assert_eq!(find("/// It.\nconst B: u8 = 1;", "A"), Err("is not there"));
        assert_eq!(find("// It.\nconst A: u8 = 1;", "A"), Err("has no doc comment with a sentence"));
    }
}
