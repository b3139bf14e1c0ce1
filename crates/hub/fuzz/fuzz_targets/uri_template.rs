//! URI Templates that strangers send: a template, a line feed, values of its variables. Whatever a template of the
//! first two levels expands to has to match it, and so has its own text; nothing may panic or grow.
#![no_main]
use fanfare_hub::topic::{
    MAX_COMPILED_BYTES, Topic,
    uri_template::{InvalidUriTemplate, UriTemplate},
};
use libfuzzer_sys::fuzz_target;

/// What a template becomes when each of its expressions gets the next value; `None` where it has others than `{x}`,
/// `{+x}` and `{#x}`.
fn expand(template: &str, values: &str) -> Option<String> {
    let (mut expanded, mut rest, mut values) = (String::new(), template, values.split(' ').cycle());
    while let Some((literal, expression)) = rest.split_once('{') {
        let (expression, behind) = expression.split_once('}')?;
        expanded.push_str(literal);
        let (operator, name) = match expression.as_bytes().first()? {
            b'+' | b'#' => expression.split_at(1),
            _ => ("", expression),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        expanded.push_str(if operator == "#" { "#" } else { "" });
        for byte in values.next().unwrap_or_default().bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => expanded.push(byte.into()),
                reserved if !operator.is_empty() && b":/?#[]@!$&'()*+,;=".contains(&reserved) => {
                    expanded.push(reserved.into());
                }
                other => expanded.push_str(&format!("%{other:02X}")),
            }
        }
        rest = behind;
    }
    expanded.push_str(rest);
    Some(expanded)
}

fuzz_target!(|input: &str| {
    let (source, values) = input.split_once('\n').unwrap_or((input, ""));
    let template = match UriTemplate::compile(source) {
        Ok(template) => template,
        Err(InvalidUriTemplate::TooComplex { limit }) => return assert_eq!(limit, MAX_COMPILED_BYTES),
        Err(_) => return,
    };
    assert!(template.compiled_bytes() <= MAX_COMPILED_BYTES);
    if let Ok(itself) = Topic::new(source) {
        assert!(template.matches(&itself));
    }
    // One variable has one value: a name that comes twice would need the same.
    if let Some(expanded) = expand(source, values)
        && let Ok(topic) = Topic::new(&expanded)
    {
        assert!(template.matches(&topic), "{source} expands to {expanded}");
    }
});
