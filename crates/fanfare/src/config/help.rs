//! The parts of the help of `fanfare serve` that are not written in the comments on options: environment variables,
//! defaults and bounds.
use super::{
    definition::Definition,
    options::{DEFINITIONS, definition},
    variables,
};
use clap::{Arg, Command, builder::StyledStr};
use std::any::TypeId;

/// Gives each option of `serve` its environment variable, and adds the default and the bounds of the option to its
/// help. The help does not name the variable of each option, because a note at the end of the help gives the rule for
/// these names.
pub(crate) fn document(serve: Command) -> Command {
    serve.mut_args(|argument| match argument.get_long().and_then(definition) {
        Some(definition) => documented(argument, definition),
        None => argument,
    })
}

fn documented(argument: Arg, definition: &Definition) -> Arg {
    let key = definition.key();
    let default = definition.default().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let notes = [
        default.map(|default| format!("[default: {default}]")),
        definition.bound.map(|bound| format!("[bounds: {bound}]")),
    ];
    let help = argument.get_help().map(StyledStr::to_string).unwrap_or_default();
    let help = notes.into_iter().flatten().fold(help, |help, note| format!("{help} {note}"));
    let mut argument = argument.help(help).env(variables::of_option(&key)).hide_env(true);
    // A flag without a value means true.
    if argument.get_value_parser().type_id() == TypeId::of::<bool>() {
        argument = argument.num_args(0..=1).default_missing_value("true");
    }
    argument
}

/// Returns the keys of all options, in the order of their definition.
pub(super) fn keys() -> Vec<String> {
    DEFINITIONS.iter().map(Definition::key).collect()
}
