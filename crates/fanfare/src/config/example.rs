//! The example of a configuration file, with every option: `examples/fanfare.toml`.
use super::described::{Described, described, wrapped};

const HEAD: &str = "\
# A configuration of `fanfare serve` with every option: the defaults, and an example in a comment for options without a
# default. `cargo xtask options` prints this file; docs/options.md describes the same options.
#
# Flags override variables of the environment (max-body is FANFARE_MAX_BODY), and variables override this file. Relative
# paths start from the working directory. A list may be one value without brackets, or several values in one text, with
# spaces or line ends between them. An unknown key is an error, and so is an unknown variable FANFARE_….
#
# alias, relay, issuer and retention can also be sections, such as [[relay]], with a key on each line. Sections must come
# last in the file.
#
# See the configuration in effect with: fanfare serve --config examples/fanfare.toml --check
";
/// The length of a line with a heading, in characters.
const HEADING_CHARACTERS: usize = 120;

/// Returns the text of `examples/fanfare.toml`.
pub(crate) fn example() -> String {
    let (mut text, mut heading) = (HEAD.to_owned(), String::new());
    let options = described();
    for option in &options {
        if option.heading != heading {
            option.heading.clone_into(&mut heading);
            let line = format!("# --- {heading} ");
            text += &format!("\n{line:-<HEADING_CHARACTERS$}\n");
        }
        text += &format!("\n{}{}\n", wrapped("# ", &about(option, &options)), line(option));
    }
    text
}

/// Returns the comment above the line of an option: its help, with the flags of options replaced by their keys; the
/// default, if the line does not show it; and the bounds.
fn about(option: &Described, options: &[Described]) -> String {
    let mut flags: Vec<String> = options.iter().map(|option| option.definition.key()).collect();
    // Longer keys are replaced first, because one key may be the beginning of another, as `key` is of `key-file`.
    flags.sort_by_key(|key| std::cmp::Reverse(key.len()));
    let mut text =
        flags.iter().fold(option.help.clone(), |text, key| text.replace(&format!("--{key}"), &format!("`{key}`")));
    text.push('.');
    if let (None, Some(default)) = (option.definition.default, &option.default) {
        text += &format!(" Default: {default}.");
    }
    if let Some(values) = option.values() {
        text += &format!(" {values}.");
    }
    text
}

fn line(option: &Described) -> String {
    let key = option.definition.key();
    match (option.definition.default(), option.definition.example()) {
        (Some(value), _) => format!("{key} = {value}"),
        (None, Some(value)) => format!("# {key} = {value}"),
        (None, None) => format!("# {key} = …"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_off_says_so() {
        let options = described();
        let mut told: Vec<_> = options.iter().filter(|option| option.value.ends_with("|off")).collect();
        assert!(told.len() >= 5, "the limits of time and size, and the page");
        told.retain(|option| !about(option, &options).contains("`off`"));
        assert!(told.is_empty(), "{:?}", told.iter().map(|option| option.definition.key()).collect::<Vec<_>>());
    }
}
