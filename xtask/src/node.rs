//! A Node.js that is new enough for the tests. Debian's version may be too old; then Debian's npm installs a newer
//! Node.js.
use crate::program::{command, run, target};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// The oldest major version on which all tests run.
const OLDEST_MAJOR: u32 = 20;
/// The major version that is installed if the system's is too old.
const INSTALLED_MAJOR: u32 = 22;

/// Returns the command `npm` in `directory`, which runs on a Node.js that is new enough.
///
/// # Errors
/// A message about what went wrong while Node.js was installed.
pub(crate) fn npm(directory: &Path, arguments: &[&str]) -> Result<Command, String> {
    let mut npm = command("npm", arguments);
    npm.current_dir(directory).env("PATH", path()?);
    Ok(npm)
}

/// Returns a `PATH` on which `node` is new enough.
///
/// # Errors
/// A message about what went wrong while Node.js was installed.
pub(crate) fn path() -> Result<OsString, String> {
    let system = env::var_os("PATH").unwrap_or_default();
    if major(Path::new("node")) >= Some(OLDEST_MAJOR) {
        return Ok(system);
    }
    let path = env::join_paths([installed()?].into_iter().chain(env::split_paths(&system)));
    path.map_err(|error| error.to_string())
}

/// Returns the directory of a `node` that is installed in the target directory.
fn installed() -> Result<PathBuf, String> {
    let platform = match env::consts::ARCH {
        "x86_64" => "linux-x64",
        "aarch64" => "linux-arm64",
        other => {
            return Err(format!(
                "install Node.js {OLDEST_MAJOR} or newer by hand: there is no package of Node.js for {other}"
            ));
        }
    };
    let (prefix, package) = (target().join("node"), format!("node-{platform}"));
    let binaries = prefix.join("node_modules").join(&package).join("bin");
    if major(&binaries.join("node")) < Some(INSTALLED_MAJOR) {
        println!(
            "the system's Node.js is older than {OLDEST_MAJOR}; installing Node.js {INSTALLED_MAJOR} into {}",
            prefix.display()
        );
        let version = format!("{package}@{INSTALLED_MAJOR}");
        run(command("npm", &["install", "--no-save", "--no-audit", "--no-fund", &version, "--prefix"]).arg(&prefix))?;
    }
    Ok(binaries)
}

/// Returns the major version that this `node` reports; `None` if there is no such program.
fn major(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    parse_major(str::from_utf8(&output.stdout).ok()?)
}

fn parse_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers_and_none_is_older_than_any() {
        assert_eq!(parse_major("v20.11.1\n"), Some(20));
        assert_eq!(parse_major("20"), None);
        assert!(parse_major("v9.0.0") < Some(OLDEST_MAJOR));
        assert!(parse_major("") < Some(OLDEST_MAJOR));
    }
}
