//! The limits of the project, as a document: `docs/limits.md` is printed from the constants in the source.
//!
//! [`listed`] lists the constants that are limits, [`constant`] finds one in its file, and [`value`] formats its value
//! for people. A limit's meaning is the first sentence of its doc comment.
mod constant;
mod listed;
mod value;

use crate::program::root;
use constant::Constant;
use listed::{SECTIONS, Section};
use std::{collections::BTreeMap, fs};

const DOCUMENT: &str = "docs/limits.md";
const HEAD: &str = "\
# Limits

`cargo xtask limits` prints this page from the source: each row is a constant, its value, and the first sentence of its
doc comment. The list of these constants is in `xtask/src/limits/listed.rs`.

A limit that the operator of a hub may change is an option: [options.md](options.md) has its bounds.
";

/// Writes the document to its file.
///
/// # Errors
/// A message about what failed.
pub(crate) fn print() -> Result<(), String> {
    fs::write(root().join(DOCUMENT), document()?).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    println!("{DOCUMENT}");
    Ok(())
}

/// Returns a message if the existing document differs from the source, or if the document cannot be made.
pub(crate) fn fault() -> Option<String> {
    let wanted = match document() {
        Ok(wanted) => wanted,
        Err(error) => return Some(error),
    };
    let is_there = fs::read_to_string(root().join(DOCUMENT)).is_ok_and(|found| found == wanted);
    (!is_there).then(|| format!("{DOCUMENT} differs from the source: print it again with `cargo xtask limits`"))
}

fn document() -> Result<String, String> {
    let mut constants: BTreeMap<(&str, &str), Constant> = BTreeMap::new();
    for (file, names) in SECTIONS.iter().flat_map(|section| section.constants) {
        let source = fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
        for name in *names {
            let constant = constant::find(&source, name).map_err(|fault| format!("{file}: {name} {fault}"))?;
            constants.insert((file, name), constant);
        }
    }
    let sections = SECTIONS.iter().map(|section| rows(section, &constants));
    Ok(std::iter::once(HEAD.to_owned()).chain(sections).collect())
}

fn rows(section: &Section, constants: &BTreeMap<(&str, &str), Constant>) -> String {
    let mut text = format!("\n## {}\n\n| limit | value | constant |\n|---|---|---|\n", section.title);
    for (file, names) in section.constants {
        for name in *names {
            let Constant { meaning, kind, expression } = &constants[&(*file, *name)];
            // A constant may be computed from other constants. They are looked up in its own file first, and then in
            // other files.
            let other = |wanted: &str| {
                let found = constants.iter().filter(|((_, name), _)| *name == wanted);
                let (own, others): (Vec<_>, Vec<_>) = found.partition(|((other, _), _)| other == file);
                own.first().or(others.first()).map(|(_, constant)| constant.expression.as_str())
            };
            let value = value::shown(name, kind, expression, &other);
            let file = file.trim_start_matches("crates/");
            text.push_str(&format!("| {meaning} | {value} | `{file}` `{name}` |\n"));
        }
    }
    text
}
