//! The tests of the hub and the client library with servers and clients of other projects: installs their packages and
//! runs the tests.
//!
//! Node.js packages are installed where `npm ci` puts them, Python packages in a virtual environment in the target
//! directory.
use crate::{
    node,
    program::{cargo, command, root, run as program, target},
    steps,
};

/// The feature without which these tests are not built, because they need packages that only this step installs.
pub(crate) const FEATURE: &str = "fanfare-interop/installed";
const TESTS: [&str; 5] = ["clients", "mercure", "proxies", "servers", "start_event"];

/// Installs the Node.js packages of the servers and clients.
///
/// # Errors
/// The package that could not be installed.
pub(crate) fn install_node_packages() -> Result<(), String> {
    println!("installing the packages of interop/package.json into interop/node_modules");
    program(&mut node::npm(&root().join("interop"), &["ci", "--no-audit", "--no-fund"])?)
}

/// Tests the release build of the program, which is built here if the step `release` was left out.
///
/// # Errors
/// The package that could not be installed, the program that could not be built, or the test that failed.
pub(crate) fn run() -> Result<(), String> {
    steps::release()?;
    let directory = root().join("interop");
    install_node_packages()?;
    let environment = target().join("interop-venv");
    program(command("python3", &["-m", "venv"]).arg(&environment))?;
    let mut pip = command(&environment.join("bin/python").to_string_lossy(), &["-m", "pip", "install", "--quiet"]);
    // `requirements.txt` lists each package with its version and its hash, so both have to be changed together.
    program(pip.args(["--no-deps", "--require-hashes", "--requirement"]).arg(directory.join("requirements.txt")))?;
    // The whole workspace is built, with the same features as for its own tests, so that the build is reused.
    let mut test = cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--features", FEATURE]);
    for name in TESTS {
        test.args(["--test", name]);
    }
    program(test.env("PATH", node::path()?).env("TEST_FANFARE_BIN", target().join("release/fanfare")))
}
