//! The modules of a crate, and their files.
use super::token::{self, Token};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// A module of a crate.
#[derive(Debug)]
pub struct Module {
    /// The file of the module.
    pub file: PathBuf,
    /// The tokens of the module, without those of its inner modules.
    pub tokens: Vec<Token>,
    /// The names that the module defines.
    pub defined: BTreeSet<String>,
}

/// The modules of a crate by their paths. The path of the crate itself is empty.
pub type Modules = BTreeMap<Vec<String>, Module>;

/// The words that are followed by the name of a new item.
const DEFINING: [&str; 9] = ["fn", "struct", "enum", "trait", "type", "const", "static", "union", "macro_rules"];

/// Reads the crate that begins with the file `root`.
///
/// # Errors
/// If a file cannot be read.
pub fn read(root: &Path) -> io::Result<Modules> {
    let mut modules = Modules::new();
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    read_file(&mut modules, Vec::new(), root, &folder)?;
    Ok(modules)
}

/// Reads a file and the modules under it, whose files are in `folder`.
fn read_file(modules: &mut Modules, path: Vec<String>, file: &Path, folder: &Path) -> io::Result<()> {
    let tokens = token::without_tests(&fs::read_to_string(file)?);
    read_tokens(modules, path, file, folder, &tokens)
}

fn read_tokens(
    modules: &mut Modules,
    path: Vec<String>,
    file: &Path,
    folder: &Path,
    tokens: &[Token],
) -> io::Result<()> {
    let (mut own, mut at) = (Vec::with_capacity(tokens.len()), 0);
    while at < tokens.len() {
        let named = (tokens[at].word() == Some("mod")).then(|| tokens.get(at + 1)?.word()).flatten();
        let Some((name, what)) = named.zip(tokens.get(at + 2)) else {
            own.push(tokens[at].clone());
            at += 1;
            continue;
        };
        let path = [&path[..], &[name.to_owned()]].concat();
        let inner = folder.join(name);
        if what.is(';') {
            at += 3;
            let files = [folder.join(format!("{name}.rs")), inner.join("mod.rs")];
            // If neither file exists, the module has a `path` attribute; its file is not counted.
            if let Some(file) = files.iter().find(|file| file.exists()) {
                read_file(modules, path, file, &inner)?;
            }
        } else {
            let end = token::end_of_group(tokens, at + 2);
            read_tokens(modules, path, file, &inner, &tokens[at + 3..end - 1])?;
            at = end;
        }
    }
    modules.insert(path, Module::new(file, own));
    Ok(())
}

impl Module {
    pub fn new(file: &Path, tokens: Vec<Token>) -> Self {
        let defined = tokens.windows(3).filter_map(definition).map(str::to_owned).collect();
        Self { file: file.to_owned(), tokens, defined }
    }
}

fn definition(tokens: &[Token]) -> Option<&str> {
    let word = tokens[0].word().filter(|word| DEFINING.contains(word))?;
    let name = tokens.get(if word == "macro_rules" { 2 } else { 1 })?.word()?;
    // `const fn` defines a function, which is found at the word `fn`.
    (name != "fn").then_some(name)
}
