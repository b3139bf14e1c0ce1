//! Connections on threads of their own are served as on the runtime of the server.
use super::fixture::*;
use std::num::NonZero;

async fn serve_on_threads(count: usize) -> Fixture {
    serve_with(|settings| settings.connection_threads = NonZero::new(count)).await
}

#[tokio::test]
async fn publishers_and_subscribers_of_all_threads_meet() {
    for threads in [1, 3] {
        let server = serve_on_threads(threads).await;
        let mut subscribers = Vec::new();
        for _ in 0..5 {
            subscribers.push(server.subscribe("/topics/a", "").await);
        }
        let mut publishers = Vec::new();
        for _ in 0..4 {
            publishers.push(server.connect().await);
        }
        let sent: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        for (number, data) in sent.iter().enumerate() {
            // The next request on the same connection, after some on others.
            let publisher = &mut publishers[number % 4];
            let head = server.request("POST /topics/a", "HTTP/1.1", &format!("Content-Length: {}\r\n", data.len()));
            publisher.send(head + data).await;
            let answer = publisher.read_until(|text| text.ends_with('\n') && text.contains("\r\n\r\n#")).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        for mut subscriber in subscribers {
            assert_eq!(data(&subscriber.events(40).await), sent);
        }
        let replayed = server.get("/topics/a?until=now", "Last-Event-ID: earliest\r\n").await;
        assert_eq!(replayed.updates().len(), 40, "what is read for it is read on that thread");
    }
}

#[tokio::test]
async fn a_server_stops_with_its_threads() {
    let server = serve_on_threads(2).await;
    let mut subscriber = server.subscribe("/topics/a", "Last-Event-ID: earliest\r\n").await;
    let mut idle = server.connect().await;
    idle.send(server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 1\r\n") + "x").await;
    idle.read_until(|text| text.contains("HTTP/1.1 200")).await;
    assert_eq!(data(&subscriber.events(1).await), ["x"]);
    let mut publisher = server.connect().await;
    let expects = "Content-Length: 3\r\nExpect: 100-continue\r\n";
    publisher.send(server.request("POST /topics/a", "HTTP/1.1", expects)).await;
    // What is answered on another connection says nothing of this one: they are on different threads.
    publisher.read_until(|text| text == "HTTP/1.1 100 Continue\r\n\r\n").await;
    publisher.send("y").await;
    let stopped = tokio::spawn(server.stop());
    publisher.read_head().await;
    assert!(publisher.head.starts_with("HTTP/1.1 503"), "{}", publisher.head);
    publisher.end().await;
    idle.end().await;
    subscriber.end().await;
    stopped.await.unwrap();
}
