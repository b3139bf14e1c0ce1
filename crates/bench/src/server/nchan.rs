//! Nginx with [Nchan](https://nchan.io), tuned as its documentation advises for many subscribers.
use super::paths::{on_path, quoted};
use fanfare_load::{port, process::HubProcess};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The paths where Debian and other systems put the module.
const MODULES: [&str; 3] = [
    "/usr/lib/nginx/modules/ngx_nchan_module.so",
    "/usr/lib64/nginx/modules/ngx_nchan_module.so",
    "/usr/share/nginx/modules/ngx_nchan_module.so",
];

pub(super) fn missing() -> Option<String> {
    match (on_path("nginx"), module()) {
        (Some(_), Some(_)) => None,
        (None, _) => Some("nginx is not installed: cargo xtask compare installs it".into()),
        (_, None) => Some("Nchan's module is not installed: cargo xtask compare installs it".into()),
    }
}

/// Starts Nginx in the foreground. It uses no files outside `directory`.
pub(super) fn start(directory: &Path, workers: u32, subscribers: u32) -> io::Result<HubProcess> {
    let not_found = |what: &str| io::Error::new(io::ErrorKind::NotFound, what.to_owned());
    let nginx = on_path("nginx").ok_or_else(|| not_found("nginx"))?;
    let module = module().ok_or_else(|| not_found("ngx_nchan_module.so"))?;
    let (address, file) = (port::reserve()?, directory.join("nginx.conf"));
    fs::write(&file, configuration(directory, &module, address, workers, subscribers))?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&nginx);
        // With `-e`, Nginx writes errors to this file from the start. Without it, Nginx complains that it may not write
        // to the system's log, which it uses until it has read its configuration.
        command.arg("-p").arg(directory).arg("-e").arg(directory.join("error.log")).arg("-c").arg(&file);
        command.args(arguments);
        command
    };
    let mut stop = command(&["-s", "stop"]);
    stop.stdin(Stdio::null()).stderr(Stdio::null());
    HubProcess::supervise(command(&[]), address, Some(stop))
}

fn module() -> Option<PathBuf> {
    MODULES.iter().map(PathBuf::from).find(|path| path.is_file())
}

/// Returns the configuration. Messages are kept in memory, enough for all subscribers that resume; a new subscriber
/// begins with the next message. If there are several workers, each has its own listening socket, so that the
/// subscribers are spread evenly over the workers.
fn configuration(directory: &Path, module: &Path, address: SocketAddr, workers: u32, subscribers: u32) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("  {name}_temp_path {};\n", quoted(&directory.join(name))))
        .concat();
    let reuseport = if workers > 1 { " reuseport" } else { "" };
    // One worker may get all subscribers, and also each connection of a publisher.
    let connections = subscribers + 1_000;
    format!(
        "\
load_module {module};
user root;
daemon off;
worker_processes {workers};
worker_rlimit_nofile {files};
pid {pid};
error_log {errors} error;
events {{
  worker_connections {connections};
  multi_accept on;
}}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  client_max_body_size 1m;
{temporary}  nchan_shared_memory_size 512M;
  server {{
    listen {address} backlog=4096{reuseport};
    location ~ ^/pub/(.+)$ {{
      nchan_publisher;
      nchan_channel_id $1;
      nchan_message_buffer_length 10000;
      nchan_message_timeout 10m;
    }}
    location ~ ^/sub/(.+)$ {{
      nchan_subscriber eventsource;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
      nchan_subscriber_timeout 0;
    }}
  }}
}}
",
        module = quoted(module),
        files = connections + 1_000,
        pid = quoted(&directory.join("nginx.pid")),
        errors = quoted(&directory.join("error.log")),
    )
}
