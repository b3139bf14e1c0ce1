//! Checks the links between the Markdown pages of the repository: the file of each link must exist, and the heading
//! too.
//!
//! A link is `[text](target)`, or `[name]: target` at the beginning of a line. Code is ignored, and so are links to the
//! web, because a test that needs the network fails when somebody else's server does.
use std::collections::BTreeMap;

/// A line of a page that is not code, with its number, counted from 1.
type Line<'t> = (usize, &'t str);

/// Returns a message for each link in `pages` that leads nowhere. `pages` holds the text of each page by its path, and
/// `files` the paths of all files in the repository.
pub(crate) fn faults(pages: &BTreeMap<&str, String>, files: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for (page, text) in pages {
        for (number, line) in prose(text) {
            for target in targets(line) {
                if let Some(fault) = fault(page, &target, pages, files) {
                    faults.push(format!("{page}, line {number}: {fault}"));
                }
            }
        }
    }
    faults
}

fn fault(page: &str, target: &str, pages: &BTreeMap<&str, String>, files: &[&str]) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let path = if path.is_empty() { page.to_owned() } else { resolved(page, path) };
    let is_directory =
        || files.iter().any(|file| file.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/')));
    if !path.is_empty() && !files.contains(&path.as_str()) && !is_directory() {
        return Some(format!("there is no file for the link {target}"));
    }
    let heading = heading?;
    let is_there = pages.get(path.as_str()).is_some_and(|text| anchors(text).iter().any(|anchor| anchor == heading));
    (!is_there).then(|| format!("there is no heading for the link {target}"))
}

/// Returns the path, from the root of the repository, to which `link` on `page` leads.
fn resolved(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = if link.starts_with('/') { Vec::new() } else { page.split('/').collect() };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Returns the lines of a page without its blocks of code.
fn prose(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut in_code = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// Returns the targets of the links on a line.
fn targets(line: &str) -> Vec<String> {
    // The text between backticks is code.
    let line: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let defined = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
    let linked = line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    // In a link, the target may be followed by a title, which is left out.
    defined.into_iter().chain(linked).filter_map(|target| target.split_whitespace().next()).map(str::to_owned).collect()
}

/// Returns the anchors of a page's headings, as GitHub makes them: in lower case, with hyphens for spaces, without
/// punctuation, and with a number if an earlier heading has the same anchor.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let headings = prose(text)
        .filter_map(|(_, line)| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    for heading in headings {
        let is_kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | ' ');
        let anchor: String =
            heading.trim().to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-");
        let copies = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(copies).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 4] = ["README.md", "docs/http.md", "docs/page.png", "examples/a/main.rs"];

    fn check(readme: &str, http: &str) -> Vec<String> {
        let pages = [("README.md", readme.to_owned()), ("docs/http.md", http.to_owned())];
        faults(&pages.into_iter().collect(), &FILES)
    }

    #[test]
    fn links_that_lead_somewhere_are_no_fault() {
        let readme = "# It\n[a](docs/http.md), [b](docs/http.md#what-is-it-c-1) and ![p](docs/page.png \"title\")\n\
                      [c](examples/a/), [d](#it), [e](https://h/x#y), `[f](gone)`\n```\n[g](gone)\n```\n[h]: examples\n";
        let http = "# What is it, `c`?\n## What is it: c\n[up](../README.md#it), [here](./page.png)\n";
        assert_eq!(check(readme, http), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let readme = "[a](http.md) [b](docs/http.md#gone)\n[c]: docs/gone.png\n";
        let wanted = [
            "README.md, line 1: there is no file for the link http.md",
            "README.md, line 1: there is no heading for the link docs/http.md#gone",
            "README.md, line 2: there is no file for the link docs/gone.png",
            "docs/http.md, line 3: there is no file for the link README.md",
            "docs/http.md, line 3: there is no heading for the link #code",
        ];
        assert_eq!(check(readme, "# Title\n\n[x](README.md) [y](#code)\n```\n# Code\n```\n"), wanted);
    }
}
