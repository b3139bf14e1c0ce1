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
            let value = if argument.is_hide_env_values_set() {
                format!("\"{MASK}\"")
            } else {
                without_header_values(value.clone()).to_string()
            };
            writeln!(f, "{:<64} # {}", format!("{key} = {value}"), merged.source(key))?;
        }
        Ok(())
    }
}

/// Headers of relays often hold keys.
fn without_header_values(mut value: Value) -> Value {
    let tables = value.as_array_mut().into_iter().flatten().filter_map(Value::as_table_mut);
    let headers = tables.filter_map(|table| table.get_mut("headers")?.as_array_mut()).flatten();
    for header in headers {
        let name = header.as_str().and_then(|header| header.split_once(':')).map_or("", |(name, _)| name);
        *header = Value::String(format!("{name}: {MASK}"));
    }
    value
}
