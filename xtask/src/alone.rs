//! The client as others depend on it: with the features that they ask for and no more.
//!
//! In the workspace it has every feature, so that one that needs another and does not name it is not noticed there. What
//! else is published has no features, and the steps `release` and `sanitize` compile it without the rest of the workspace.
use crate::program::{cargo, root, run};
use std::fs;

/// Checks the client with none of its features, and with each by itself.
///
/// # Errors
/// What does not compile, or has a warning: code has one that only another feature uses.
pub(crate) fn check() -> Result<(), String> {
    let without_features = ["clippy", "--locked", "--package", "fanfare-client", "--no-default-features"];
    let with = |features| run(cargo(&without_features).args(["--features", features, "--", "-D", "warnings"]));
    with("")?;
    features()?.iter().try_for_each(|feature| with(feature))
}

/// The features of the client, as its manifest has them.
fn features() -> Result<Vec<String>, String> {
    let manifest = root().join("crates/client/Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let features = named(&text);
    if features.is_empty() { Err(format!("{} has no features", manifest.display())) } else { Ok(features) }
}

/// The names in the table `[features]` of a manifest, but for the default.
fn named(manifest: &str) -> Vec<String> {
    let table =
        manifest.lines().skip_while(|line| *line != "[features]").skip(1).take_while(|line| !line.starts_with('['));
    // A list may go on over lines that are indented.
    let names = table.filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()));
    let names = names.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned());
    names.filter(|name| name != "default").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_from_a_manifest() {
        let manifest = "[package]\nname = \"a\"\n[features]\ndefault = [\"x\"]\n# One.\nx = [\n    \"dep:y\",\n]\n\
                        z-1 = []\n\n[dependencies]\ny = \"1\"\n";
        assert_eq!(named(manifest), ["x", "z-1"]);
        assert!(named("[package]\n").is_empty());
    }
}
