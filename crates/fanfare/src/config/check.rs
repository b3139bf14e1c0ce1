//! `fanfare serve --check`: the configuration that holds, as a file would say it, with each value's source.
use super::{layer::Merged, secret::MASK};
use clap::{Args as _, Command};
use std::fmt;
use toml::Value;

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
            let value =
                if argument.is_hide_env_values_set() { format!("\"{MASK}\"") } else { masked(value).to_string() };
            writeln!(f, "{:<64} # {}", format!("{key} = {value}"), merged.source(key))?;
        }
        Ok(())
    }
}

/// A value without the keys of issuers.
fn masked(value: &Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(values.iter().map(masked).collect()),
        Value::Table(table) => Value::Table(
            table
                .iter()
                .map(|(key, value)| {
                    let is_key = key == "key" || key.ends_with("-key");
                    (key.clone(), if is_key { Value::String(MASK.to_owned()) } else { masked(value) })
                })
                .collect(),
        ),
        value => value.clone(),
    }
}
