//! Regular expressions that strangers write: bounded in memory, and in time by the length of what they are matched with.
//!
//! The `regex` crate never backtracks. What remains is the size of the expression, which one line can make enormous
//! (`((a{1000}){1000})`), and the automaton that is built while matching; both have a limit here.
use super::MAX_TOPIC_BYTES;
use regex::bytes::{Regex, RegexBuilder};

/// The largest compiled regular expression, in bytes. It also bounds the time of a match: every byte of a topic costs at
/// most one visit to each state, and a state takes at least 8 of these bytes.
pub const MAX_COMPILED_BYTES: usize = 128 * 1024;

/// The least that one state of a compiled expression takes, in bytes.
const MIN_STATE_BYTES: usize = 8;

/// The most steps that one match of a topic with one expression takes, a step being a visit to a state for a byte. It is
/// the worst case; as a rule a byte is one step.
pub const MAX_MATCH_STEPS: usize = MAX_COMPILED_BYTES / MIN_STATE_BYTES * MAX_TOPIC_BYTES;

/// The memory for automaton states found while matching, in bytes, for each thread that matches at the same moment. Where
/// it does not suffice, the search goes on state by state: slower, still linear.
const MAX_AUTOMATON_BYTES: usize = 64 * 1024;

/// Limits tried one after the other, because the `regex` crate does not tell the size of what it has compiled. Most patterns
/// fit the first.
const SIZE_CLASSES: [usize; 4] = [2 * 1024, 8 * 1024, 32 * 1024, MAX_COMPILED_BYTES];

/// A compiled regular expression over ASCII: `\w`, `\d`, `.` and classes mean bytes, as they do in ECMAScript for the
/// percent-encoded text of a URL.
#[derive(Debug)]
pub(super) struct LinearRegex {
    regex: Regex,
    size_class: usize,
}

/// Why an expression was not compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CompileError {
    /// It is larger than [`MAX_COMPILED_BYTES`] when compiled.
    TooLarge,
    /// It is no regular expression, or uses what cannot be matched in linear time: lookaround or backreferences.
    Syntax(String),
}

impl LinearRegex {
    /// Compiles `expression`.
    pub(super) fn compile(expression: &str) -> Result<Self, CompileError> {
        for size_class in SIZE_CLASSES {
            let mut builder = RegexBuilder::new(expression);
            builder.unicode(false).size_limit(size_class).dfa_size_limit(MAX_AUTOMATON_BYTES);
            match builder.build() {
                Ok(regex) => return Ok(Self { regex, size_class }),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => return Err(CompileError::Syntax(last_line(&error.to_string()))),
            }
        }
        Err(CompileError::TooLarge)
    }

    /// An upper bound of the compiled form's size.
    pub(super) fn compiled_bytes(&self) -> usize {
        self.size_class
    }

    /// Whether the expression matches somewhere in `text`.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text.as_bytes())
    }

    /// The expression's source.
    pub(super) fn as_str(&self) -> &str {
        self.regex.as_str()
    }
}

/// The reason alone: the lines before it draw the expression, which is not what the stranger wrote.
fn last_line(message: &str) -> String {
    let line = message.lines().next_back().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_automata::{
        nfa::thompson::{self, NFA, State},
        util::{look::Look, syntax},
    };

    #[test]
    fn size_is_limited_and_the_reason_told() {
        assert!(LinearRegex::compile("^(?:[a-z]{100}/)*$").is_ok());
        for hostile in ["(?:a{1000}){1000}", "[a-z]{100000}", "(?:(?:(?:x{50}){50}){50}){50}", r"(?u)\w{100}"] {
            assert_eq!(LinearRegex::compile(hostile).unwrap_err(), CompileError::TooLarge, "{hostile}");
        }
        for unsupported in ["(?=a)", "(?<!a)b", r"(a)\1", "(", "[z-a]"] {
            let Err(CompileError::Syntax(reason)) = LinearRegex::compile(unsupported) else {
                panic!("{unsupported} compiles");
            };
            assert!(!reason.is_empty() && !reason.contains('\n'), "{reason:?}");
        }
    }

    /// What would take a backtracking matcher ages. Steps are counted by following the states of the same expression: the
    /// engine visits no more.
    #[test]
    fn hostile_expressions_cost_bounded_steps() {
        let text = "a".repeat(MAX_TOPIC_BYTES - 1) + "!";
        let cases = [
            ("^(?:a+)+b$", true),
            ("^(?:a|a)*b$", true),
            ("^(?:a|aa)+b$", true),
            ("^(?:a*)*(?:a*)*(?:a*)*b$", true),
            ("^(?:.*.*.*.*.*.*.*.*.*.*b)$", true),
            ("^(?:[ab]*a[ab]{400}b)$", true),
            ("^(?:a?){400}a{400}b$", true),
            ("^(?:(?:a{100}){100}){100}$", false),
        ];
        for (expression, compiles) in cases {
            let Ok(regex) = LinearRegex::compile(expression) else {
                assert!(!compiles, "{expression}");
                continue;
            };
            assert!(compiles && !regex.is_match(&text), "{expression}");
            let config = thompson::Config::new().nfa_size_limit(Some(regex.compiled_bytes()));
            let syntax = syntax::Config::new().unicode(false).utf8(false);
            let nfa = thompson::Compiler::new().configure(config.utf8(false)).syntax(syntax).build(expression).unwrap();
            assert!(nfa.states().len() * MIN_STATE_BYTES <= regex.compiled_bytes(), "{expression}");
            let steps = steps(&nfa, text.as_bytes());
            let half = steps_of_half(&nfa, text.as_bytes());
            assert!(steps <= MAX_MATCH_STEPS, "{expression}: {steps}");
            assert!(steps <= 2 * half + 2 * nfa.states().len() * nfa.states().len(), "{expression}: {half}, {steps}");
        }
    }

    fn steps_of_half(nfa: &NFA, text: &[u8]) -> usize {
        steps(nfa, &text[text.len() / 2..])
    }

    /// How many states are visited when each is visited once for a byte.
    fn steps(nfa: &NFA, text: &[u8]) -> usize {
        let mut visits = 0;
        let mut current = vec![nfa.start_anchored()];
        for (at, byte) in text.iter().enumerate() {
            let (mut seen, mut next, mut waiting) = (vec![false; nfa.states().len()], Vec::new(), current);
            while let Some(id) = waiting.pop() {
                if std::mem::replace(&mut seen[id.as_usize()], true) {
                    continue;
                }
                visits += 1;
                match nfa.state(id) {
                    State::ByteRange { trans } if trans.matches_byte(*byte) => next.push(trans.next),
                    State::Sparse(sparse) => next.extend(sparse.matches_byte(*byte)),
                    State::Dense(dense) => next.extend(dense.matches_byte(*byte)),
                    State::Look { look, next } if *look != Look::Start || at == 0 => waiting.push(*next),
                    State::Union { alternates } => waiting.extend(alternates.iter().copied()),
                    State::BinaryUnion { alt1, alt2 } => waiting.extend([*alt1, *alt2]),
                    State::Capture { next, .. } => waiting.push(*next),
                    _ => {}
                }
            }
            current = next;
        }
        visits
    }

    #[test]
    fn text_outside_ascii_matches_as_itself() {
        let regex = LinearRegex::compile("^(?:é|%C3%A9)[a-z]$").unwrap();
        assert!(regex.is_match("éa") && regex.is_match("%C3%A9a"));
        assert!(!regex.is_match("èa") && !regex.is_match("éá"));
        let ascii = LinearRegex::compile(r"^[\w\d]$").unwrap();
        assert!(ascii.is_match("1") && !ascii.is_match("é") && !ascii.is_match("٣"), "as in ECMAScript");
    }
}
