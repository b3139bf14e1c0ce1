//! Pages of other origins.
use super::fixture::*;

#[tokio::test]
async fn only_named_origins_may_read_and_with_credentials() {
    let server = serve_with(|settings| settings.cors_origins = vec!["https://page.example".into()]).await;
    let allowed = server.subscribe("/topics/a", "Origin: https://page.example\r\n").await;
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://page.example"));
    assert_eq!(allowed.header("access-control-allow-credentials"), Some("true"));
    let exposed = allowed.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
    for name in ["link", "last-event-id", "mercure-last-event-id"] {
        assert!(exposed.split(',').any(|field| field.trim() == name), "{name} in {exposed}");
    }
    let other = server.subscribe("/topics/a", "Origin: https://evil.example\r\n").await;
    assert_eq!(other.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn everybody_may_read_what_is_open_to_all_but_without_credentials() {
    let server = serve_with(|settings| settings.cors_origins = vec!["*".into()]).await;
    let stream = server.subscribe("/topics/a", "Origin: https://page.example\r\n").await;
    assert_eq!(stream.header("access-control-allow-origin"), Some("*"));
    assert_eq!(stream.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn a_preflight_allows_what_fetching_clients_send() {
    let server = serve_with(|settings| settings.cors_origins = vec!["https://page.example".into()]).await;
    let preflight = format!(
        "OPTIONS /.well-known/mercure HTTP/1.0\r\nHost: {}\r\nOrigin: https://page.example\r\n\
         Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: last-event-id\r\n\r\n",
        server.address
    );
    let answer = server.send(preflight.as_bytes()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-methods"), Some("get,post,query"));
    let allowed = answer.header("access-control-allow-headers").unwrap();
    for name in ["authorization", "cache-control", "last-event-id", "content-type"] {
        assert!(allowed.split(',').any(|field| field.trim() == name), "{name} in {allowed}");
    }
}
