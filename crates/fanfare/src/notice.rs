//! Notices of a command: lines on standard error, separate from the output of the command.
use crate::stderr;
use fanfare_mask::masked;
use std::{collections::HashSet, fmt};

const DIM: anstyle::Style = anstyle::Style::new().dimmed();

/// Prints a notice: one line for people, in which secrets are masked.
pub(crate) fn notice(text: impl fmt::Display) {
    stderr::print(format_args!("{DIM}fanfare: {}{DIM:#}\n", masked(&text.to_string())));
}

/// Prints each of several notices once, in the order of `texts`.
pub(crate) fn notice_each_once(texts: impl IntoIterator<Item = String>) {
    let mut told = HashSet::new();
    texts.into_iter().filter(|text| told.insert(text.clone())).for_each(notice);
}
