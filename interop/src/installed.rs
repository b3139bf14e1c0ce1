//! Where the things lie that `cargo xtask test --only interop` builds and installs, and how they are run.
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// The directory of this crate, where `servers/`, `clients/` and `node_modules/` are.
#[must_use]
pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo puts what it builds, as far as the environment says.
fn target() -> PathBuf {
    let root = home().parent().expect("this crate lies in the workspace");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |directory| root.join(directory))
}

/// The hub's program: `TEST_FANFARE_BIN`, or the one that was last built as it is shipped.
#[must_use]
pub fn fanfare() -> Command {
    Command::new(env::var_os("TEST_FANFARE_BIN").map_or_else(|| target().join("release/fanfare"), PathBuf::from))
}

/// `node` with a script of this crate.
#[must_use]
pub fn node(script: &str) -> Command {
    at_home("node", script)
}

/// The Python that has the packages of `requirements.txt`, with a script of this crate.
#[must_use]
pub fn python(script: &str) -> Command {
    at_home(target().join("interop-venv/bin/python"), script)
}

/// PHP's own server for the directory `servers/`, on a free port.
#[must_use]
pub fn php() -> Command {
    let mut php = Command::new("php");
    php.args(["-S", "127.0.0.1:0", "-t"]).arg(home().join("servers"));
    php
}

/// PHP with a script of this crate, which finds what Debian has of PHP's libraries.
#[must_use]
pub fn php_script(script: &str) -> Command {
    at_home("php", script)
}

/// Nginx. Debian keeps it where only root looks.
#[must_use]
pub fn nginx() -> Command {
    Command::new(first_of(&["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"], "nginx"))
}

/// HAProxy, which Debian keeps in the same place.
#[must_use]
pub fn haproxy() -> Command {
    Command::new(first_of(&["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"], "haproxy"))
}

/// Nginx's module for Nchan.
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
    // The server of the first seed document reads its page from where it is started.
    command.current_dir(path.parent().expect("a script lies in a directory")).arg(path);
    command
}
