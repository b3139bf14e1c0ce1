//! The parts of a URI Template: [RFC 6570, section 2](https://www.rfc-editor.org/rfc/rfc6570#section-2).
use super::expression::{Expression, Modifier, Operator, Variable};

/// A part of a template: text, or an expression between braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Literal(&'a str),
    Expression(Expression<'a>),
}

/// The longest prefix that a variable can ask for (`{name:9999}`).
const MAX_PREFIX: u16 = 9_999;

/// Returns the parts of `template`; `None` if it is not a URI Template.
pub(super) fn parse(template: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let (literal, behind) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        if !literal.is_empty() {
            parts.push(Part::Literal(is_literal(literal).then_some(literal)?));
        }
        rest = behind;
        if let Some(expression) = rest.strip_prefix('{') {
            let (inside, behind) = expression.split_once('}')?;
            parts.push(Part::Expression(parse_expression(inside)?));
            rest = behind;
        }
    }
    Some(parts)
}

fn parse_expression(inside: &str) -> Option<Expression<'_>> {
    let first = inside.chars().next()?;
    // A reserved operator (`=`, `,`, `!`, `@`, `|`) is not supported. A reserved operator cannot begin a variable name
    // either, so `parse_variable` refuses the template.
    let (operator, list) = match Operator::from_char(first) {
        Some(operator) => (operator, &inside[1..]),
        None => (Operator::Simple, inside),
    };
    let variables = list.split(',').map(parse_variable).collect::<Option<_>>()?;
    Some(Expression { operator, variables })
}

fn parse_variable(text: &str) -> Option<Variable<'_>> {
    let (name, modifier) = if let Some(name) = text.strip_suffix('*') {
        (name, Modifier::Explode)
    } else if let Some((name, length)) = text.split_once(':') {
        (name, Modifier::Prefix(parse_prefix(length)?))
    } else {
        (text, Modifier::None)
    };
    is_variable_name(name).then_some(Variable { name, modifier })
}

fn parse_prefix(length: &str) -> Option<u16> {
    let digits = !length.starts_with('0') && length.bytes().all(|byte| byte.is_ascii_digit());
    length.parse().ok().filter(|length| digits && *length <= MAX_PREFIX)
}

/// True if the text follows the rule `varname = varchar *( ["."] varchar )` of the RFC.
fn is_variable_name(name: &str) -> bool {
    let is_varchar = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '%');
    name.split('.').all(|label| !label.is_empty() && label.chars().all(is_varchar)) && has_whole_triplets(name)
}

/// True if the text may be outside of expressions. The RFC omits the apostrophe by mistake (erratum 6937).
fn is_literal(text: &str) -> bool {
    let allowed = |character: char| match character {
        '\0'..=' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '\u{7f}' => false,
        '!'..='~' => true,
        _ => is_ucschar_or_iprivate(character),
    };
    text.chars().all(allowed) && has_whole_triplets(text)
}

/// True for the characters outside ASCII that an IRI may contain ([RFC
/// 3987](https://www.rfc-editor.org/rfc/rfc3987#section-2.2)): all except controls, noncharacters, specials and tags.
fn is_ucschar_or_iprivate(character: char) -> bool {
    match character {
        '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}' => true,
        '\u{e0000}'..='\u{e0fff}' => false,
        '\u{10000}'.. => u32::from(character) & 0xffff <= 0xfffd,
        _ => false,
    }
}

/// True if two hexadecimal digits follow each percent sign.
fn has_whole_triplets(text: &str) -> bool {
    let is_triplet = |behind: &str| behind.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    text.split('%').skip(1).all(is_triplet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_order() {
        let variable = |name, modifier| Variable { name, modifier };
        let parsed = parse("/a{?x,y.z:3}b{%41*}").unwrap();
        let expression = |operator, variables| Part::Expression(Expression { operator, variables });
        let expected = [
            Part::Literal("/a"),
            expression(Operator::Query, vec![variable("x", Modifier::None), variable("y.z", Modifier::Prefix(3))]),
            Part::Literal("b"),
            expression(Operator::Simple, vec![variable("%41", Modifier::Explode)]),
        ];
        assert_eq!(parsed, expected);
        assert_eq!(parse(""), Some(vec![]));
    }

    #[test]
    fn what_is_no_template() {
        #[rustfmt::skip]
        let broken_expressions = [
            "{", "}", "{}", "a}b", "{a", "{{a}}", "{a}}", "{+}", "{a,}", "{,a}", "{a b}", "{.}", "{..a}", "{a.}",
            "{a..b}", "{é}", "{a-b}", "{%}", "{%4}", "{%4g}", "{a%4}", "{a:}", "{a:0}", "{a:01}", "{a:-1}", "{a:+1}",
            "{a:10000}", "{a:65537}", "{a:1*}", "{a*:1}", "{a**}", "{*}", "{:1}", "{=a}", "{!a}", "{@a}", "{|a}",
        ];
        #[rustfmt::skip]
        let broken_literals = [
            "{a} b", "{a}\"", "<{a}>", "\\{a}", "^{a}", "`{a}", "|{a}", "%{a}", "%4{a}", "%zz{a}", "\u{85}{a}", "\u{ffff}{a}",
        ];
        for text in broken_expressions.iter().chain(&broken_literals) {
            assert_eq!(parse(text), None, "{text:?}");
        }
        for text in ["{a:1}", "{a:9999}", "{a.b_1}", "'{a}'", "%4f{a}", "é\u{e000}{a}", "!#$&()*+,-./:;=?@[]_~{a}"] {
            assert!(parse(text).is_some(), "{text}");
        }
    }
}
