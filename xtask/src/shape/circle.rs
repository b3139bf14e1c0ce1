//! Circles of dependencies: sets of files or folders in which each one depends on every other one, directly or through
//! others. An arrow leads from a file or folder to another one from which it uses a name.
use std::collections::{BTreeMap, BTreeSet};

/// The arrows from each file or folder to other files or folders, and the reasons for each arrow.
pub type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Returns the circles of at least two files or folders, largest first.
pub fn circles(arrows: &Arrows) -> Vec<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = arrows.keys().map(|from| (&from[..], reach(arrows, from))).collect();
    let mut circles = BTreeSet::new();
    for (from, to) in &reached {
        let back = |other: &&&str| reached.get(**other).is_some_and(|reach| reach.contains(from));
        let circle: Vec<String> = to.iter().filter(back).map(|other| (*other).to_owned()).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let mut circles: Vec<_> = circles.into_iter().collect();
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

/// Returns the files or folders to which one arrow or more lead from `from`.
fn reach<'a>(arrows: &'a Arrows, from: &str) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(from) = next.pop() {
        for to in arrows.get(from).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(&to[..]) {
                next.push(to);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_what_leads_back() {
        let to = |to: &str| to.split(' ').map(|to| (to.to_owned(), BTreeSet::new())).collect();
        let arrow = |(from, others): (&str, &str)| (from.to_owned(), to(others));
        let arrows = [("a", "b x"), ("b", "c"), ("c", "a"), ("x", "y"), ("y", "x"), ("z", "a z")].map(arrow);
        assert_eq!(circles(&Arrows::from(arrows)), [vec!["a", "b", "c"], vec!["x", "y"]]);
    }
}
