//! Checks the licences, versions and sources of all dependencies by the rules in `deny.toml`.
use crate::program::{cargo, is_there, run, warn};

/// The checks that need only the registry of crates. `deny.toml` says why security advisories are not checked.
const CHECKS: [&str; 3] = ["licenses", "bans", "sources"];

/// Checks the dependencies with cargo-deny, which is installed if it is missing. If it cannot be installed, the check
/// is left out, with a warning.
///
/// # Errors
/// If a dependency is not allowed. cargo-deny prints which one, and why.
pub(crate) fn check() -> Result<(), String> {
    if !is_there("cargo-deny")
        && let Err(why) = install()
    {
        warn(format!("NO CHECK OF LICENCES: cargo-deny could not be installed: {why}"));
        return Ok(());
    }
    run(cargo(&["deny", "--locked", "check", "--hide-inclusion-graph"]).args(CHECKS))
}

/// Installs cargo-deny without optimisations: compiling it takes minutes, and the check itself only a second or two.
fn install() -> Result<(), String> {
    println!("missing: cargo-deny; installing it with cargo, which takes some minutes");
    let mut install = cargo(&["install", "--locked", "--quiet", "cargo-deny"]);
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0").env("CARGO_PROFILE_RELEASE_LTO", "off");
    install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    run(&mut install)?;
    if is_there("cargo-deny") {
        Ok(())
    } else {
        Err("cargo-deny is installed, but the directory where cargo installs programs is not on the path".into())
    }
}
