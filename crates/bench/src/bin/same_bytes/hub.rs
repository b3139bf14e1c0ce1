//! A hub on which scripts are run.
use std::{
    error::Error,
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

/// The longest time that a script waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A hub in its own process. The process is killed when this value is dropped.
pub(crate) struct Hub {
    process: Mutex<Child>,
    pub(crate) address: SocketAddr,
    epoch: Mutex<String>,
}

impl Hub {
    /// Starts a hub that keeps its log in memory and sends no heartbeat while a script lasts.
    pub(crate) fn start(program: &Path, delivery: &str) -> Result<Self, Box<dyn Error>> {
        let arguments = ["serve", "--memory", "--listen", "127.0.0.1:0", "--clock=false", "--page=off"];
        let mut process = Command::new(program)
            .args(arguments)
            .args([
                "--heartbeat-interval",
                "1h",
                "--max-lifetime",
                "off",
                "--delivery",
                delivery,
                "--log-level",
                "error",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("no standard output")?;
        let stderr = process.stderr.take().ok_or("no standard error")?;
        let mut hub =
            Self { process: Mutex::new(process), address: ([127, 0, 0, 1], 0).into(), epoch: Mutex::default() };
        hub.address = address(stdout, stderr)?;
        Ok(hub)
    }

    /// Publishes one update for each text in `data` to a topic, and returns the IDs of the updates.
    pub(crate) fn publish(&self, topic: &str, data: &[String]) -> Result<Vec<String>, Box<dyn Error>> {
        let lines: String = data.iter().map(|data| format!("{{\"data\":\"{data}\"}}\n")).collect();
        let head = format!(
            "POST /topics/{topic} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nConnection: \
             close\r\nContent-Length: {}\r\n\r\n",
            lines.len()
        );
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(head.as_bytes())?;
        socket.write_all(lines.as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        let (head, body) =
            answer.split_once("\r\n\r\n").ok_or("the head of the answer to a publication is not complete")?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("a publication was refused: {answer}").into());
        }
        let ids: Vec<_> = body.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect();
        if ids.len() != data.len() {
            return Err(
                format!("{} updates were published, but the answer has {} IDs: {body}", data.len(), ids.len()).into()
            );
        }
        let epoch = ids[0].trim_start_matches('#').split('-').next().unwrap_or_default();
        *self.epoch.lock().map_err(|_| "a script has panicked")? = epoch.to_owned();
        Ok(ids)
    }

    /// Tells the hub to stop, which ends all streams. Returns the epoch of the hub's log.
    pub(crate) fn stop(&self) -> Result<String, Box<dyn Error>> {
        let process = self.process.lock().map_err(|_| "a script has panicked")?;
        let told = Command::new("kill").args(["-TERM", &process.id().to_string()]).status()?;
        if !told.success() {
            return Err("the hub has ended by itself".into());
        }
        Ok(self.epoch.lock().map_err(|_| "a script has panicked")?.clone())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Ok(process) = self.process.get_mut() {
            // Both calls fail only if the process has ended.
            _ = process.kill();
            _ = process.wait();
        }
    }
}

/// Finds the address in the first lines that the hub prints.
fn address(
    stdout: impl Read + Send + 'static,
    stderr: impl Read + Send + 'static,
) -> Result<SocketAddr, Box<dyn Error>> {
    std::thread::spawn(move || std::io::copy(&mut BufReader::new(stderr), &mut std::io::sink()));
    let mut lines = BufReader::new(stdout).lines();
    let found = lines.by_ref().take(20).find_map(|line| {
        let line = line.ok()?;
        let from = line.find("127.0.0.1:")?;
        let rest = &line[from..];
        let until = rest.find(|char: char| !char.is_ascii_digit() && !".:".contains(char)).unwrap_or(rest.len());
        rest[..until].trim_end_matches(['.', ':']).parse().ok()
    });
    std::thread::spawn(move || lines.for_each(drop));
    found.ok_or_else(|| "the hub did not print the address where it listens".into())
}
