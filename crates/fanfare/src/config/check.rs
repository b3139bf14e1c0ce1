//! `fanfare serve --check`: prints the configuration in effect in the form of a configuration file, with the source of
//! each value.
use super::{merge::Merged, options::ServeSettings};
use clap::{Args as _, Command};
use fanfare_mask::MASK;
use std::fmt;
use toml::Value;

/// The values of all options after the layers are merged. `Display` prints them with secrets masked.
pub(crate) struct Effective<'a> {
    pub(crate) merged: &'a Merged,
    pub(crate) settings: &'a ServeSettings,
}

impl fmt::Display for Effective<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { merged, settings } = self;
        let options = super::options::ServeOptions::augment_args(Command::new("serve"));
        for argument in options.get_arguments() {
            let Some((key, value)) = argument.get_long().and_then(|key| merged.values.get_key_value(key)) else {
                continue;
            };
            // Options whose values are secrets are marked with clap's `hide_env_values`, which also keeps these values
            // out of the help.
            let value =
                if argument.is_hide_env_values_set() { format!("\"{MASK}\"") } else { masked(value).to_string() };
            writeln!(f, "{:<64} # {}", format!("{key} = {value}"), merged.source(key))?;
        }
        let certificates = settings.certificates().unwrap_or_default();
        certificates.iter().try_for_each(|certificate| writeln!(f, "# certificate {certificate}"))
    }
}

/// Returns `value` with secrets masked: the keys of issuers, the values of relays' headers (which are often keys), and
/// the secrets in URLs.
fn masked(value: &Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(values.iter().map(masked).collect()),
        Value::Table(table) => {
            Value::Table(table.iter().map(|(key, value)| (key.clone(), masked_member(key, value))).collect())
        }
        Value::String(text) => Value::String(fanfare_mask::masked(text).into_owned()),
        value => value.clone(),
    }
}

fn masked_member(key: &str, value: &Value) -> Value {
    match value {
        _ if key == "key" || key.ends_with("-key") => Value::String(MASK.to_owned()),
        Value::Array(headers) if key == "headers" => Value::Array(headers.iter().map(without_value).collect()),
        value => masked(value),
    }
}

fn without_value(header: &Value) -> Value {
    let name = header.as_str().and_then(|header| header.split_once(':')).map_or("", |(name, _)| name);
    Value::String(format!("{name}: {MASK}"))
}
