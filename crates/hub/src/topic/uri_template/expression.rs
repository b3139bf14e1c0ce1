//! Makes a regular expression that matches the expansions of one expression of a URI Template: [RFC 6570, section
//! 3.2](https://www.rfc-editor.org/rfc/rfc6570#section-3.2).
use super::super::linear_regex::MAX_COMPILED_BYTES;

/// An expression between braces: `{operator variable,variable}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression<'a> {
    pub(super) operator: Operator,
    pub(super) variables: Vec<Variable<'a>>,
}

/// A variable with its modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable<'a> {
    pub(super) name: &'a str,
    pub(super) modifier: Modifier,
}

/// The modifier after a variable's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modifier {
    None,
    /// `:n`: the first n characters of a string.
    Prefix(u16),
    /// `*`: each member of a list or map by itself.
    Explode,
}

/// The operator, which is the character after the opening brace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Simple,
    Reserved,
    Fragment,
    Label,
    Path,
    PathParameter,
    Query,
    QueryContinuation,
}

/// The rules by which an operator expands its variables: its column in the table of RFC 6570, appendix A.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// The text before the first defined variable.
    pub(super) first: &'static str,
    /// The text between defined variables and between exploded members.
    pub(super) separator: &'static str,
    /// True if each value follows the name of its variable, as in `name=value`.
    pub(super) named: bool,
    /// The text after a name whose value is empty.
    pub(super) if_empty: &'static str,
    /// True if reserved characters are not encoded.
    pub(super) reserved: bool,
}

const UNRESERVED: &str = "-._~0-9A-Za-z";
const RESERVED: &str = r":/?#\[\]@!$&'()*+,;=";
const TRIPLET: &str = "%[0-9A-Fa-f]{2}";

impl Operator {
    pub(super) fn from_char(character: char) -> Option<Self> {
        match character {
            '+' => Some(Self::Reserved),
            '#' => Some(Self::Fragment),
            '.' => Some(Self::Label),
            '/' => Some(Self::Path),
            ';' => Some(Self::PathParameter),
            '?' => Some(Self::Query),
            '&' => Some(Self::QueryContinuation),
            _ => None,
        }
    }

    pub(super) fn style(self) -> Style {
        let unnamed = |first, separator, reserved| Style { first, separator, named: false, if_empty: "", reserved };
        let named = |first, separator, if_empty| Style { first, separator, named: true, if_empty, reserved: false };
        match self {
            Self::Simple => unnamed("", ",", false),
            Self::Reserved => unnamed("", ",", true),
            Self::Fragment => unnamed("#", ",", true),
            Self::Label => unnamed(".", ".", false),
            Self::Path => unnamed("/", "/", false),
            Self::PathParameter => named(";", ";", ""),
            Self::Query => named("?", "&", "="),
            Self::QueryContinuation => named("&", "&", "="),
        }
    }
}

impl Expression<'_> {
    /// Appends a regular expression that matches every expansion. If `regex` becomes longer than the limit for
    /// compiling, this function stops early and leaves `regex` incomplete.
    ///
    /// Undefined variables are left out together with their separators. So the expansion is empty, or it begins with
    /// any one of the variables, and each later variable may follow. The regular expression has an alternative for each
    /// variable that may be the first.
    pub(super) fn push_regex(&self, regex: &mut String) {
        let style = self.operator.style();
        // If values may contain commas and equals signs, separators cannot be told apart from values: the expression
        // matches any number of characters that are allowed in a value, separators included.
        if style.reserved && self.variables.iter().any(|variable| !matches!(variable.modifier, Modifier::Prefix(_))) {
            *regex += &format!("(?:{}{})?", regex::escape(style.first), style.characters(""));
            return;
        }
        let separator = regex::escape(style.separator);
        let variables: Vec<String> = self.variables.iter().map(|variable| variable.regex(style)).collect();
        regex.push_str("(?:");
        regex.push_str(&regex::escape(style.first));
        regex.push_str("(?:");
        for (place, first) in variables.iter().enumerate() {
            if place > 0 {
                regex.push('|');
            }
            regex.push_str(first);
            for later in &variables[place + 1..] {
                *regex += &format!("(?:{separator}{later})?");
            }
            if regex.len() > MAX_COMPILED_BYTES {
                return;
            }
        }
        regex.push_str("))?");
    }
}

impl Variable<'_> {
    /// Returns a regular expression that matches every text to which the variable expands if it is defined.
    fn regex(&self, style: Style) -> String {
        // In RFC 6570, a name without a value has no equals sign in path parameters, and has one everywhere else.
        let named = |name: &str, value: &str| match (style.named, style.if_empty) {
            (false, _) => value.to_owned(),
            (true, "") => format!("{name}(?:={value})?"),
            (true, _) => format!("{name}={value}"),
        };
        let name = regex::escape(self.name);
        let member = style.characters("");
        match self.modifier {
            // The members of a list or map are joined with commas.
            Modifier::None => named(&name, &style.characters(",")),
            Modifier::Prefix(length) => named(&name, &style.prefix(length)),
            // In a map, members are named by their keys, which may be any text. If the operator names values, the
            // members of a list are named by the variable.
            Modifier::Explode => {
                let separator = regex::escape(style.separator);
                let member = if style.named { named(&member, &member) } else { format!("{member}(?:={member})?") };
                format!("{member}(?:{separator}{member})*")
            }
        }
    }
}

impl Style {
    /// Returns a regular expression that matches any number of characters that may be in an expanded value, or that are
    /// in `more`.
    fn characters(self, more: &str) -> String {
        let reserved = if self.reserved { RESERVED } else { more };
        format!("(?:[{UNRESERVED}{reserved}]|{TRIPLET})*")
    }

    /// Returns a regular expression that matches at most `length` characters of an expanded value. All percent-encoded
    /// bytes of one UTF-8 sequence are one character. Each text can be divided into characters in only one way, so the
    /// automaton keeps only one count of the characters of a text.
    fn prefix(self, length: u16) -> String {
        let reserved = if self.reserved { RESERVED } else { "" };
        // The first hexadecimal digit of a UTF-8 sequence is C or D if one byte follows the first byte, E if two bytes
        // follow, and F if three bytes follow.
        let first = |digits| format!("%[{digits}][0-9A-Fa-f]");
        let (one, two, three, four) = (first("0-9ABab"), first("CDcd"), first("Ee"), first("Ff"));
        let sequence = format!("{one}|{two}{TRIPLET}|{three}(?:{TRIPLET}){{2}}|{four}(?:{TRIPLET}){{3}}");
        format!("(?:[{UNRESERVED}{reserved}]|{sequence}){{0,{length}}}")
    }
}
