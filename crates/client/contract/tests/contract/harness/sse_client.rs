//! A stream of the service: its creation and its end, and the messages that the service sends about it.
use super::{Message, TestService, endpoint::Endpoint, send, soon};
use axum::extract::State;
use bytes::Bytes;
use http::{Method, StatusCode, Uri, header::LOCATION};
use serde_json::{Value, json};
use tokio::sync::mpsc;

pub struct SseClient {
    url: String,
    messages: mpsc::Receiver<(u64, Message)>,
    told: u64,
    _callbacks: Endpoint,
}

impl SseClient {
    /// Makes the service read the stream at `stream_url`.
    pub async fn start(service: &TestService, stream_url: &str, mut parameters: Value) -> Self {
        let (sender, messages) = mpsc::channel(16);
        let callbacks = Endpoint::start(take, sender).await;
        parameters["tag"] = json!("a test");
        parameters["streamUrl"] = json!(stream_url);
        parameters["callbackUrl"] = json!(format!("{}/callbacks", callbacks.url));
        let answer = send(Method::POST, service.url(), parameters.to_string()).await;
        assert!(answer.status.is_success(), "{answer:?}");
        let location = answer.headers[LOCATION].to_str().unwrap();
        Self { url: format!("{}{location}", service.url()), messages, told: 0, _callbacks: callbacks }
    }

    /// Returns the next message of any kind.
    pub async fn message(&mut self) -> Message {
        let (number, message) = soon("message", self.messages.recv()).await.unwrap();
        self.told += 1;
        assert_eq!(number, self.told, "messages are numbered from 1, and come in order");
        message
    }

    pub async fn expect(&mut self, messages: &[Message]) {
        for wanted in messages {
            assert_eq!(&self.message().await, wanted);
        }
    }

    pub async fn expect_error(&mut self) {
        let message = self.message().await;
        assert!(message.is_error(), "{message:?}");
    }

    /// Returns the next message that is not an error. The contract leaves open if a broken connection is reported as an
    /// error.
    pub async fn message_after_error(&mut self) -> Message {
        match self.message().await {
            message if message.is_error() => self.message().await,
            message => message,
        }
    }

    pub async fn command(&self, command: Value) -> StatusCode {
        send(Method::POST, &self.url, command.to_string()).await.status
    }

    /// Ends the stream.
    pub async fn close(self) {
        assert!(send(Method::DELETE, &self.url, "").await.status.is_success());
    }
}

async fn take(State(messages): State<mpsc::Sender<(u64, Message)>>, url: Uri, body: Bytes) -> StatusCode {
    let number = url.path().strip_prefix("/callbacks/").and_then(|number| number.parse().ok());
    match (number, serde_json::from_slice(&body)) {
        (Some(number), Ok(message)) => {
            // The receiver may be gone already.
            let _ = messages.send((number, message)).await;
            StatusCode::ACCEPTED
        }
        (_, message) => panic!("a callback to {url} with {message:?}"),
    }
}
