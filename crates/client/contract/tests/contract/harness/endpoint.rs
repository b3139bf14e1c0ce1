//! A server on its own port, with one handler for all paths.
use axum::{Router, extract::DefaultBodyLimit, handler::Handler, response::IntoResponse as _};
use http::{HeaderMap, StatusCode};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running server. It stops when this value is dropped, but still completes the answers that it has begun.
pub struct Endpoint {
    pub url: String,
    task: JoinHandle<()>,
}

impl Endpoint {
    pub async fn start<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(handler: H, state: S) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // Callbacks contain data of any length.
        let routes = Router::new().fallback(handler).layer(DefaultBodyLimit::disable()).with_state(state);
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, task }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server that answers every request with one head and no body, and counts the requests.
pub struct Bodiless {
    endpoint: Endpoint,
    asked: Arc<AtomicUsize>,
}

impl Bodiless {
    pub async fn start(status: u16, headers: HeaderMap) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let answer = async move || {
            counter.fetch_add(1, SeqCst);
            (status, headers).into_response()
        };
        Self { endpoint: Endpoint::start(answer, ()).await, asked }
    }

    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    pub fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}
