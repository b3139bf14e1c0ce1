//! Collects the values that were translated, and the warnings and refusals about values that cannot be translated.
use super::translation::{Environment, Refusal, Translation};
use crate::config::{
    layer::{Layer, Source},
    options::ServeOptions,
};
use toml::{Table, Value};

/// Collects the results of translating the variables and directives, one after the other.
pub(super) struct Translator<'a> {
    environment: Environment<'a>,
    place: String,
    translation: Translation,
}

impl<'a> Translator<'a> {
    pub(super) fn new(environment: Environment<'a>) -> Self {
        Self { environment, place: String::new(), translation: Translation::default() }
    }

    pub(super) fn finish(self) -> Translation {
        self.translation
    }

    /// Returns the value of the variable `name` if it is set and not empty. The values, warnings and refusals that are
    /// added after this call name the variable as their source.
    pub(super) fn variable(&mut self, name: &str) -> Option<String> {
        let value = self.peek(name)?;
        name.clone_into(&mut self.place);
        Some(value)
    }

    /// Returns the value of the variable `name` if it is set and not empty. Unlike [`Self::variable`], this does not
    /// change the source of values and warnings that are added later.
    pub(super) fn peek(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.trim().is_empty())
    }

    /// Sets the source of the values, warnings and refusals that are added next: the name of a variable or directive.
    pub(super) fn at(&mut self, place: String) {
        self.place = place;
    }

    /// Sets the option `key` to `value`. If the option does not accept the value, adds a refusal instead.
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        let values = Table::from_iter([(key.to_owned(), value.into())]);
        match Value::Table(values.clone()).try_into::<ServeOptions>() {
            Ok(_) => self.translation.layers.push(Layer { source: Source::Mercure(self.place.clone()), values }),
            Err(error) => self.refuse(key, error.message().to_owned()),
        }
    }

    /// Sets the option `key` to a list.
    pub(super) fn set_list(&mut self, key: &'static str, values: impl IntoIterator<Item = impl Into<String>>) {
        self.set(key, Value::Array(values.into_iter().map(|value| Value::String(value.into())).collect()));
    }

    /// Adds an issuer to the issuers that were translated before.
    pub(super) fn add_issuer(&mut self, issuer: Table) {
        let is_issuers = |layer: &Layer| layer.values.contains_key("issuer");
        let earlier = self.translation.layers.iter().rfind(|layer| is_issuers(layer));
        let mut issuers = earlier.and_then(|layer| layer.values["issuer"].as_array().cloned()).unwrap_or_default();
        issuers.push(Value::Table(issuer));
        self.set("issuer", Value::Array(issuers));
    }

    /// Adds a warning about something that has no effect on this hub.
    pub(super) fn warn(&mut self, reason: impl AsRef<str>) {
        self.translation.warnings.push(format!("{}: {}", self.place, reason.as_ref()));
    }

    /// Adds a refusal of something that this hub cannot do. `reason` says what to write instead. If the user gives the
    /// option `key`, the refusal has no effect.
    pub(super) fn refuse(&mut self, key: &'static str, reason: impl Into<String>) {
        self.translation.refusals.push(Refusal { key, place: self.place.clone(), reason: reason.into() });
    }
}
