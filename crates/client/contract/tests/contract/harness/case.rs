//! The common form of many tests: a stream, and the messages that the client makes of it.
use super::{Message, TestService, stream_and_client};
use serde_json::json;
use std::sync::Arc;

pub struct Case {
    name: String,
    chunks: Vec<Vec<u8>>,
    expected: Vec<Message>,
}

impl Case {
    pub fn new<C: AsRef<[u8]>>(name: impl Into<String>, chunks: &[C], expected: &[Message]) -> Self {
        let chunks = chunks.iter().map(|chunk| chunk.as_ref().to_vec()).collect();
        Self { name: name.into(), chunks, expected: expected.to_vec() }
    }

    /// Makes a case whose stream is sent in pieces of `size` bytes.
    pub fn in_pieces(name: impl Into<String>, text: &str, size: usize, expected: &[Message]) -> Self {
        Self::new(name, &text.as_bytes().chunks(size).collect::<Vec<_>>(), expected)
    }

    async fn check(self, service: Arc<TestService>) {
        let (_server, connection, mut client) = stream_and_client(&service, json!({})).await;
        for chunk in &self.chunks {
            connection.send_piece(chunk).await;
        }
        client.expect(&self.expected).await;
        client.close().await;
    }
}

/// Checks all cases at the same time, each with its own stream, and then says which of them failed.
pub async fn check(cases: Vec<Case>) {
    let service = Arc::new(TestService::start());
    let begin = |case: Case| (case.name.clone(), tokio::spawn(case.check(Arc::clone(&service))));
    let running: Vec<_> = cases.into_iter().map(begin).collect();
    let mut failed = Vec::new();
    for (name, task) in running {
        if let Err(error) = task.await {
            failed.push(format!("{name}: {error}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
