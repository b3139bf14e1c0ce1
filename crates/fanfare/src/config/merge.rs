//! Merges the layers of the configuration, which are tables. Flags have priority over the environment, the environment
//! over the file, and the file over the defaults.
use super::{
    as_table::table,
    error::ConfigError,
    file, keys,
    layer::{Layer, Source},
    mercure,
    options::{ServeOptions, defaults, definition},
    secret_file, tls, variables,
};
use clap::{ArgMatches, FromArgMatches as _, parser::ValueSource};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use toml::Table;

/// The values of all options after the layers are merged, and the source of each value.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// The value of each option, by the option's key.
    pub values: Table,
    /// The configuration file, if there is one.
    pub config_file: Option<PathBuf>,
    /// The files with keys that are named in any layer: for verifying tokens, and for TLS.
    pub key_files: Vec<PathBuf>,
    /// The files with certificates for TLS.
    pub certificate_files: Vec<PathBuf>,
    /// Warnings for the person who runs the hub.
    pub warnings: Vec<String>,
    /// The names of the environment variables that should contain a key for verifying tokens, but are empty.
    pub empty_keys: Vec<String>,
    sources: Vec<(String, Source)>,
}

/// Reads the layers and merges them.
///
/// # Errors
/// [`ConfigError`] if the configuration file or a file with a secret cannot be read, or if a value is not valid.
pub(crate) fn merge(matches: &ArgMatches, file: Option<&Path>) -> Result<Merged, ConfigError> {
    let mut layers = vec![Layer { source: Source::Default, values: defaults() }];
    if let Some(path) = file {
        layers.push(Layer::from_file(path)?);
    }
    let ours = [
        Layer::from_arguments(matches, ValueSource::EnvVariable, Source::Environment)?,
        Layer::from_arguments(matches, ValueSource::CommandLine, Source::Flag)?,
    ];
    let given: Vec<&str> =
        layers[1..].iter().chain(&ours).flat_map(|layer| layer.values.keys()).map(String::as_str).collect();
    let environment = |name: &str| std::env::var(name).ok();
    let translation = mercure::translate(&environment, &given);
    let (warnings, config_file) = (translation.heed(&given)?, file.map(Path::to_owned));
    let mut merged = Merged { warnings, config_file, empty_keys: empty_keys(environment), ..Merged::default() };
    for mut layer in layers.into_iter().chain(translation.layers).chain(ours) {
        let mut files = secret_file::read(&mut layer.values, &layer.source)?;
        merged.key_files.append(&mut files);
        merged.overlay(layer);
    }
    let [certificates, mut keys] = tls::files(&merged.values);
    merged.certificate_files = certificates;
    merged.key_files.append(&mut keys);
    Ok(merged)
}

impl Layer {
    fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let read = |error: io::Error| ConfigError::ReadFile { path: path.to_owned(), error };
        let text = fs::read_to_string(path).map_err(read)?;
        let options = file::parse(&text).map_err(|error| ConfigError::File { path: path.to_owned(), error })?;
        Ok(Self { source: Source::File(path.to_owned()), values: table(&options)? })
    }

    /// Returns a layer of the arguments that clap found in the place `wanted`: on the command line or in the
    /// environment.
    fn from_arguments(matches: &ArgMatches, wanted: ValueSource, source: Source) -> Result<Self, ConfigError> {
        let options = ServeOptions::from_arg_matches(matches).expect("clap has parsed these options");
        let mut values = table(&options)?;
        values.retain(|key, _| {
            definition(key).is_some_and(|definition| matches.value_source(definition.id()) == Some(wanted))
        });
        Ok(Self { source, values })
    }
}

impl Merged {
    fn overlay(&mut self, layer: Layer) {
        for (key, value) in layer.values {
            self.sources.retain(|(known, _)| *known != key);
            self.sources.push((key.clone(), layer.source.clone()));
            self.values.insert(key, value);
        }
    }

    /// Returns the source of the value of `key`.
    pub(crate) fn source(&self, key: &str) -> Source {
        let found = self.sources.iter().find(|(known, _)| known == key);
        found.map_or(Source::Default, |(_, source)| source.clone())
    }
}

fn empty_keys(environment: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let ours = keys::OPTIONS.map(variables::of_option);
    let names = ours.into_iter().chain(mercure::KEY_VARIABLES.map(str::to_owned));
    names.filter(|name| environment(name).is_some_and(|value| value.trim().is_empty())).collect()
}
