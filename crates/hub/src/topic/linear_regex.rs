//! Regular expressions from untrusted clients: their memory is bounded, and a match takes at most one step for each
//! byte of the text.
//!
//! An expression is accepted if its deterministic automaton is small. Usual patterns need few states. An expression
//! such as `[ab]*a[ab]{400}`, which would need a huge automaton, is refused: matching it without such an automaton
//! takes a thousand times as long, for every update.
use super::MAX_TOPIC_BYTES;
use regex_automata::{
    Input,
    dfa::{
        Automaton as _, StartKind,
        dense::{self, DFA},
    },
    nfa::thompson::{self, NFA, WhichCaptures},
    util::syntax,
};
use std::error::Error;

/// The largest compiled regular expression, in bytes.
pub const MAX_COMPILED_BYTES: usize = 128 * 1024;

/// The greatest number of steps of one match of a topic with one expression: one transition for each byte, and one for
/// the end.
pub const MAX_MATCH_STEPS: usize = MAX_TOPIC_BYTES + 1;

/// The largest nondeterministic automaton (NFA), in bytes. The deterministic automaton is made from it. A state takes
/// about 70 bytes.
const MAX_NFA_BYTES: usize = 128 * 1024;

/// The largest additional memory for making the deterministic automaton, in bytes. This limit bounds the time, too:
/// each of these bytes is visited at most once for each of the up to 256 classes of bytes in the expression.
const MAX_DETERMINIZING_BYTES: usize = 256 * 1024;

/// A compiled regular expression over ASCII: `\w`, `\d`, `.` and classes mean bytes, as they do in ECMAScript for the
/// percent-encoded text of a URL.
#[derive(Debug)]
pub(super) struct LinearRegex {
    automaton: DFA<Vec<u32>>,
}

/// The reason why an expression was not compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CompileError {
    /// The expression exceeds a limit, such as [`MAX_COMPILED_BYTES`], when it is compiled.
    TooLarge,
    /// The text is not a regular expression, or it uses lookaround or backreferences, which cannot be matched in linear
    /// time.
    Syntax(String),
}

impl LinearRegex {
    /// Compiles `expression`.
    pub(super) fn compile(expression: &str) -> Result<Self, CompileError> {
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .accelerate(false)
            .dfa_size_limit(Some(MAX_COMPILED_BYTES))
            .determinize_size_limit(Some(MAX_DETERMINIZING_BYTES));
        match dense::Builder::new().configure(config).build_from_nfa(&nfa(expression)?) {
            Ok(automaton) => Ok(Self { automaton }),
            Err(error) if error.is_size_limit_exceeded() => Err(CompileError::TooLarge),
            Err(error) => Err(CompileError::Syntax(last_line(&error))),
        }
    }

    /// Returns the size of the compiled form, in bytes.
    pub(super) fn compiled_bytes(&self) -> usize {
        self.automaton.memory_usage()
    }

    /// True if the expression matches somewhere in `text`.
    pub(super) fn is_match(&self, text: &str) -> bool {
        // The search cannot return an error with the configuration that `compile` uses.
        self.automaton.try_search_fwd(&Input::new(text).earliest(true)).is_ok_and(|found| found.is_some())
    }

    /// True if a text that begins with `beginning` may match. The result is true in case of doubt.
    pub(super) fn may_begin_with(&self, beginning: &str) -> bool {
        let Ok(mut state) = self.automaton.start_state_forward(&Input::new(beginning)) else { return true };
        for byte in beginning.bytes() {
            // A match is known one byte late. In this automaton, a state that matches stays one that matches.
            if self.automaton.is_match_state(state) || self.automaton.is_quit_state(state) {
                return true;
            }
            state = self.automaton.next_state(state, byte);
        }
        !self.automaton.is_dead_state(state)
    }
}

/// Returns the nondeterministic automaton of the expression.
fn nfa(expression: &str) -> Result<NFA, CompileError> {
    let config =
        thompson::Config::new().utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(Some(MAX_NFA_BYTES));
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    thompson::Compiler::new().configure(config).syntax(syntax).build(expression).map_err(|error| {
        if error.size_limit().is_some() { CompileError::TooLarge } else { CompileError::Syntax(last_line(&error)) }
    })
}

/// Returns only the last line of an error, which has the reason. The lines before show the regular expression, which
/// was made from the client's text and is not exactly this text.
fn last_line(error: &dyn Error) -> String {
    let message = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let line = message.lines().next_back().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_limited_and_the_reason_told() {
        assert!(LinearRegex::compile("^(?:[a-z]{100}/)*$").is_ok());
        for hostile in ["(?:a{1000}){1000}", "[a-z]{100000}", "(?:(?:(?:x{50}){50}){50}){50}", r"(?u)\w{100}"] {
            assert_eq!(LinearRegex::compile(hostile).unwrap_err(), CompileError::TooLarge, "{hostile}");
        }
        for unsupported in ["(?=a)", "(?<!a)b", r"(a)\1", r"(?u)a\b", "(", "[z-a]"] {
            let Err(CompileError::Syntax(reason)) = LinearRegex::compile(unsupported) else {
                panic!("{unsupported} compiles");
            };
            assert!(!reason.is_empty() && !reason.contains('\n'), "{reason:?}");
        }
    }

    /// The largest expression that compiles is within the limit, and the next larger one is refused.
    #[test]
    fn the_largest_expression_is_within_the_limit() {
        // Many different bytes make each state large.
        let expression = |count: usize| format!("^abcdefghijklmnopqrstuvwxyz[a-z]{{{count}}}$");
        let fits = |count: &usize| LinearRegex::compile(&expression(*count)).is_ok();
        let largest = (1..10_000).step_by(100).take_while(fits).last().unwrap();
        let largest = (largest..).take_while(fits).last().unwrap();
        let bytes = LinearRegex::compile(&expression(largest)).unwrap().compiled_bytes();
        assert!((MAX_COMPILED_BYTES / 2..=MAX_COMPILED_BYTES).contains(&bytes), "{largest} take {bytes} bytes");
        assert_eq!(LinearRegex::compile(&expression(largest + 1)).unwrap_err(), CompileError::TooLarge);
    }

    /// Tests expressions with which a backtracking matcher takes very long, and one with which a matcher would follow
    /// many states at once. Each expression that compiles takes one step per byte.
    #[test]
    fn hostile_expressions_cost_one_step_for_a_byte_or_are_refused() {
        let text = "a".repeat(MAX_TOPIC_BYTES - 1) + "!";
        let cases = [
            ("^(?:a+)+b$", true),
            ("^(?:a|a)*b$", true),
            ("^(?:a|aa)+b$", true),
            ("^(?:a*)*(?:a*)*(?:a*)*b$", true),
            ("^(?:.*.*.*.*.*.*.*.*.*.*b)$", true),
            ("^(?:[ab]*a[ab]{400}b)$", false),
            ("^(?:a?){400}a{400}b$", false),
            ("^(?:(?:a{100}){100}){100}$", false),
        ];
        for (expression, compiles) in cases {
            match LinearRegex::compile(expression) {
                Ok(regex) => {
                    assert!(compiles && regex.compiled_bytes() <= MAX_COMPILED_BYTES, "{expression}");
                    assert!(!regex.is_match(&text), "{expression}");
                    assert!(steps(&regex, &text) <= MAX_MATCH_STEPS, "{expression}");
                }
                Err(error) => assert!(!compiles && error == CompileError::TooLarge, "{expression}"),
            }
        }
    }

    /// Returns the number of transitions of a match, counted by walking through the automaton.
    fn steps(regex: &LinearRegex, text: &str) -> usize {
        let automaton = &regex.automaton;
        let mut state = automaton.start_state_forward(&Input::new(text)).unwrap();
        let mut steps = 0;
        for byte in text.bytes() {
            state = automaton.next_state(state, byte);
            steps += 1;
            assert!(!automaton.is_quit_state(state));
            if automaton.is_dead_state(state) {
                return steps;
            }
        }
        automaton.next_eoi_state(state);
        steps + 1
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
