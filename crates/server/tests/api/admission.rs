//! Admission, on every route: which requests are let in, and what every answer says to browsers.
use super::fixture::*;
use fanfare_server::auth::{AuthSettings, Authenticator};

/// Each kind of route: the hub's page and a file of it, health, metadata, both APIs, subscriptions, an alias, a file,
/// and nothing at all.
const ROUTES: [&str; 12] = [
    "/",
    "/fanfare",
    "/fanfare/app.js",
    "/healthz",
    "/.well-known/oauth-protected-resource/.well-known/mercure",
    "/.well-known/mercure?topic=a",
    "/.well-known/mercure/subscriptions",
    "/topics/a",
    "/topics/a?until=now",
    "/sse",
    "/Cargo.toml",
    "/nothing",
];

async fn serve_every_route(auth: Authenticator) -> Fixture {
    serve_as(auth, |settings| {
        settings.aliases = [("/sse".to_owned(), vec!["news".to_owned()])].into();
        settings.static_dir = Some(env!("CARGO_MANIFEST_DIR").into());
        settings.cors_origins = vec!["https://page.example".into()];
        settings.subscriptions = true;
    })
    .await
}

/// A hub with keys, which lets anybody receive what is public.
fn closed() -> Authenticator {
    let hub_url = "http://hub.example/.well-known/mercure".parse().unwrap();
    Authenticator::new(AuthSettings { anonymous: true, ..AuthSettings::closed(hub_url) })
}

/// The status of the answer to a request, of which only the head is read.
async fn status(server: &Fixture, request: &str) -> (u16, String) {
    let mut stream = server.connect().await;
    stream.send(request).await;
    stream.read_head().await;
    (stream.head[9..12].parse().unwrap(), stream.head.clone())
}

fn request(method: &str, target: &str, headers: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\n{headers}\r\n")
}

/// RFC 9112, 3.2, whatever is asked for, and of a hub with keys as of one without.
#[tokio::test]
async fn a_request_without_one_good_host_is_refused_on_every_route() {
    for auth in [Authenticator::open(), closed()] {
        let server = serve_every_route(auth).await;
        let address = server.address;
        let hosts = [
            String::new(),
            format!("Host: {address}\r\nHost: {address}\r\n"),
            format!("Host: {address}\r\nHost: evil.example\r\n"),
            format!("Host: evil.example\r\nhost: {address}\r\n"),
            "Host:\r\n".to_owned(),
            format!("Host: user@{address}\r\n"),
            format!("Host: {address}/path\r\n"),
            format!("Host: {address}, evil.example\r\n"),
            format!("Host: {address},evil.example\r\n"),
            "Host: localhost:port\r\n".to_owned(),
            "Host: localhost:99999\r\n".to_owned(),
            "Host: local host\r\n".to_owned(),
        ];
        for hosts in &hosts {
            for (method, target) in ROUTES.map(|route| ("GET", route)).into_iter().chain([
                ("POST", "/topics/a"),
                ("OPTIONS", "/topics/a"),
                ("DELETE", "/topics/a"),
                ("OPTIONS", "*"),
            ]) {
                let (status, head) = status(&server, &request(method, target, hosts)).await;
                assert_eq!(status, 400, "{hosts:?} {method} {target}: {head}");
            }
        }
        let (status, _) =
            status(&server, &request("GET", "http://evil.example/healthz", &format!("Host: {address}\r\n"))).await;
        assert_eq!(status, 400, "the target names another host");
        let whole = format!("http://{address}/healthz");
        assert_eq!(self::status(&server, &request("GET", &whole, &format!("Host: {address}\r\n"))).await.0, 200);
        assert_eq!(server.hub.bounds().head.0, 0, "nothing was published");
    }
}

/// A page that had its own name resolve to loopback reads nothing, not even files and metadata.
#[tokio::test]
async fn an_open_hub_is_nowhere_for_other_names() {
    let server = serve_every_route(Authenticator::open()).await;
    let named = "Host: evil.example\r\n";
    let marked = format!("Host: {}\r\nForwarded: for=192.0.2.1\r\n", server.address);
    for headers in [named, &marked] {
        for target in ROUTES {
            for method in ["GET", "HEAD", "OPTIONS", "POST", "DELETE"] {
                let (status, head) = status(&server, &request(method, target, headers)).await;
                assert_eq!(status, 403, "{method} {target}: {head}");
            }
        }
    }
    let whole = request("GET", "http://evil.example/healthz", named);
    assert_eq!(status(&server, &whole).await.0, 403);
    let older = server.send(b"GET /healthz HTTP/1.0\r\n\r\n").await;
    assert_eq!(older.status, 403, "it is named by nobody");
    assert_eq!(server.get("/healthz", "Connection: close\r\n").await.status, 403, "as nginx asks");
}

#[tokio::test]
async fn a_hub_with_keys_has_any_name_and_any_proxy() {
    let server = serve_every_route(closed()).await;
    let headers = "Host: hub.example\r\nForwarded: for=192.0.2.1\r\nX-Forwarded-For: 192.0.2.1\r\n";
    assert_eq!(status(&server, &request("GET", "/topics/a", headers)).await.0, 200);
    assert_eq!(server.send(b"GET /healthz HTTP/1.0\r\n\r\n").await.status, 200);
}

/// A stream of strangers' data must not run as a script, nor be read by a page that loads it as an image or the like.
#[tokio::test]
async fn every_answer_says_how_browsers_are_to_take_it() {
    for auth in [Authenticator::open(), closed()] {
        let server = serve_every_route(auth).await;
        let host = format!("Host: {}\r\n", server.address);
        let preflight = format!("{host}Origin: https://page.example\r\nAccess-Control-Request-Method: GET\r\n");
        let unread = format!("{host}Content-Length: 99999999\r\n");
        let others = [
            ("HEAD", "/topics/a", &host),
            ("POST", "/topics", &host),
            ("POST", "/.well-known/mercure", &host),
            ("PUT", "/topics/a", &unread),
            ("POST", "/Cargo.toml", &host),
            ("DELETE", "/topics/a", &host),
            ("OPTIONS", "/topics/a", &preflight),
            ("OPTIONS", "/nothing", &preflight),
            ("OPTIONS", "*", &host),
            ("GET", "/Cargo.toml", &format!("{host}Range: bytes=0-3\r\n")),
            ("GET", "/Cargo.toml", &format!("{host}Range: bytes=999999-\r\n")),
            ("GET", "/src", &host),
            ("GET", "/topics/a", &String::new()),
            ("GET", "/topics/a", &format!("{host}X-Real-IP: 192.0.2.1\r\n")),
            ("GET", "/topics/a", &format!("{host}Origin: https://page.example\r\n")),
        ];
        for (method, target, headers) in ROUTES.map(|route| ("GET", route, &host)).into_iter().chain(others) {
            let mut stream = server.connect().await;
            stream.send(request(method, target, headers)).await;
            stream.read_head().await;
            let says = |name| stream.header(name);
            assert_eq!(says("x-content-type-options"), Some("nosniff"), "{method} {target}: {}", stream.head);
            assert_eq!(says("cross-origin-resource-policy"), Some("same-origin"), "{method} {target}: {}", stream.head);
        }
    }
}
