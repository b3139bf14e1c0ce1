//! The part of an option's definition that clap does not know: the default, the bound and an example.
use super::bound::Bound;
use toml::{Table, Value};

/// The properties of one option that clap does not know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    /// The name of the option's field in `ServeOptions`.
    pub field: &'static str,
    /// The default, as TOML: the option's value if no flag, variable or file gives one. `None` if the option has no
    /// default.
    pub default: Option<&'static str>,
    /// The smallest and the largest value of the option; `None` if it has no bounds.
    pub bound: Option<Bound>,
    /// A value for `examples/fanfare.toml`, as TOML, for an option without a default.
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

    /// Returns the default as a TOML value; `None` if the option has no default.
    pub(super) fn default(&self) -> Option<Value> {
        self.default.map(read)
    }

    /// Returns the example as a TOML value; `None` if the option has no example.
    pub(super) fn example(&self) -> Option<Value> {
        self.example.map(read)
    }
}

fn read(toml: &str) -> Value {
    let table: Table = toml::from_str(&format!("value = {toml}")).expect("the values in definitions are valid TOML");
    table["value"].clone()
}
