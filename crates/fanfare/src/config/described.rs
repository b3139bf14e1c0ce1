//! Descriptions of options for generated documents (`docs/options.md` and `examples/fanfare.toml`): what clap knows of
//! each option, together with its definition.
use super::{
    definition::Definition,
    options::{DEFINITIONS, ServeOptions},
};
use clap::{Args as _, Command, builder::StyledStr};

/// The longest line of a generated document, in characters.
const MAX_CHARACTERS: usize = 120;
/// The beginning of a note in the help of an option whose definition has no default. The note says what applies if the
/// option is not given.
const DEFAULT: &str = " [default: ";

/// An option and the texts about it.
pub(super) struct Described {
    pub(super) definition: &'static Definition,
    /// The heading of the help under which the option is listed.
    pub(super) heading: String,
    /// The name of the option's value, such as `SIZE`.
    pub(super) value: String,
    /// The help text, without the note that begins with [`DEFAULT`].
    pub(super) help: String,
    /// The default value, or else the text of the note about the default in the help; `None` if the option has neither.
    pub(super) default: Option<String>,
}

impl Described {
    /// Returns a note about the values that the option accepts: its bounds, or `on` and `off`. `None` for all other
    /// options.
    pub(super) fn values(&self) -> Option<String> {
        match (self.definition.bound, self.value.as_str()) {
            (Some(bound), value) if value.ends_with("|off") => Some(format!("Bounds: {bound}, or `off` for no limit")),
            (Some(bound), _) => Some(format!("Bounds: {bound}")),
            (None, "on|off") => Some("Values: `on` or `off`".to_owned()),
            (None, _) => None,
        }
    }
}

/// Returns all options, in the order of their definition.
pub(super) fn described() -> Vec<Described> {
    let command = ServeOptions::augment_args(Command::new("serve"));
    let describe = |(definition, argument): (&'static Definition, &clap::Arg)| {
        assert_eq!(argument.get_id(), definition.id(), "arguments and definitions have the same order");
        let text = argument.get_help().map(StyledStr::to_string).unwrap_or_default();
        let (help, said) = match text.split_once(DEFAULT) {
            Some((help, default)) => (help.to_owned(), Some(default.trim_end_matches(']').to_owned())),
            None => (text, None),
        };
        let default = definition.default().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        Described {
            definition,
            heading: argument.get_help_heading().unwrap_or_default().to_owned(),
            value: argument.get_value_names().unwrap_or_default().join(" "),
            help,
            default: default.or(said),
        }
    };
    DEFINITIONS.iter().zip(command.get_arguments()).map(describe).collect()
}

/// Wraps `text` into lines of at most `MAX_CHARACTERS` characters, each of which begins with `prefix`.
pub(super) fn wrapped(prefix: &str, text: &str) -> String {
    let (mut text_so_far, mut line) = (String::new(), prefix.to_owned());
    for word in text.split_whitespace() {
        if line != prefix && line.chars().count() + 1 + word.chars().count() > MAX_CHARACTERS {
            text_so_far += &(std::mem::replace(&mut line, prefix.to_owned()) + "\n");
        }
        if line != prefix {
            line.push(' ');
        }
        line.push_str(word);
    }
    text_so_far + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_they_may_be() {
        let word = "é".repeat(MAX_CHARACTERS - 4);
        assert_eq!(wrapped("# ", &format!("{word} a b")), format!("# {word} a\n# b\n"));
        assert_eq!(wrapped("# ", &format!("a {word}a")), format!("# a\n# {word}a\n"));
        assert_eq!(wrapped("", "a  b"), "a b\n");
    }
}
