//! Checks the documentation: the [`links`] between its pages must lead somewhere, the files that it names must exist,
//! each module must begin with a comment, and the document of the [`limits`] must match the source.
//!
//! A name is a text between backticks that looks like a file or a directory: it ends in `/` or in a known extension. It
//! must be the end of a path in the repository. In the pages for people who change the code, all names are checked. In
//! the other pages only the names of Rust files are checked, because these pages also name files on other machines.
use crate::{
    limits, links,
    program::{command, root},
};
use std::{collections::BTreeMap, fs};

/// The beginnings of the paths of the pages for people who change the code.
const ABOUT_CODE: [&str; 4] = ["docs/ARCHITECTURE.md", "docs/design/", "docs/limits.md", "CONTRIBUTING.md"];
/// The folder of recorded benchmark runs. The names in them are not checked, because they are those of files that
/// existed at the time of the run.
const RUNS: &str = "crates/bench/runs/";
const EXTENSIONS: [&str; 9] = [".rs", ".md", ".toml", ".js", ".mjs", ".ts", ".html", ".css", ".yml"];

/// Compares the documents with the files of the repository.
///
/// # Errors
/// The number of faults; each fault is printed.
pub(crate) fn check() -> Result<(), String> {
    let mut list = command("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    let output = list.output().map_err(|error| format!("git: {error}"))?;
    let files = String::from_utf8(output.stdout).map_err(|error| format!("a file name is not UTF-8: {error}"))?;
    // Git also lists files that have been removed but not committed as removed.
    let files: Vec<&str> = files.lines().filter(|file| root().join(file).exists()).collect();
    let mut pages = BTreeMap::new();
    for &page in files.iter().filter(|file| file.ends_with(".md")) {
        pages.insert(page, fs::read_to_string(root().join(page)).map_err(|error| format!("{page}: {error}"))?);
    }
    let mut faults = links::faults(&pages, &files);
    for (page, text) in pages.iter().filter(|(page, _)| !page.starts_with(RUNS)) {
        let is_about_code = ABOUT_CODE.iter().any(|beginning| page.starts_with(beginning));
        let missing = missing(text, &files, |name| is_about_code || name.ends_with(".rs"));
        faults.extend(missing.into_iter().map(|fault| format!("{page}, {fault}")));
    }
    for module in files.iter().filter(|file| is_module(file)) {
        let text = fs::read_to_string(root().join(module)).map_err(|error| format!("{module}: {error}"))?;
        faults.extend(headless(&text).map(|fault| format!("{module} {fault}")));
    }
    faults.extend(limits::fault());
    faults.iter().for_each(|fault| println!("{fault}"));
    if faults.is_empty() { Ok(()) } else { Err(format!("the documentation has {} faults", faults.len())) }
}

/// Returns a message for each name in a document for which `is_checked` returns true and that no file or directory has.
fn missing(document: &str, files: &[&str], is_checked: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in document.lines().enumerate() {
        for name in names(line).filter(|name| is_checked(name)) {
            if !is_end_of_some_path(name, files) {
                faults.push(format!("line {}: there is no `{name}`", number + 1));
            }
        }
    }
    faults
}

/// Returns the texts between backticks on a line that look like a file or a directory.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        let plain =
            !name.contains(|character: char| " *{}<>…\"()".contains(character)) && !name.starts_with(['/', '.']);
        let file = EXTENSIONS.iter().any(|extension| name.ends_with(extension) && name.len() > extension.len());
        plain && !name.contains("://") && (file || name.ends_with('/'))
    })
}

fn is_end_of_some_path(name: &str, files: &[&str]) -> bool {
    let after_slash = format!("/{name}");
    files.iter().any(|file| {
        let file = format!("/{file}");
        if name.ends_with('/') { file.contains(&after_slash) } else { file.ends_with(&after_slash) }
    })
}

/// Returns true if a file is a module of a crate, and not a part of its tests.
fn is_module(file: &str) -> bool {
    file.ends_with(".rs") && format!("/{file}").contains("/src/")
}

/// Returns what is wrong with the comment at the beginning of a module; `None` if the comment is right.
fn headless(module: &str) -> Option<&'static str> {
    let comment = module.lines().map_while(|line| line.strip_prefix("//!"));
    let paragraph: String = comment.map(str::trim).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    if paragraph.is_empty() {
        Some("does not begin with a `//!` comment that says what it is")
    } else if !paragraph.contains(['.', ':']) {
        Some("begins with a `//!` comment that has no whole sentence")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 5] = [
        "Cargo.toml",
        "crates/hub/src/log/mod.rs",
        "crates/hub/src/log/memory.rs",
        "crates/hub/src/update.rs",
        "crates/server/src/lib.rs",
    ];

    #[test]
    fn a_document_that_is_true_has_no_fault() {
        let document = "Start at `crates/server/src/lib.rs`, `Cargo.toml`, `GET /a/`, `https://x/`, `hub.publish(…)`.\n\
                        `log/` with `log/memory.rs`, then `update.rs`.\n";
        assert_eq!(missing(document, &FILES, |_| true), Vec::<String>::new());
    }

    #[test]
    fn what_is_named_must_exist() {
        let document = "`gone.rs`\n`log/disk.rs`, `log/`, `pdate.rs`, `nowhere/`\n";
        let wanted = ["1: there is no `gone.rs`", "2: there is no `log/disk.rs`", "2: there is no `pdate.rs`"]
            .map(|fault| format!("line {fault}"));
        assert_eq!(missing(document, &FILES, |name| name.ends_with(".rs")), wanted);
        assert_eq!(missing(document, &FILES, |name| name.ends_with('/')), ["line 2: there is no `nowhere/`"]);
    }

    #[test]
    fn a_module_says_what_it_is() {
        assert_eq!(headless("//! The log: updates\n//! in order.\n//!\n//! More\nmod a;"), None);
        for module in ["mod a;", "// The log.\nmod a;", "\n//! The log.", "//!\n//! The log.", "//! The log\nmod a;"] {
            assert!(headless(module).is_some(), "{module:?}");
        }
        assert!(is_module("xtask/src/docs.rs") && is_module("crates/a/src/b/mod.rs"));
        assert!(!is_module("crates/a/tests/api/main.rs") && !is_module("crates/server/page/srcs/a.js"));
    }
}
