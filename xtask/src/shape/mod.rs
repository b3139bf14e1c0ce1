//! The shape of the code, in numbers: lines by crate, circles of imports, headless comments, and the files that a
//! reader opens to follow an update or a subscriber.
mod circle;
mod comment;
mod import;
mod module;
mod token;

use circle::Arrows;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The folders in which crates are: each is a crate, or contains one folder for each crate.
const CRATES: [&str; 6] =
    ["crates", "conformance", "interop", "xtask", "crates/client/contract", "crates/client/examples"];
/// The document with the walks. A walk is a section that follows an update or a subscriber through the code, and names
/// the files on its way.
const WALKS: &str = "docs/ARCHITECTURE.md";
/// The first words of the heading of each walk.
const WALK: &str = "The walk of ";

/// Prints the numbers of every crate and of every walk. With `lists`, also prints each circle and each headless
/// comment.
///
/// # Errors
/// If a file cannot be read.
pub fn print(lists: bool) -> io::Result<()> {
    let crates = crates()?;
    println!("{:24} {:>8} {:>8} {:>9} {:>8} {:>10}", "crate", "lines", "tests", "comments", "headless", "circles");
    let (mut all, mut lists_of_all) = (Counts::default(), Vec::new());
    for folder in &crates {
        let (counts, list) = measure(folder)?;
        println!("{:24} {counts}", folder.display());
        all.add(&counts);
        lists_of_all.extend(list);
    }
    println!("{:24} {all}", "all");
    for (walk, files) in walks(&fs::read_to_string(WALKS)?) {
        println!("{walk}: {} files", files.len());
    }
    if lists {
        lists_of_all.iter().for_each(|line| println!("{line}"));
    }
    Ok(())
}

/// The counts of a crate.
#[derive(Debug, Default)]
struct Counts {
    lines: usize,
    test_lines: usize,
    comments: usize,
    headless: usize,
    /// The sizes of the circles of files, largest first. `folder_circles` is the number of circles of folders.
    circles: Vec<usize>,
    folder_circles: usize,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.test_lines += other.test_lines;
        self.comments += other.comments;
        self.headless += other.headless;
        self.circles.extend(&other.circles);
        self.circles.sort_unstable_by(|one, other| other.cmp(one));
        self.folder_circles += other.folder_circles;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = 100 * self.headless / self.comments.max(1);
        let Self { lines, test_lines, comments, headless, circles, folder_circles } = self;
        write!(
            f,
            "{lines:>8} {test_lines:>8} {comments:>9} {headless:>4} {share:>2}% files {circles:?}, folders {folder_circles}"
        )
    }
}

/// Returns the folders of all crates.
fn crates() -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in CRATES.map(Path::new) {
        let mut inner: Vec<_> = match folder.is_dir() {
            true => fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?,
            false => Vec::new(),
        };
        inner.push(folder.to_owned());
        found.extend(
            inner.into_iter().filter(|folder| folder.join("Cargo.toml").exists() && folder.join("src").is_dir()),
        );
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn measure(folder: &Path) -> io::Result<(Counts, Vec<String>)> {
    let (mut counts, mut list) = (Counts::default(), Vec::new());
    let source = folder.join("src");
    for file in rust_files(folder)? {
        let text = fs::read_to_string(&file)?;
        let lines = text.lines().count();
        // The tests of a file are at its end, from the first line `#[cfg(test)]` on.
        let own = text.lines().position(|line| line == "#[cfg(test)]").unwrap_or(lines);
        let own = if file.starts_with(&source) { own } else { 0 };
        counts.lines += own;
        counts.test_lines += lines - own;
        for comment in comment::comments(&text) {
            counts.comments += 1;
            if comment.is_headless() {
                counts.headless += 1;
                list.push(format!("{}:{}: {}", file.display(), comment.line, comment.text));
            }
        }
    }
    let mut arrows = Arrows::new();
    for root in ["lib.rs", "main.rs"].map(|name| source.join(name)).into_iter().filter(|root| root.exists()) {
        arrows.extend(import::arrows(&module::read(&root)?));
    }
    let circles = circle::circles(&arrows);
    list.extend(circles.iter().flat_map(|circle| told("files", circle, &arrows)));
    counts.circles = circles.iter().map(Vec::len).collect();
    let between = between_folders(&arrows);
    let folders = circle::circles(&between);
    list.extend(folders.iter().flat_map(|circle| told("folders", circle, &between)));
    counts.folder_circles = folders.len();
    Ok((counts, list))
}

/// Describes a circle: its arrows and the reason for each.
fn told(of: &str, circle: &[String], arrows: &Arrows) -> Vec<String> {
    let mut lines = vec![format!("circle of {} {of}", circle.len())];
    for from in circle {
        for (to, why) in arrows[from].iter().filter(|(to, _)| circle.contains(to)) {
            lines.push(format!(
                "    {from} -> {to}: {}",
                why.iter().map(|name| &name[..]).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    lines
}

/// Returns the arrows between the folders of files. An arrow between a folder and one inside it does not count, because
/// a folder consists of what it contains.
fn between_folders(arrows: &Arrows) -> Arrows {
    let mut between = Arrows::new();
    let folder = |file: &str| Path::new(file).parent().map_or_else(PathBuf::new, Path::to_owned);
    for (file, other) in arrows.iter().flat_map(|(from, to)| to.keys().map(move |to| (from, to))) {
        let (from, to) = (folder(file), folder(other));
        if !from.starts_with(&to) && !to.starts_with(&from) {
            let why =
                between.entry(from.display().to_string()).or_default().entry(to.display().to_string()).or_default();
            why.insert(format!("{file} -> {other}"));
        }
    }
    between
}

/// Returns the Rust files of a crate, without those of crates inside it.
fn rust_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") && !path.join("Cargo.toml").exists() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Returns the walks of a document: the heading of each, and the files that its section names.
fn walks(document: &str) -> Vec<(&str, BTreeSet<&str>)> {
    let mut walks: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    let mut is_walk = false;
    for line in document.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            is_walk = heading.starts_with(WALK);
            if is_walk {
                walks.push((heading, BTreeSet::new()));
            }
        } else if is_walk && let Some((_, files)) = walks.last_mut() {
            files.extend(line.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs")));
        }
    }
    walks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_is_the_files_that_its_section_names() {
        let document =
            "## The walk of an update\n\nFirst `a/b.rs` and `c.rs`,\nthen `a/b.rs` of `d`.\n## Other\n`e.rs`\n";
        assert_eq!(walks(document), [("The walk of an update", BTreeSet::from(["a/b.rs", "c.rs"]))]);
    }

    #[test]
    fn folders_in_each_other_make_no_circle() {
        let mut arrows = Arrows::new();
        for (from, to) in [("a/x.rs", "a/b/y.rs"), ("a/b/y.rs", "a/z.rs"), ("a/z.rs", "c/w.rs"), ("c/w.rs", "a/x.rs")] {
            arrows.entry(from.to_owned()).or_default().entry(to.to_owned()).or_default();
        }
        let between = between_folders(&arrows);
        assert_eq!(circle::circles(&between), [vec!["a", "c"]]);
    }
}
