//! The programs that `cargo xtask test --only interop` builds and installs: their paths, and the commands that run
//! them.
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns the directory of this crate, where `servers/`, `clients/` and `node_modules/` are.
#[must_use]
pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns cargo's target directory, as far as the environment names it.
fn target() -> PathBuf {
    let root = home().parent().expect("this crate lies in the workspace");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |directory| root.join(directory))
}

/// Returns the command that runs the hub: the program in `TEST_FANFARE_BIN`, or else the last release build.
#[must_use]
pub fn fanfare() -> Command {
    Command::new(env::var_os("TEST_FANFARE_BIN").map_or_else(|| target().join("release/fanfare"), PathBuf::from))
}

/// Returns the command that runs a script of this crate with Node.js.
#[must_use]
pub fn node(script: &str) -> Command {
    at_home("node", script)
}

/// Returns the command that runs a script of this crate with the Python that has the packages of `requirements.txt`.
#[must_use]
pub fn python(script: &str) -> Command {
    at_home(target().join("interop-venv/bin/python"), script)
}

/// Returns the command that runs PHP's built-in server for the directory `servers/`, on a free port.
#[must_use]
pub fn php() -> Command {
    let mut php = Command::new("php");
    php.args(["-S", "127.0.0.1:0", "-t"]).arg(home().join("servers"));
    php
}

/// Returns the command that runs a script of this crate with PHP, which finds the PHP libraries that Debian installs.
#[must_use]
pub fn php_script(script: &str) -> Command {
    at_home("php", script)
}

/// Returns the command that runs nginx. Debian installs it in a directory that is usually only in root's `PATH`.
#[must_use]
pub fn nginx() -> Command {
    Command::new(first_of(&["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"], "nginx"))
}

/// Returns the command that runs HAProxy. Debian installs it in the same directory as nginx.
#[must_use]
pub fn haproxy() -> Command {
    Command::new(first_of(&["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"], "haproxy"))
}

/// Returns the path of nginx's module Nchan.
#[must_use]
pub fn nchan() -> PathBuf {
    let places = ["/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/lib64/nginx/modules/ngx_nchan_module.so"];
    first_of(&places, "/usr/share/nginx/modules/ngx_nchan_module.so")
}

fn first_of(paths: &[&str], otherwise: &str) -> PathBuf {
    paths.iter().map(PathBuf::from).find(|path| path.is_file()).unwrap_or_else(|| otherwise.into())
}

fn at_home(program: impl AsRef<OsStr>, script: &str) -> Command {
    let path = home().join(script);
    let mut command = Command::new(program);
    // The server of one tutorial reads its page from the current directory.
    command.current_dir(path.parent().expect("a script lies in a directory")).arg(path);
    command
}
