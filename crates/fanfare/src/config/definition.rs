//! The part of an option's definition that clap does not know: the default, the bound and an example.
use super::bound::Bound;
use toml::{Table, Value};

/// An option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    /// The name of its field.
    pub field: &'static str,
    /// The value that holds if nobody gives one, as TOML.
    pub default: Option<&'static str>,
    /// The least and the most that it may be.
    pub bound: Option<Bound>,
    /// A value for the example of a configuration, as TOML.
    pub example: Option<&'static str>,
}

impl Definition {
    /// Its key in the file, which is its flag without the dashes.
    pub(super) fn key(&self) -> String {
        self.id().replace('_', "-")
    }

    /// The name by which clap knows it.
    pub(super) fn id(&self) -> &'static str {
        self.field.trim_start_matches("r#")
    }

    /// The default.
    pub(super) fn default(&self) -> Option<Value> {
        self.default.map(read)
    }

    /// The example.
    pub(super) fn example(&self) -> Option<Value> {
        self.example.map(read)
    }
}

fn read(toml: &str) -> Value {
    let table: Table = toml::from_str(&format!("value = {toml}")).expect("a definition is built in and tested");
    table["value"].clone()
}
