//! The process of the service.
use http::Method;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
};

/// The running service. It is killed when this value is dropped.
pub struct TestService {
    child: Child,
    url: String,
}

impl TestService {
    /// Starts the service on a port that the system chooses, and waits until it listens.
    pub fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare-client-contract"));
        let mut child = command.arg("0").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim_end().to_owned() }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks the service to end, and waits until it has ended.
    pub async fn end(mut self) -> ExitStatus {
        assert!(super::send(Method::DELETE, &self.url, "").await.status.is_success());
        let child = &mut self.child;
        super::soon("end of the service", async {
            loop {
                if let Some(status) = child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await
    }
}

impl Drop for TestService {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
