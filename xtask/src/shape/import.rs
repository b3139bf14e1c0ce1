//! The arrows between the files of a crate: an arrow leads from a file to each file from which it uses a name.
//!
//! If a module only re-exports a name, the arrow leads to the file that defines the name. Only names in the source text
//! are found, not names that macros make.
use super::{
    circle::Arrows,
    module::{Module, Modules},
    token::Token,
};
use std::collections::BTreeMap;

/// The names that a module imports, and their paths from the crate's root.
#[derive(Debug, Default)]
struct Uses {
    named: BTreeMap<String, Vec<String>>,
    /// The modules from which this module imports all names.
    globs: Vec<Vec<String>>,
}

/// The greatest number of re-exports that are followed to find the definition of a name, because re-exports may form a
/// circle.
const MAX_STEPS: usize = 16;

/// Returns the arrows between files. A line `mod name;` does not make an arrow.
pub fn arrows(modules: &Modules) -> Arrows {
    let uses: BTreeMap<&[String], Uses> =
        modules.iter().map(|(path, module)| (&path[..], Uses::of(modules, path, module))).collect();
    let mut arrows = Arrows::new();
    for (path, module) in modules {
        let own = &uses[&path[..]];
        let qualified = paths(&module.tokens).into_iter().filter_map(|names| from_crate(modules, path, own, &names));
        for taken in own.named.values().chain(&own.globs).cloned().chain(qualified) {
            let Some(from) = defining(modules, &uses, &taken, 0) else { continue };
            if from.file != module.file {
                let name = |module: &Module| module.file.display().to_string();
                let names = arrows.entry(name(module)).or_default().entry(name(from)).or_default();
                names.extend(taken.last().cloned());
            }
        }
    }
    arrows
}

/// Returns the module that defines the item at this path.
fn defining<'a>(
    modules: &'a Modules,
    uses: &BTreeMap<&[String], Uses>,
    path: &[String],
    steps: usize,
) -> Option<&'a Module> {
    let depth = (0..=path.len()).rev().find(|depth| modules.contains_key(&path[..*depth]))?;
    let module = &modules[&path[..depth]];
    let Some(name) = path.get(depth) else { return Some(module) };
    if module.defined.contains(name) || steps == MAX_STEPS {
        return Some(module);
    }
    let passed_on = &uses[&path[..depth]];
    if let Some(original) = passed_on.named.get(name) {
        return defining(modules, uses, original, steps + 1);
    }
    let in_glob = |glob: &Vec<String>| {
        let path = [&glob[..], std::slice::from_ref(name)].concat();
        defining(modules, uses, &path, steps + 1).filter(|module| module.defined.contains(name))
    };
    Some(passed_on.globs.iter().find_map(in_glob).unwrap_or(module))
}

impl Uses {
    fn of(modules: &Modules, path: &[String], module: &Module) -> Self {
        let mut uses = Self::default();
        for at in 0..module.tokens.len() {
            if module.tokens[at].word() == Some("use") {
                uses.read(modules, path, &module.tokens[at + 1..], &mut Vec::new());
            }
        }
        uses
    }

    /// Reads one tree of a `use`, such as `a::{b, c}`, and returns the number of its tokens.
    fn read(&mut self, modules: &Modules, path: &[String], tokens: &[Token], prefix: &mut Vec<String>) -> usize {
        let (length, mut at) = (prefix.len(), 0);
        let mut alias = None;
        let mut is_leaf = true;
        while let Some(token) = tokens.get(at) {
            match token {
                Token::Word(word) if word == "as" => {
                    alias = tokens.get(at + 1).and_then(Token::word);
                    at += 2;
                }
                Token::Word(word) => {
                    prefix.push(word.clone());
                    at += 1;
                }
                Token::Mark(':') => at += 1,
                Token::Mark('*') => {
                    self.globs.extend(from_module(modules, path, prefix));
                    is_leaf = false;
                    at += 1;
                }
                Token::Mark('{') => {
                    is_leaf = false;
                    at += 1;
                    while tokens.get(at).is_some_and(|token| !token.is('}')) {
                        at += self.read(modules, path, &tokens[at..], prefix);
                        at += usize::from(tokens.get(at).is_some_and(|token| token.is(',')));
                    }
                    at += 1;
                }
                _ => break,
            }
        }
        if is_leaf && prefix.len() > length {
            let is_self = prefix.last().is_some_and(|last| last == "self");
            let taken = &prefix[..prefix.len() - usize::from(is_self && prefix.len() > 1)];
            if let (Some(name), Some(from)) =
                (alias.or(taken.last().map(|name| &name[..])), from_module(modules, path, taken))
            {
                self.named.insert(name.to_owned(), from);
            }
        }
        prefix.truncate(length);
        at
    }
}

/// Returns the path from the crate's root of an item that the module at `at` names by a path of at least two names.
fn from_crate(modules: &Modules, at: &[String], uses: &Uses, path: &[String]) -> Option<Vec<String>> {
    if let Some(first) = uses.named.get(&path[0]) {
        return Some([&first[..], &path[1..]].concat());
    }
    from_module(modules, at, path)
}

/// Returns the path from the crate's root, for a path that begins with `crate`, `self`, `super` or an inner module.
fn from_module(modules: &Modules, at: &[String], path: &[String]) -> Option<Vec<String>> {
    let up = path.iter().take_while(|name| *name == "super").count();
    match &path.first()?[..] {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([at, &path[1..]].concat()),
        "super" => Some([at.get(..at.len().checked_sub(up)?)?, &path[up..]].concat()),
        first => {
            let child = [at, &[first.to_owned()]].concat();
            modules.contains_key(&child).then(|| [at, path].concat())
        }
    }
}

/// Returns all paths of at least two names, except those in a `use`.
fn paths(tokens: &[Token]) -> Vec<Vec<String>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at].word() == Some("use") {
            at += tokens[at..].iter().take_while(|token| !token.is(';')).count();
            continue;
        }
        let begin = at;
        let mut path: Vec<String> = tokens[at].word().map(str::to_owned).into_iter().collect();
        at += 1;
        while let [Token::Mark(':'), Token::Mark(':'), Token::Word(word), ..] = &tokens[at..] {
            if path.is_empty() {
                break;
            }
            path.push(word.clone());
            at += 3;
        }
        let is_visibility = |at: usize| tokens.get(at).and_then(Token::word) == Some("in");
        if path.len() > 1 && !begin.checked_sub(1).is_some_and(is_visibility) {
            found.push(path);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::token;
    use std::path::Path;

    /// Returns the arrows of a crate with these modules, each in a file with its name.
    fn arrows_of(modules: &[(&str, &str)]) -> Vec<String> {
        let module = |(path, source): &(&str, &str)| {
            let names = path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            (names, Module::new(Path::new(path), token::without_tests(source)))
        };
        let arrows = arrows(&modules.iter().map(module).collect());
        let told = arrows.iter().flat_map(|(from, to)| {
            let arrow = move |(to, names): (&String, _)| format!("{from} -> {to}: {names:?}").replace('"', "");
            to.iter().map(arrow)
        });
        told.collect()
    }

    #[test]
    fn a_name_comes_from_where_it_is_defined() {
        let modules = [
            ("", "pub use a::inner::*; pub use b::B as C;"),
            ("a", "pub use inner::Inner; pub struct A;"),
            ("a::inner", "pub struct Inner; use super::A; use std::a::X;"),
            ("b", "use crate::{Inner, a::{self, A as Other}}; pub struct B; fn f() { a::A::new(); Other::new(); }"),
            ("c", "use super::C; use crate::a::Inner as I; pub(in crate::b) fn f() -> I { crate::b::B }"),
        ];
        assert_eq!(
            arrows_of(&modules),
            [
                " -> a::inner: {inner}",
                " -> b: {B}",
                "a -> a::inner: {Inner}",
                "a::inner -> a: {A}",
                "b -> a: {A, a, new}",
                "b -> a::inner: {Inner}",
                "c -> a::inner: {Inner}",
                "c -> b: {B, C}",
            ]
        );
    }
}
