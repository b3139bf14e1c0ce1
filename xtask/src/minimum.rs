//! The oldest Rust that everything compiles with, as `rust-version` in `Cargo.toml` states it.
//!
//! Clippy warns about what is in the standard library only since a later one (`incompatible_msrv`). It does not see newer
//! syntax, nor what dependencies need: only a compiler of that version does.
use crate::program::{cargo, command, root, run, target, warn};
use std::fs;

/// Checks the workspace with that version, which is installed if it is missing; not again if it is what runs this. If it
/// cannot be installed the check is left out, with a warning.
///
/// # Errors
/// If something does not compile, or no version is stated.
pub(crate) fn check() -> Result<(), String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).map_err(|error| format!("Cargo.toml: {error}"))?;
    let minimum = stated(&manifest).ok_or("Cargo.toml states no rust-version")?;
    let version = cargo(&["--version"]).output().map_err(|error| format!("cargo: {error}"))?;
    if is_of(&String::from_utf8_lossy(&version.stdout), minimum) {
        println!("Rust {minimum} is the minimum, and what compiles everything here");
        return Ok(());
    }
    let install = ["toolchain", "install", minimum, "--profile", "minimal", "--no-self-update"];
    if let Err(why) = run(&mut command("rustup", &install)) {
        warn(format!("NO CHECK OF THE MINIMUM: Rust {minimum} could not be installed: {why}"));
        return Ok(());
    }
    let mut check = command("rustup", &["run", minimum, "cargo", "check", "--workspace", "--locked", "--target-dir"]);
    // What runs this has told its own children which compiler they are of.
    run(check.arg(target().join("minimum")).env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN"))
}

/// The version in the line `rust-version = "…"`.
fn stated(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
}

/// Returns true if `cargo --version` printed this version, which may lack its last number.
fn is_of(printed: &str, version: &str) -> bool {
    let rest = printed.split_whitespace().nth(1).and_then(|number| number.strip_prefix(version));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_version_is_found_and_compared() {
        assert_eq!(stated("edition = \"2024\"\nrust-version = \"1.95\"\n"), Some("1.95"));
        assert_eq!(stated("edition = \"2024\"\n"), None);
        assert!(is_of("cargo 1.95.0 (f2d3ce0bd 2026-03-21)\n", "1.95"));
        assert!(is_of("cargo 1.95.0 (f2d3ce0bd 2026-03-21)\n", "1.95.0"));
        assert!(!is_of("cargo 1.95.0 (f2d3ce0bd 2026-03-21)\n", "1.9"));
        assert!(!is_of("", "1.95"));
    }
}
