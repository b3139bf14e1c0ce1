//! The value of a constant in a form for people: with the unit that its type or its name gives. A value that cannot be
//! computed is shown as the source has it.
use std::{iter::Peekable, str::SplitWhitespace};

/// A function that finds the expression of another constant by its name.
type Others<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// The operators of one precedence, each with the function that computes it.
type Level = &'static [(&'static str, fn(u64, u64) -> Option<u64>)];

/// The operators by precedence, the lowest precedence first.
const OPERATORS: [Level; 3] = [
    &[("<<", shift)],
    &[("+", u64::checked_add), ("-", u64::checked_sub)],
    &[("*", u64::checked_mul), ("/", u64::checked_div)],
];

/// The greatest number of constants in a row, each computed from the next one, that are looked up to find a number.
const MAX_DEPTH: usize = 4;
/// The units of time, the longest first, in microseconds.
const TIMES: [(u64, &str); 5] = [(3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms"), (1, "µs")];
/// The units of memory, the largest first, in bytes.
const SIZES: [(u64, &str); 4] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")];

/// Returns the value of the constant `name` for people. `kind` is its type.
pub(super) fn shown(name: &str, kind: &str, expression: &str, others: &Others<'_>) -> String {
    let known = match kind {
        "Duration" => duration(expression, others),
        "[Duration; 2]" => range(expression, others),
        _ => number(expression, others, MAX_DEPTH).map(|number| match name {
            _ if name.ends_with("_MS") => with_unit(number * 1_000, &TIMES),
            _ if name.contains("BYTES") => with_unit(number, &SIZES),
            _ => grouped(number),
        }),
    };
    known.unwrap_or_else(|| format!("`{expression}`"))
}

fn range(expression: &str, others: &Others<'_>) -> Option<String> {
    let (least, most) = expression.strip_prefix('[')?.strip_suffix(']')?.split_once("), ")?;
    Some(format!("{} to {}", duration(&format!("{least})"), others)?, duration(most, others)?))
}

fn duration(expression: &str, others: &Others<'_>) -> Option<String> {
    let (unit, value) = expression.strip_prefix("Duration::from_")?.strip_suffix(')')?.split_once('(')?;
    let factor = match unit {
        "secs" => 1_000_000,
        "millis" => 1_000,
        "micros" => 1,
        _ => return None,
    };
    Some(with_unit(number(value, others, MAX_DEPTH)? * factor, &TIMES))
}

/// Returns a number with the largest unit of which it is a multiple.
fn with_unit(number: u64, units: &[(u64, &str)]) -> String {
    let (size, unit) = units.iter().find(|(size, _)| number > 0 && number.is_multiple_of(*size)).unwrap_or(&(1, ""));
    format!("{} {unit}", grouped(number / size)).trim_end().to_owned()
}

/// Returns a number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Computes an expression of numbers and other constants.
fn number(expression: &str, others: &Others<'_>, depth: usize) -> Option<u64> {
    let spaced = ["<<", "+", "-", "*", "/", "(", ")"]
        .iter()
        .fold(expression.to_owned(), |text, operator| text.replace(operator, &format!(" {operator} ")));
    let mut words = spaced.split_whitespace().peekable();
    let number = operation(&mut words, &OPERATORS, others, depth)?;
    words.next().is_none().then_some(number)
}

/// Computes operands that are joined by the operators of the first level. Operators of later levels have a higher
/// precedence.
fn operation(
    words: &mut Peekable<SplitWhitespace<'_>>,
    levels: &[Level],
    others: &Others<'_>,
    depth: usize,
) -> Option<u64> {
    let Some((level, tighter)) = levels.split_first() else { return atom(words.next()?, others, depth) };
    let mut left = operation(words, tighter, others, depth)?;
    while let Some((_, compute)) = level.iter().find(|(sign, _)| words.next_if_eq(sign).is_some()) {
        left = compute(left, operation(words, tighter, others, depth)?)?;
    }
    Some(left)
}

fn shift(number: u64, bits: u64) -> Option<u64> {
    number.checked_shl(u32::try_from(bits).ok()?)
}

fn atom(word: &str, others: &Others<'_>, depth: usize) -> Option<u64> {
    let digits = word.replace('_', "");
    match digits.parse() {
        Ok(number) => Some(number),
        Err(_) if depth == 0 => None,
        Err(_) => number(others(word.rsplit("::").next()?)?, others, depth - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_units_that_people_use() {
        let others = |name: &str| (name == "MAX_TOPIC_BYTES").then_some("4_096");
        for (name, kind, expression, expected) in [
            ("MAX_ROWS", "", "16_000_000", "16,000,000"),
            ("MAX_BYTES", "usize", "64 << 10", "64 KiB"),
            ("MAX_BYTES", "usize", "4 * 1024 * 1024", "4 MiB"),
            ("MAX_ID_BYTES", "usize", "512", "512 bytes"),
            ("MAX_MATCHER_BYTES", "usize", "super::MAX_TOPIC_BYTES", "4 KiB"),
            ("MAX_MATCH_STEPS", "usize", "MAX_TOPIC_BYTES + 1", "4,097"),
            ("LEEWAY_MS", "u64", "10_000", "10 s"),
            ("T", "Duration", "Duration::from_secs(24 * 60 * 60)", "24 h"),
            ("T", "Duration", "Duration::from_secs(75)", "75 s"),
            ("T", "Duration", "Duration::from_micros(3_250)", "3,250 µs"),
            ("T", "[Duration; 2]", "[Duration::from_millis(100), Duration::from_secs(10)]", "100 ms to 10 s"),
            ("OF_ALL", "Bound", "Bound { bytes: 5 }", "`Bound { bytes: 5 }`"),
            ("ITSELF", "u8", "OTHER", "`OTHER`"),
        ] {
            assert_eq!(shown(name, kind, expression, &others), expected, "{expression}");
        }
    }

    #[test]
    fn constants_of_each_other_come_to_an_end() {
        assert_eq!(shown("A", "u8", "B", &|_| Some("B")), "`B`");
    }
}
