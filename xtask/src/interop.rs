//! The hub and the client library with servers and clients of other people's making: installs their packages, runs the
//! tests.
//!
//! Node.js packages go where `npm ci` puts them, Python's into a virtual environment beside everything else that is
//! built.
use crate::{
    node,
    program::{cargo, command, root, run as program, target},
    steps,
};

/// The feature that these tests are built with: they need what is installed here.
pub(crate) const FEATURE: &str = "fanfare-interop/installed";
const TESTS: [&str; 4] = ["clients", "mercure", "proxies", "servers"];

/// Installs the Node.js packages of the servers and clients.
///
/// # Errors
/// What could not be installed.
pub(crate) fn install_node_packages() -> Result<(), String> {
    println!("installs the packages of interop/package.json into interop/node_modules");
    program(&mut node::npm(&root().join("interop"), &["ci", "--no-audit", "--no-fund"])?)
}

/// Tries the program as it is shipped, which is built here if that step was left out.
///
/// # Errors
/// What could not be installed or built, or which test failed.
pub(crate) fn run() -> Result<(), String> {
    steps::release()?;
    let directory = root().join("interop");
    install_node_packages()?;
    let environment = target().join("interop-venv");
    program(command("python3", &["-m", "venv"]).arg(&environment))?;
    let mut pip = command(&environment.join("bin/python").to_string_lossy(), &["-m", "pip", "install", "--quiet"]);
    // Whoever changes a version changes its hash; all that is needed is named.
    program(pip.args(["--no-deps", "--require-hashes", "--requirement"]).arg(directory.join("requirements.txt")))?;
    // Of the whole workspace, as it was built for its own tests.
    let mut test = cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--features", FEATURE]);
    for name in TESTS {
        test.args(["--test", name]);
    }
    program(test.env("PATH", node::path()?).env("TEST_FANFARE_BIN", target().join("release/fanfare")))
}
