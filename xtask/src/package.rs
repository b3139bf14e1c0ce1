//! Checks the crates that are published: each manifest has the keys that the registry asks for and that people look
//! for.
use crate::program::{cargo, root, run};
use std::fs;

/// The keys that the manifest of a published crate must have, either itself or from the workspace.
const KEYS: [&str; 6] = ["description", "license", "readme", "keywords", "categories", "rust-version"];

/// Makes the package of each published crate. The packages are not compiled, because other steps compile the same
/// files.
///
/// # Errors
/// A message that says which key a manifest lacks, or why a package cannot be made.
pub(crate) fn check() -> Result<(), String> {
    let mut package = cargo(&["package", "--locked", "--no-verify", "--allow-dirty"]);
    for name in published()? {
        package.args(["--package", &name]);
    }
    run(&mut package)
}

/// Returns the names of the crates that are published.
///
/// # Errors
/// If a manifest cannot be read, or lacks a key.
fn published() -> Result<Vec<String>, String> {
    let directory = root().join("crates");
    let entries = fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut names = Vec::new();
    for manifest in entries.flatten().map(|entry| entry.path().join("Cargo.toml")) {
        let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
        if let Some(name) = published_name(&text)? {
            names.push(name.to_owned());
        }
    }
    names.sort();
    if names.is_empty() { Err("no crate is published".into()) } else { Ok(names) }
}

/// Returns the name in a manifest; `None` if the manifest says that its crate is not published.
fn published_name(manifest: &str) -> Result<Option<&str>, String> {
    let package = manifest.split("\n[").next().unwrap_or_default();
    let value = |key: &str| package.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
    let name = value("name").ok_or("a manifest has no name")?.trim().trim_matches('"');
    if value("publish").is_some_and(|value| value.trim() == "false") {
        return Ok(None);
    }
    let has = |key: &str| value(key).or_else(|| value(&format!("{key}.workspace"))).is_some();
    match KEYS.iter().find(|key| !has(key)) {
        Some(key) => Err(format!("the manifest of {name} has no {key}")),
        None => Ok(Some(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "[package]\nname = \"a\"\ndescription = \"b\"\nlicense.workspace = true\nreadme = \"c\"\n\
                         keywords = []\ncategories = []\nrust-version.workspace = true\n";

    #[test]
    fn a_published_crate_has_what_people_look_for() {
        assert_eq!(published_name(WHOLE), Ok(Some("a")));
        let without = WHOLE.replace("readme", "unread");
        assert_eq!(published_name(&without), Err("the manifest of a has no readme".into()));
        let elsewhere = format!("{without}\n[dependencies]\nreadme = \"1\"\n");
        assert_eq!(published_name(&elsewhere), Err("the manifest of a has no readme".into()));
        assert_eq!(published_name("[package]\nname = \"a\"\npublish = false\n"), Ok(None));
    }
}
