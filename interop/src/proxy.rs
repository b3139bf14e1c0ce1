//! Proxies in front of the hub, configured as the documentation says: the configuration is read from its page.
use crate::{directory::Directory, installed, program::Program};
use fanfare_load::port;
use std::{fs, net::SocketAddr, process::Command};

/// A kind of proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The proxy [nginx](https://nginx.org).
    Nginx,
    /// The proxy [Caddy](https://caddyserver.com).
    Caddy,
    /// The proxy [HAProxy](https://www.haproxy.org).
    Haproxy,
}

/// A running proxy. All its files are in its own directory. Process and directory are removed when this value is
/// dropped.
#[derive(Debug)]
pub struct Proxy {
    // The process ends before its directory is removed.
    _program: Program,
    _directory: Directory,
    /// The address on which the proxy listens.
    pub address: SocketAddr,
}

impl Proxy {
    /// Starts a proxy as the documentation says, in front of the hub at the URL `hub`, and waits until it answers.
    #[must_use]
    pub fn start(kind: Kind, hub: &str) -> Self {
        Self::with(kind, hub, &kind.documented())
    }

    /// Starts a proxy with another block of configuration. As in the documentation, the block names the hub as
    /// `127.0.0.1:3000`.
    #[must_use]
    pub fn with(kind: Kind, hub: &str, block: &str) -> Self {
        // The proxy cannot report which free port the system gave it.
        let address = port::reserve().unwrap();
        let directory = Directory::new("proxy");
        let block = block.replace("127.0.0.1:3000", hub.trim_start_matches("http://"));
        let file = directory.0.join("configuration");
        fs::write(&file, kind.whole(&block, address, &directory)).unwrap();
        let mut command = kind.program();
        match kind {
            Kind::Nginx => command.arg("-p").arg(&directory.0).args(["-e", "stderr", "-c"]).arg(&file),
            Kind::Caddy => command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file),
            Kind::Haproxy => command.args(["-db", "-f"]).arg(&file),
        };
        // The proxy writes files below these directories.
        command.env("HOME", &directory.0).env("XDG_DATA_HOME", &directory.0).env("XDG_CONFIG_HOME", &directory.0);
        let mut program = Program::start(command);
        program.wait_until_it_answers(address);
        Self { _program: program, _directory: directory, address }
    }
}

impl Kind {
    /// Returns the configuration block that the documentation shows.
    fn documented(self) -> String {
        let page = installed::home().join("../docs/behind-a-proxy.md");
        let text = fs::read_to_string(page).unwrap();
        let fence = match self {
            Self::Nginx => "```nginx\n",
            Self::Caddy => "```caddyfile\n",
            Self::Haproxy => "```haproxy\n",
        };
        let (_, block) = text.split_once(fence).unwrap_or_else(|| panic!("the page has no block of {self:?}"));
        block.split_once("\n```").unwrap().0.to_owned() + "\n"
    }

    /// Returns the complete configuration around a block: on another port, and with all files in the directory.
    fn whole(self, block: &str, address: SocketAddr, directory: &Directory) -> String {
        let replaced = |documented: &str, ours: &str| {
            assert!(block.contains(documented), "{self:?}: no {documented:?} in {block}");
            block.replace(documented, ours)
        };
        let directory = directory.0.display();
        match self {
            Self::Nginx => format!(
                "daemon off;\nmaster_process off;\npid \"{directory}/pid\";\nerror_log stderr error;\n\
                 events {{ worker_connections 64; }}\nhttp {{\naccess_log off;\n\
                 client_body_temp_path \"{directory}/body\";\nproxy_temp_path \"{directory}/proxy\";\n\
                 fastcgi_temp_path \"{directory}/fastcgi\";\nuwsgi_temp_path \"{directory}/uwsgi\";\n\
                 scgi_temp_path \"{directory}/scgi\";\n{}}}\n",
                replaced("listen 80;", &format!("listen {address};"))
            ),
            Self::Caddy => format!(
                "{{\nadmin off\nlog {{\nlevel ERROR\n}}\n}}\n{}",
                replaced("hub.example.com {", &format!("http://{address} {{"))
            ),
            Self::Haproxy => replaced("bind :80 ", &format!("bind {address} ")),
        }
    }

    fn program(self) -> Command {
        match self {
            Self::Nginx => installed::nginx(),
            Self::Caddy => Command::new("caddy"),
            Self::Haproxy => installed::haproxy(),
        }
    }
}
