//! The part of an option's definition that clap does not know: the default, the bound and an example.
use super::bound::Bound;
use toml::{Table, Value};

/// The definition of one option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    /// The name of the option's field in `ServeOptions`.
    pub field: &'static str,
    /// The value if no layer gives one, as TOML.
    pub default: Option<&'static str>,
    /// The smallest and the largest value of the option.
    pub bound: Option<Bound>,
    /// A value for the example of a configuration, as TOML.
    pub example: Option<&'static str>,
}

impl Definition {
    /// Returns the option's key in the file: its flag without the leading dashes.
    pub(super) fn key(&self) -> String {
        self.id().replace('_', "-")
    }

    /// Returns the option's ID in clap.
    pub(super) fn id(&self) -> &'static str {
        self.field.trim_start_matches("r#")
    }

    /// Returns the default, parsed.
    pub(super) fn default(&self) -> Option<Value> {
        self.default.map(read)
    }

    /// Returns the example, parsed.
    pub(super) fn example(&self) -> Option<Value> {
        self.example.map(read)
    }
}

fn read(toml: &str) -> Value {
    let table: Table = toml::from_str(&format!("value = {toml}")).expect("a definition is built in and tested");
    table["value"].clone()
}
