//! Files from a directory: what is handed out, and what never is.
use super::fixture::*;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A directory `public` and what lies beside it, gone with the test.
struct Site(PathBuf);

impl Site {
    fn new(files: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let site = Self(std::env::temp_dir().join(format!("fanfare-static-{}-{number}", std::process::id())));
        for file in ["secret", "public/file.txt"].iter().chain(files) {
            fs::create_dir_all(site.0.join(file).parent().unwrap()).unwrap();
            fs::write(site.0.join(file), format!("this is {file}")).unwrap();
        }
        site
    }

    fn public(&self) -> PathBuf {
        self.0.join("public")
    }

    async fn serve(&self) -> Fixture {
        serve_with(|settings| settings.static_dir = Some(self.public())).await
    }

    async fn serve_with_fallback(&self, file: &str) -> Fixture {
        serve_with(|settings| {
            settings.static_dir = Some(self.public());
            settings.fallback = Some(file.into());
            settings.aliases = [("/sse".to_owned(), vec!["news".to_owned()])].into();
        })
        .await
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

const HTML: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

#[tokio::test]
async fn names_that_begin_with_a_dot_are_not_there() {
    let files =
        ["public/.env", "public/.git/config", "public/sub/.hidden/x", "public/.well-known/security.txt", "public/a..b"];
    let site = Site::new(&files);
    let server = site.serve().await;
    for path in [
        "/.env",
        "/%2eenv",
        "/%2Eenv",
        "/.git/config",
        "/.git/",
        "/.git",
        "/sub/.hidden/x",
        "/sub/%2ehidden/x",
        "/sub/..%2f.env",
        "/sub%2f..%2f.env",
        "/sub%2f.hidden%2fx",
        "/sub/../.env",
        "/sub/..%5c.env",
        "/.env%00",
        "/.env%00.txt",
        "//.env",
        "/./.env",
        "/%2e/.env",
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/.well-known/../.env",
        "/.well-known%2f..%2f.env",
        "/file.txt%2f..%2f.env",
    ] {
        for (method, headers) in [("GET", ""), ("HEAD", ""), ("GET", "Range: bytes=0-1\r\n"), ("GET", HTML)] {
            let request = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n");
            let answer = server.send(request.as_bytes()).await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
            assert!(!answer.body.contains("this is"), "{method} {path}: {}", answer.body);
        }
    }
    for (path, file) in
        [("/file.txt", "public/file.txt"), ("/.well-known/security.txt", files[3]), ("/a..b", "public/a..b")]
    {
        let answer = server.get(path, "").await;
        assert_eq!((answer.status, answer.body), (200, format!("this is {file}")));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_do_not_lead_out() {
    use std::os::unix::fs::symlink;
    let site = Site::new(&["public/sub/inner.txt", "public/.env", "other/index.html"]);
    let link = |target: &str, link: &str| symlink(target, site.public().join(link)).unwrap();
    link("../secret", "out.txt");
    link(site.0.join("secret").to_str().unwrap(), "absolute.txt");
    link("..", "up");
    link("../other", "other");
    link(".env", "env.txt");
    link("/proc/self/environ", "environ");
    link("file.txt", "in.txt");
    link("sub", "folder");
    let server = site.serve().await;
    for path in ["/out.txt", "/absolute.txt", "/up/secret", "/up/", "/up", "/other/", "/other", "/env.txt", "/environ"]
    {
        for headers in
            ["", "Range: bytes=0-1\r\n", "If-None-Match: *\r\n", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"]
        {
            let answer = server.get(path, headers).await;
            assert_eq!(answer.status, 404, "{path} {headers}: {}", answer.body);
        }
        let head = format!("HEAD {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        assert_eq!(server.send(head.as_bytes()).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/in.txt", "").await.body, "this is public/file.txt");
    assert_eq!(server.get("/folder/inner.txt", "").await.body, "this is public/sub/inner.txt");
}

/// A pipe without a writer would keep a thread of the server for each request.
#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_not_there() {
    let site = Site::new(&[]);
    assert!(std::process::Command::new("mkfifo").arg(site.public().join("pipe")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(site.public().join("socket")).unwrap();
    let server = site.serve().await;
    for path in ["/pipe", "/socket"] {
        assert_eq!(server.get(path, "").await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn files_have_types_ranges_and_conditions() {
    let site = Site::new(&["public/sub/index.html"]);
    let server = site.serve().await;
    let whole = server.get("/file.txt", "").await;
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("text/plain")));
    let tag = whole.header("etag").unwrap();
    assert_eq!(server.get("/file.txt", &format!("If-None-Match: {tag}\r\n")).await.status, 304);
    let part = server.get("/file.txt", "Range: bytes=0-3\r\n").await;
    assert_eq!((part.status, part.body.as_str()), (206, "this"));
    let head = server.send(b"HEAD /file.txt HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((head.status, head.header("content-length"), head.body.as_str()), (200, Some("23"), ""));
    let folder = server.get("/sub?x=1", "").await;
    assert_eq!((folder.status, folder.header("location")), (307, Some("/sub/?x=1")));
    assert_eq!(server.get("/sub/", "").await.body, "this is public/sub/index.html");
    assert_eq!(server.get("//sub", "").await.status, 404, "a redirection would lead to the host 'sub'");
    let refused = server.post("/file.txt", "", "x").await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("get, head")));
}

#[tokio::test]
async fn an_index_takes_the_place_of_the_hubs_page() {
    let site = Site::new(&["public/fanfare/mine.txt"]);
    let server = site.serve().await;
    let page = |answer: Answer| answer.body.contains("<title>Fanfare</title>");
    assert!(page(server.get("/", "").await), "there is no other");
    fs::write(site.public().join("index.html"), "mine").unwrap();
    let first = server.get("/?x=1", HTML).await;
    assert_eq!((first.status, first.header("content-type"), first.body.as_str()), (200, Some("text/html"), "mine"));
    assert!(page(server.get("/fanfare", "").await));
    assert_eq!(server.get("/fanfare/app.js", "").await.status, 200);
    assert_eq!(server.get("/fanfare/mine.txt", "").await.status, 200);
    // The page finds its files relative to where it is.
    let back = server.get("/fanfare/", "").await;
    assert_eq!((back.status, back.header("location")), (308, Some("../fanfare")));
    assert_eq!(server.get("/index.html", "").await.body, "mine");
}

#[tokio::test]
async fn without_the_page_nothing_is_there() {
    let server = serve_with(|settings| settings.page = false).await;
    for path in ["/", "/fanfare", "/fanfare/", "/fanfare/app.js"] {
        assert_eq!(server.get(path, "").await.status, 404, "{path}");
    }
    assert_eq!(server.get("/healthz", "").await.status, 200);
}

#[tokio::test]
async fn a_page_that_is_not_there_falls_back_to_the_applications() {
    let site = Site::new(&["public/app/start page.html"]);
    let server = site.serve_with_fallback("app/start page.html").await;
    for path in ["/", "/orders", "/orders/7?x=1", "/deep/er/", "/john.doe", "/topicsx", "/sse2", "/app/missing.html"] {
        let answer = server.get(path, HTML).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "this is public/app/start page.html"), "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html"));
        assert!(answer.head.contains("vary: ") && answer.head.contains("accept"), "{}", answer.head);
    }
    let head = server.send(format!("HEAD /orders HTTP/1.0\r\nHost: localhost\r\n{HTML}\r\n").as_bytes()).await;
    assert_eq!(head.status, 200);
    assert_eq!(server.get("/file.txt", HTML).await.body, "this is public/file.txt");
    for accept in [
        "",
        "Accept: */*\r\n",
        "Accept: application/json\r\n",
        "Accept: text/event-stream\r\n",
        "Accept: text/html;q=0\r\n",
    ] {
        assert_eq!(server.get("/orders", accept).await.status, 404, "{accept}");
    }
    for path in [
        "/.well-known/missing",
        "/%2ewell-known/missing",
        "/topics/",
        "/healthz/x",
        "/sse/x",
        "/fanfare/missing",
        "/.env",
        "/%2fetc",
        "/a/..%2fb",
    ] {
        assert_eq!(server.get(path, HTML).await.status, 404, "{path}");
    }
    assert_eq!(server.post("/orders", HTML, "x").await.status, 405);
    let stream = server.subscribe("/sse", HTML).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
}

#[test]
fn a_fallback_is_checked_before() {
    let site = Site::new(&["public/index.html", "public/.hidden"]);
    let check = |name: &str| fanfare_server::files::check(Path::new(&site.public()), name).is_ok();
    assert!(check("index.html"));
    for name in
        ["", ".", "..", "../secret", "../public/index.html", ".hidden", "/index.html", "index.html/", "missing", "a\0b"]
    {
        assert!(!check(name), "{name:?}");
    }
}
