//! Reads the configuration file. An error message says what is wrong and in which line, but does not quote the line,
//! because any line may contain a secret.
use super::{help, options::ServeOptions, suggest};
use std::{fmt, ops::Range};
use toml::value::Datetime;

/// The kinds of tables in the file, each with the TOML keys that it may contain, except keys that are also options of
/// the hub. If one of these keys is in the wrong table, the message names the right table.
const TABLES: [(&str, &[&str]); 4] = [
    ("issuer", &["name"]),
    ("relay", &["url", "topics", "headers", "private", "token-file", "last-event-id", "idle-timeout"]),
    ("alias", &["path", "topics"]),
    ("retention", &["topics", "age"]),
];

/// The kinds of TOML values: their names in messages of the parser, and in messages for people.
const KINDS: [(&str, &str); 6] = [
    ("string", "a text"),
    ("integer", "a whole number"),
    ("floating point", "a number with a point"),
    ("boolean", "true or false"),
    ("sequence", "a list"),
    ("map", "a table"),
];

/// The message about a date without quotation marks. It replaces the message of the parser, which calls such a date a
/// table. No option has a date as its value.
const UNQUOTED_DATE: &str = "this value is a date; write a text in quotation marks";

/// The parser's message about a value that should be a name in quotation marks, and the message that replaces it.
const NOT_A_NAME: (&str, &str) =
    ("wanted string or table", "this value is not a text; expected a text in quotation marks");

/// The longest name of an unknown key that a message shows, in bytes. A longer name, or one with characters other than
/// letters, `-`, `_` and `.`, is masked: it may be a secret in the wrong place.
const MAX_NAME_BYTES: usize = 40;

/// An error in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileError {
    /// The line and column of the error, both counted from 1, if they are known.
    place: Option<(usize, usize)>,
    message: String,
}

/// Parses the text of a configuration file.
///
/// # Errors
/// [`FileError`] says what is wrong, and where.
pub(super) fn parse(text: &str) -> Result<ServeOptions, FileError> {
    toml::from_str(text).map_err(|error| FileError {
        place: error.span().map(|span| place(text, &span)),
        message: match error.span().and_then(|span| text.get(span)) {
            Some(value) if value.parse::<Datetime>().is_ok() && !is_of_a_key(error.message()) => {
                UNQUOTED_DATE.to_owned()
            }
            _ => fanfare_mask::masked(&explain(error.message())).into_owned(),
        },
    })
}

/// Returns true if the parser's message is about a key of the file, not about a value. A key that begins with `$__toml`
/// is not in the file: the parser represents a date as a table with such a key.
fn is_of_a_key(message: &str) -> bool {
    message.starts_with("duplicate key") || (message.starts_with("unknown field") && !message.contains("`$__toml"))
}

/// Returns the line and column at which `span` begins, both counted from 1.
fn place(text: &str, span: &Range<usize>) -> (usize, usize) {
    let before = &text.as_bytes()[..span.start.min(text.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    (line, 1 + String::from_utf8_lossy(&before[line_start..]).chars().count())
}

/// Returns a message for people in place of the parser's `message`. It leaves out values of the file that may be
/// secret. For an unknown name, it proposes the known name that was probably meant.
fn explain(message: &str) -> String {
    if let Some(name) = quoted(message, "unknown field `") {
        return unknown_key(name, &candidates(message));
    }
    if let Some(name) = quoted(message, "unknown variant `") {
        let variants = candidates(message);
        let expected = message.split_once("`, ").map_or("", |(_, expected)| expected);
        let meant = suggest::nearest(name, variants.iter().copied());
        return format!("'{}' is unknown, {expected}{}", shown(name), meant.map(did_you_mean).unwrap_or_default());
    }
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return format!("the key `{name}` is missing");
    }
    if let Some(expected) =
        ["basic", "literal"].iter().find_map(|kind| message.strip_prefix(&format!("invalid {kind} string")))
    {
        return format!("the text has no closing quotation mark{expected}");
    }
    if message == NOT_A_NAME.0 {
        return NOT_A_NAME.1.to_owned();
    }
    wrong_value(message).unwrap_or_else(|| message.to_owned())
}

/// Returns a message for people in place of the parser's `message`, if it is about a value of a wrong kind. The
/// returned message does not contain the value, which may be a secret that stands behind the wrong key.
fn wrong_value(message: &str) -> Option<String> {
    let found = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, expected) = found.rsplit_once(", expected ")?;
    let is_huge = found.ends_with("128");
    let found = KINDS
        .iter()
        .filter(|_| !is_huge)
        .find(|(kind, _)| found.starts_with(kind))
        .map_or("out of range", |(_, word)| word);
    let expected = match expected {
        "a boolean" => "true or false, without quotation marks",
        "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative, without quotation marks",
        "a string" => "a text in quotation marks",
        "path string" => "a path in quotation marks",
        other => other,
    };
    Some(format!("this value is {found}; expected {expected}"))
}

fn unknown_key(name: &str, candidates: &[&str]) -> String {
    let options = help::keys();
    // `candidates` are the keys that are allowed where the unknown key stands. If the hub's key `listen` is not one of
    // them, the unknown key is in a table such as `[[issuer]]`.
    let is_hub = candidates.contains(&"listen");
    let meant = suggest::nearest(name, candidates.iter().copied());
    let advice = match meant {
        Some(meant) => did_you_mean(meant),
        None if is_hub => match elsewhere(name) {
            Some(table) => format!("; it is a key of [[{table}]]"),
            None => {
                "; the keys are the options of `fanfare serve --help`, such as max-body for --max-body; the only sections \
                 are [[issuer]], [[relay]], [[alias]] and [[retention]], and they come last in the file"
                    .to_owned()
            }
        },
        None => match suggest::nearest(name, options.iter().map(String::as_str)) {
            Some(option) => format!("; {option} is a key of the hub, so write it above the first [[section]]"),
            None => format!("; expected one of {}", candidates.join(", ")),
        },
    };
    format!("unknown key `{}`{advice}", shown(name))
}

/// Returns the name of the table whose keys include `name` or a similar name.
fn elsewhere(name: &str) -> Option<&'static str> {
    let has = |(_, keys): &&(&str, &[&str])| suggest::nearest(name, keys.iter().copied()).is_some();
    TABLES.iter().find(has).map(|(table, _)| *table)
}

fn did_you_mean(name: &str) -> String {
    format!("; did you mean `{name}`?")
}

/// Returns the name that stands in `message` after `prefix`, up to its closing backtick.
fn quoted<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = message.strip_prefix(prefix)?;
    // The name may contain a backtick itself, so the parser's text after the closing backtick is matched too.
    rest.split_once("`, expected").or_else(|| rest.split_once("`, there")).map(|(name, _)| name)
}

/// Returns the names in backticks that the parser's message lists after the word `expected`.
fn candidates(message: &str) -> Vec<&str> {
    let expected = message.rsplit_once("`, expected ").map_or("", |(_, expected)| expected);
    expected.split('`').skip(1).step_by(2).collect()
}

fn shown(name: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || b"-_.".contains(&byte);
    if name.len() <= MAX_NAME_BYTES && name.bytes().all(is_plain) { name } else { fanfare_mask::MASK }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for FileError {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "Zq3xSECRETw9Vt7pL2mN8kJ4hG6fD1sA";

    #[test]
    fn no_error_shows_a_value() {
        let cases = [
            "key = @\n",
            "key = '@' oops\n",
            "key = '@\n",
            "key = \"\"\"@\nsecond line @\n",
            "key = \"@\\q\"\n",
            "kye = '@'\n",
            "[key]\nvalue = '@'\n",
            "key = ['@']\n",
            "key = '@'\nkey = '@'\n",
            "@ = 1\n",
            "@\n",
            "'@ @' = 1\n",
            "key '@'\n",
            "FANFARE_KEY = '@'\n",
            "memory = '@'\n",
            "max-topics = '@'\n",
            "delivery = '@'\n",
            "issuer = [{ name = 'a', key = '@', jkws = 'b' }]\n",
            "issuer = [{ name = 'a', key = { value = '@' } }]\n",
            "relay = [{ url = 'http://h/?token=@', topics = [] }]\n",
            "relay = [{ url = 'h/?token=@', topics = ['x'] }]\n",
            "relay = [{ url = 'http://me:@&h/', topics = ['x'] }]\n",
            "relay = [{ url = 'http://h/', topics = ['x'], headers = ['Authorization Bearer @'] }]\n",
            "relay = [{ url = 'http://h/', topics = ['x'], headers = { Authorization = 'Bearer @' } }]\n",
            "public-url = 'h/?token=@'\n",
            "jwks = 'http://me:@&h/'\n",
            "alias = '/a?token=@=x'\n",
        ];
        for text in cases {
            let error = parse(&text.replace('@', SECRET).replace('&', "@")).expect_err(text).to_string();
            assert!(!error.contains(SECRET) && error.starts_with("line "), "{text:?}: {error}");
        }
        for digits in ["key = 12345678901234567", "key = 1234567.8901234", "key = 1979-05-27", "key = 012345678"] {
            let error = parse(digits).expect_err(digits).to_string();
            assert!(!error.contains("1234567") && !error.contains("1979"), "{digits}: {error}");
        }
    }

    #[test]
    fn slips_are_told_with_what_was_meant() {
        let cases = [
            ("max_body = '1MiB'", "unknown key `max_body`; did you mean `max-body`?"),
            ("\ncors-origins = []", "line 2, column 1: unknown key `cors-origins`; did you mean `cors-origin`?"),
            ("[limits]\nmax-body = '1MiB'", "the only sections are [[issuer]], [[relay]], [[alias]] and [[retention]]"),
            ("token-file = 'x'", "it is a key of [[relay]]"),
            (
                "[[relay]]\nurl = 'http://h/'\ntopics = 'x'\nmax-body = '1MiB'",
                "max-body is a key of the hub, so write it above the first [[section]]",
            ),
            ("[[relay]]\nurl = 'http://h/'\ntopic = 'x'", "did you mean `topics`?"),
            ("[[issuer]]\nname = 'a'\njkws = 'x'", "did you mean `jwks`?"),
            ("delivery = 'epol'", "did you mean `epoll`?"),
            ("delivery = 'iouring'", "did you mean `io-uring`?"),
            ("memory = 'yes'", "this value is a text; expected true or false, without quotation marks"),
            ("max-topics = 1.5", "this value is a number with a point; expected a whole number"),
            (
                "max-topics = '7'",
                "this value is a text; expected a whole number that is not negative, without quotation marks",
            ),
            ("data = 7", "this value is a whole number; expected a path in quotation marks"),
            ("jwks = [['x']]", "this value is a list; expected a text in quotation marks"),
            ("max-topics = 99999999999999999999", "this value is out of range; expected a whole number"),
            ("key = 'x", "the text has no closing quotation mark"),
            ("data = 1979-05-27", "this value is a date; write a text in quotation marks"),
            ("alias = 1979-05-27T07:32:00Z", "this value is a date; write a text in quotation marks"),
            ("1979-05-27 = 1", "line 1, column 1: unknown key"),
            ("1979-05-27 = 1\n1979-05-27 = 1", "line 2, column 1: duplicate key"),
            ("page = 1", "this value is a whole number; expected \"on\" or \"off\", in quotation marks"),
            ("page = 'maybe'", "expected on or off"),
            ("delivery = 1", "this value is not a text; expected a text in quotation marks"),
            (
                "write-timeout = true",
                "this value is true or false; expected a duration such as 500ms, 20s, 1h 30m or 7d;",
            ),
            (
                "max-body = 1.5",
                "this value is a number with a point; expected a size such as 65536, 512KiB, 1MiB or 2GB;",
            ),
            ("retention-count = true", "this value is true or false; expected a whole number such as 1000, or off;"),
            ("retention-count = 'x'", "expected a whole number such as 1000, or off"),
            ("public-url = 'x'", "expected the URL of the hub, such as https://hub.example.com/"),
            ("cors-origin = 7", "expected a text in quotation marks, or a list in brackets"),
            ("relay = [7]", "expected a text in quotation marks, in the form of the flag, or a table"),
            ("[[relay]]\nurl = 'http://h/'", "the key `topics` is missing"),
        ];
        for (text, said) in cases {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_list_may_be_one_value() {
        let options = parse(
            "cors-origin = 'https://a.example'\npublish-origin = 'https://a.example https://b.example'\n\
             jwks = 'https://a.example/k'\nalgorithm = 'HS256 HS512'\nalias = '/sse=news,weather'\n\
             issuer = 'me=/k.pem'\nlisten = 3000\n[relay]\nurl = 'http://h/'\ntopics = 'news'\nheaders = 'A: b c'\n",
        )
        .unwrap();
        assert_eq!(options.cors_origin.unwrap().len(), 1);
        assert_eq!(options.publish_origin.unwrap().len(), 2);
        assert_eq!((options.jwks.unwrap().len(), options.algorithm.unwrap().len()), (1, 2));
        assert_eq!(options.alias.unwrap()[0].0[0].topics(), ["news", "weather"]);
        assert_eq!(options.issuer.unwrap()[0].0[0].name, "me");
        assert_eq!(options.listen.unwrap().0.to_string(), "127.0.0.1:3000");
        let relay = &options.relay.unwrap()[0].0[0];
        assert_eq!((relay.topics().len(), relay.headers.len()), (1, 1));
        assert!(parse("cors-origin = ['https://a.example', 'https://b.example']").is_ok());
        assert!(parse("cors-origin = 'https://a.example nonsense'").is_err());
    }
}
