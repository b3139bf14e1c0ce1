//! `fanfare serve --check`: the configuration that holds, as a file would say it, with each value's source.
use super::{layer::Merged, secret::MASK};
use clap::{Args as _, Command};
use std::fmt;

/// Shows the values of all layers, secrets masked.
pub(crate) struct Effective<'a>(pub &'a Merged);

impl fmt::Display for Effective<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(merged) = self;
        let options = super::options::ServeOptions::augment_args(Command::new("serve"));
        for argument in options.get_arguments() {
            let Some((key, value)) = argument.get_long().and_then(|key| merged.values.get_key_value(key)) else {
                continue;
            };
            // What the help may not show of the environment is not shown here either.
            let value = if argument.is_hide_env_values_set() { format!("\"{MASK}\"") } else { value.to_string() };
            writeln!(f, "{:<64} # {}", format!("{key} = {value}"), merged.source(key))?;
        }
        Ok(())
    }
}
