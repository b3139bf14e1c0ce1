//! Warnings of commands, on standard error.
use fanfare_mask::masked;

/// Prints a warning, without secrets.
pub(crate) fn print(text: &str) {
    let style = anstyle::AnsiColor::Yellow.on_default().bold();
    anstream::eprintln!("{style}warning:{style:#} {}", masked(text));
}
