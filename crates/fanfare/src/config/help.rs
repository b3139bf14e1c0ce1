//! What the help of `fanfare serve` says beyond the comments on the options: variables, defaults and bounds, each from
//! the place where it is defined.
use super::{bounds::Bound, defaults::defaults, options::ServeOptions};
use clap::{Arg, Args as _, Command, builder::StyledStr};

/// Gives each option of `serve` its environment variable, and shows its default and bound in the help. The variables
/// are not shown one by one: all follow the one rule that stands under the help.
pub(crate) fn document(serve: Command) -> Command {
    let keys = keys();
    let defaults = defaults();
    serve.mut_args(|argument| match argument.get_long().filter(|long| keys.iter().any(|key| key == long)) {
        Some(key) => {
            let key = key.to_owned();
            let notes = [
                defaults.get(&key).map(|value| format!("[default: {}]", value.as_str().unwrap_or(&value.to_string()))),
                Bound::of(&key).map(|bound| format!("[bounds: {bound}]")),
            ];
            annotate(argument.env(variable(&key)).hide_env(true), notes.into_iter().flatten())
        }
        None => argument,
    })
}

/// The keys of all options, in the order of their definition.
pub(super) fn keys() -> Vec<String> {
    let options = ServeOptions::augment_args(Command::new("serve"));
    options.get_arguments().filter_map(Arg::get_long).map(str::to_owned).collect()
}

fn variable(key: &str) -> String {
    format!("FANFARE_{}", key.replace('-', "_").to_uppercase())
}

fn annotate(argument: Arg, notes: impl Iterator<Item = String>) -> Arg {
    let help = argument.get_help().map(StyledStr::to_string).unwrap_or_default();
    argument.help(notes.fold(help, |help, note| format!("{help} {note}")))
}
