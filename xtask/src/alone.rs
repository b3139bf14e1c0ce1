//! Checks the client as other projects compile it: only with the features that they ask for.
//!
//! In the workspace the client has every feature. So the workspace compiles even if a feature needs another feature and
//! does not name it. The other published crates have no features, and the steps `release` and `sanitize` compile them
//! without the rest of the workspace.
use crate::program::{cargo, root, run};
use std::fs;

/// Checks the client without features, and with each feature alone.
///
/// # Errors
/// A message if something does not compile or causes a warning, for example a function that only another feature uses.
pub(crate) fn check() -> Result<(), String> {
    let without_features = ["clippy", "--locked", "--package", "fanfare-client", "--no-default-features"];
    let with = |features| run(cargo(&without_features).args(["--features", features, "--", "-D", "warnings"]));
    with("")?;
    features()?.iter().try_for_each(|feature| with(feature))
}

/// Returns the features of the client, as its manifest lists them.
fn features() -> Result<Vec<String>, String> {
    let manifest = root().join("crates/client/Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let features = named(&text);
    if features.is_empty() { Err(format!("{} has no features", manifest.display())) } else { Ok(features) }
}

/// Returns the names in the table `[features]` of a manifest, except `default`.
fn named(manifest: &str) -> Vec<String> {
    let table =
        manifest.lines().skip_while(|line| *line != "[features]").skip(1).take_while(|line| !line.starts_with('['));
    // A feature's list may continue on the next lines. These are indented, so they are left out.
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
