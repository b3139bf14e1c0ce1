//! The [Mercure hub](https://mercure.rocks) in Go, if its binary is installed: `mercure` on the path, or `MERCURE_BIN`.
use super::paths::{on_path, quoted};
use fanfare_load::{port, process::HubProcess};
use std::{env, fs, io, net::SocketAddr, path::Path, path::PathBuf, process::Command};

/// A token that allows publishing to all topics. It is signed with [`KEY`].
pub(super) const TOKEN: &str = "\
    eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtZXJjdXJlIjp7InB1Ymxpc2giOlsiKiJdfX0.\
    80CLfpd9Ja-dBDmjCMWc5VFWADqzw_4G7LjpMryauwE";
pub(super) const KEY: &str = "a-key-for-measurements-only-of-enough-bytes";

pub(super) fn missing() -> Option<String> {
    let none = "the program mercure is not on the path, and MERCURE_BIN names no file";
    binary().is_none().then(|| none.to_owned())
}

/// Starts the hub with its log on disk, as it is by default.
pub(super) fn start(directory: &Path) -> io::Result<HubProcess> {
    let binary = binary().ok_or(io::ErrorKind::NotFound)?;
    let (address, file) = (port::reserve()?, directory.join("Caddyfile"));
    fs::write(&file, configuration(directory, address))?;
    let mut command = Command::new(binary);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).current_dir(directory);
    // Caddy keeps its own files in these directories.
    command.env("XDG_CONFIG_HOME", directory).env("XDG_DATA_HOME", directory);
    HubProcess::supervise(command, address, None)
}

fn binary() -> Option<PathBuf> {
    env::var_os("MERCURE_BIN").map(PathBuf::from).filter(|path| path.is_file()).or_else(|| on_path("mercure"))
}

fn configuration(directory: &Path, address: SocketAddr) -> String {
    format!(
        "\
{{
  auto_https off
  admin off
  persist_config off
  log {{
    level ERROR
  }}
}}
http://{address} {{
  bind {host}
  mercure {{
    transport bolt {{
      path {path}
    }}
    publisher_jwt {KEY} HS256
    subscriber_jwt {KEY} HS256
    anonymous
    write_timeout 0s
  }}
}}
",
        host = address.ip(),
        path = quoted(&directory.join("mercure.db")),
    )
}
