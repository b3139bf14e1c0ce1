//! Keeps the documentation true. The [`links`] between its pages lead somewhere; and what `docs/ARCHITECTURE.md` names
//! exists, and what exists it names.
//!
//! A name is what stands between backticks and looks like a file or directory: it ends in `/` or in a known extension.
//! In the code map, which is the sections whose headings name a crate as `crates/…`, names may be relative to that
//! crate's `src`; elsewhere they are the end of some path. Each module at the top of a crate's `src` must be named in
//! that crate's section.
use crate::{
    links,
    program::{command, root},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const EXTENSIONS: [&str; 9] = [".rs", ".md", ".toml", ".js", ".mjs", ".ts", ".html", ".css", ".yml"];

/// Compares the documents with the files of the repository.
///
/// # Errors
/// The number of faults, which are printed one by one.
pub(crate) fn check() -> Result<(), String> {
    let mut list = command("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    let output = list.output().map_err(|error| format!("git: {error}"))?;
    let files = String::from_utf8(output.stdout).map_err(|error| format!("a file name is not UTF-8: {error}"))?;
    // What git still lists may have been removed.
    let files: Vec<&str> = files.lines().filter(|file| root().join(file).exists()).collect();
    let mut pages = BTreeMap::new();
    for &page in files.iter().filter(|file| file.ends_with(".md")) {
        pages.insert(page, fs::read_to_string(root().join(page)).map_err(|error| format!("{page}: {error}"))?);
    }
    let architecture = pages.get(ARCHITECTURE).ok_or_else(|| format!("there is no {ARCHITECTURE}"))?;
    let named = faults(architecture, &files).into_iter().map(|fault| format!("{ARCHITECTURE}, {fault}"));
    let faults: Vec<String> = named.chain(links::faults(&pages, &files)).collect();
    faults.iter().for_each(|fault| println!("{fault}"));
    if faults.is_empty() { Ok(()) } else { Err(format!("the documentation has {} faults", faults.len())) }
}

fn faults(document: &str, files: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut named: BTreeSet<(String, &str)> = BTreeSet::new();
    let mut section = None;
    for (number, line) in document.lines().enumerate() {
        if line.starts_with('#') {
            section = crate_of(line);
        }
        for name in names(line) {
            let inside = section.as_ref().map(|directory| format!("{directory}/src/{name}"));
            match inside.filter(|path| exists(path, files)) {
                Some(_) => drop(named.insert((section.clone().unwrap_or_default(), module_of(name)))),
                None if is_end_of_some_path(name, files) => {}
                None => faults.push(format!("line {}: there is no `{name}`", number + 1)),
            }
        }
    }
    for (directory, module) in modules(files) {
        if !named.contains(&(directory.clone(), module)) {
            faults.push(format!("the section of {directory} does not name its module {module}"));
        }
    }
    faults
}

/// The `crates/…` that a heading names.
fn crate_of(heading: &str) -> Option<String> {
    let (_, rest) = heading.split_once("crates/")?;
    let name = rest.split(|character: char| !character.is_ascii_alphanumeric() && character != '-').next()?;
    Some(format!("crates/{name}"))
}

/// Returns what stands between backticks on a line and looks like a file or a directory.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        let plain =
            !name.contains(|character: char| " *{}<>…\"()".contains(character)) && !name.starts_with(['/', '.']);
        let file = EXTENSIONS.iter().any(|extension| name.ends_with(extension) && name.len() > extension.len());
        plain && !name.contains("://") && (file || name.ends_with('/'))
    })
}

fn exists(path: &str, files: &[&str]) -> bool {
    files.iter().any(|file| *file == path || path.ends_with('/') && file.starts_with(path))
}

fn is_end_of_some_path(name: &str, files: &[&str]) -> bool {
    let after_slash = format!("/{name}");
    files.iter().any(|file| {
        let file = format!("/{file}");
        if name.ends_with('/') { file.contains(&after_slash) } else { file.ends_with(&after_slash) }
    })
}

/// The module at the top of `src` that a name within it belongs to: its first part, without the extension.
fn module_of(name: &str) -> &str {
    name.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// Every crate's modules at the top of its `src`.
fn modules<'f>(files: &[&'f str]) -> BTreeSet<(String, &'f str)> {
    let parts = files.iter().filter(|file| file.ends_with(".rs")).map(|file| file.split('/').collect::<Vec<_>>());
    parts
        .filter_map(|parts| match parts[..] {
            ["crates", name, "src", module, ..] => Some((format!("crates/{name}"), module.trim_end_matches(".rs"))),
            _ => None,
        })
        .filter(|(_, module)| !matches!(*module, "lib" | "main"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 6] = [
        "Cargo.toml",
        "crates/hub/src/lib.rs",
        "crates/hub/src/log/mod.rs",
        "crates/hub/src/log/memory.rs",
        "crates/hub/src/update.rs",
        "crates/server/src/lib.rs",
    ];

    #[test]
    fn a_document_that_is_true_has_no_fault() {
        let document = "Start at `crates/server/src/lib.rs`, `Cargo.toml`, `GET /a/`, `https://x/`, `hub.publish(…)`.\n\
                        ## The hub (`crates/hub`)\n`log/` with `log/memory.rs`, then `update.rs`.\n";
        assert_eq!(faults(document, &FILES), Vec::<String>::new());
    }

    #[test]
    fn what_is_named_must_exist() {
        let document = "`gone.rs`\n## `crates/hub`\n`log/disk.rs`, `log/`, `update.rs`, `nowhere/`\n";
        let wanted =
            ["line 1: there is no `gone.rs`", "line 3: there is no `log/disk.rs`", "line 3: there is no `nowhere/`"];
        assert_eq!(faults(document, &FILES), wanted);
    }

    #[test]
    fn what_exists_must_be_named_in_its_own_section() {
        let document = "## `crates/hub`\n`log/memory.rs`\n## `crates/server`\n`update.rs`\n";
        assert_eq!(faults(document, &FILES), ["the section of crates/hub does not name its module update"]);
    }
}
