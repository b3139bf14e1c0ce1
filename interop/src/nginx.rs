//! Nginx with the Nchan module.
use crate::{directory::Directory, installed, program::Program};
use fanfare_load::port;
use std::{fs, net::SocketAddr};

/// A running nginx: clients publish at `/pub/CHANNEL` and subscribe at `/sub/CHANNEL`. All its files are in its own
/// directory. Process and directory are removed when this value is dropped.
#[derive(Debug)]
pub struct Nginx {
    // The process ends before its directory is removed.
    _program: Program,
    _directory: Directory,
    /// The URL of the server: `http://ADDRESS`.
    pub url: String,
}

impl Nginx {
    /// Starts nginx, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        // Nginx cannot report which free port the system gave it.
        let address = port::reserve().unwrap();
        let directory = Directory::new("nginx");
        fs::write(directory.0.join("nginx.conf"), configuration(&directory, address)).unwrap();
        let mut nginx = installed::nginx();
        nginx.arg("-p").arg(&directory.0).args(["-e", "stderr", "-c", "nginx.conf"]);
        let mut program = Program::start(nginx);
        program.wait_until_it_answers(address);
        Self { _program: program, _directory: directory, url: format!("http://{address}") }
    }
}

fn configuration(directory: &Directory, address: SocketAddr) -> String {
    let template = fs::read_to_string(installed::home().join("servers/nginx.conf")).unwrap();
    let (module, directory) = (installed::nchan().display().to_string(), directory.0.display().to_string());
    let filled = template.replace("{module}", &module).replace("{directory}", &directory);
    filled.replace("{address}", &address.to_string())
}
