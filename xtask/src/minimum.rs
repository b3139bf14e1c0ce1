//! Checks that everything compiles with the oldest supported Rust, which is `rust-version` in `Cargo.toml`.
//!
//! Clippy warns about items that only a later standard library has (`incompatible_msrv`). It does not notice newer
//! syntax, or dependencies that need a newer Rust: only a compiler of the oldest version does.
use crate::program::{cargo, command, root, run, target, warn};
use std::fs;

/// Checks the workspace with the oldest Rust, which is installed if it is missing. If this program runs with that
/// version, nothing is done, because the other steps compile everything with it. If the version cannot be installed,
/// the check is left out, with a warning.
///
/// # Errors
/// If something does not compile, or `Cargo.toml` does not name a version.
pub(crate) fn check() -> Result<(), String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).map_err(|error| format!("Cargo.toml: {error}"))?;
    let minimum = stated(&manifest).ok_or("Cargo.toml states no rust-version")?;
    let version = cargo(&["--version"]).output().map_err(|error| format!("cargo: {error}"))?;
    if is_of(&String::from_utf8_lossy(&version.stdout), minimum) {
        println!(
            "skipped: the other steps already compile everything with Rust {minimum}, the oldest supported version"
        );
        return Ok(());
    }
    let install = ["toolchain", "install", minimum, "--profile", "minimal", "--no-self-update"];
    if let Err(why) = run(&mut command("rustup", &install)) {
        warn(format!("NO CHECK OF THE MINIMUM: Rust {minimum} could not be installed: {why}"));
        return Ok(());
    }
    let mut check = command("rustup", &["run", minimum, "cargo", "check", "--workspace", "--locked", "--target-dir"]);
    // The cargo that runs this program has set these variables. With them, `rustup run` would start that cargo's
    // version.
    run(check.arg(target().join("minimum")).env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN"))
}

/// Returns the version in the line `rust-version = "…"` of a manifest.
fn stated(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
}

/// Returns true if `printed`, the output of `cargo --version`, names `version`, which may lack its last number.
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
