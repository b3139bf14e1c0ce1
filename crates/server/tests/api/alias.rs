//! Paths that existing pages use, and files from a directory.
use super::fixture::*;
use fanfare_server::{hub_path, routes::OwnPaths};

#[tokio::test]
async fn an_alias_is_a_stream_and_other_paths_are_files() {
    let directory = std::env::temp_dir().join(format!("fanfare-static-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("hello.html"), "<p>hello").unwrap();
    let server = serve_with(|settings| {
        settings.aliases = [("/demo_sse.php".to_owned(), vec!["news".to_owned(), "more".to_owned()])].into();
        settings.static_dir = Some(directory.clone());
    })
    .await;
    let mut stream = server.subscribe("/demo_sse.php?x=1", "").await;
    server.publish("/topics/more", "through the alias").await;
    assert_eq!(data(&stream.events(1).await), ["through the alias"]);
    let file = server.get("/hello.html", "").await;
    assert_eq!((file.status, file.header("content-type"), file.body.as_str()), (200, Some("text/html"), "<p>hello"));
    assert_eq!(server.get("/missing", "").await.status, 404);
    assert_eq!(server.get("/../Cargo.toml", "").await.status, 404);
    std::fs::remove_dir_all(directory).unwrap();
}

/// An alias at a path of the server itself is never reached, and `OwnPaths` says so.
#[tokio::test]
async fn the_servers_own_paths_come_first() {
    let metadata = hub_path::metadata_path();
    let own =
        ["/", "/healthz", "/health/live", "/health/ready", "/health/publish", "/topics", "/topics/a/b", &metadata];
    let pages = ["/fanfare", "/fanfare/"];
    let presence = ["/.well-known/mercure/subscriptions", "/.well-known/mercure/subscriptions/a"];
    let free = [
        "/topics/",
        "/.well-known/mercure/subscriptions/",
        "/health",
        "/healthz/",
        "/topic",
        "/.well-known",
        "/fanfares",
        "/sse",
    ];
    for (page, subscriptions) in [(true, false), (false, true)] {
        let all: Vec<_> =
            own.into_iter().chain(pages).chain(presence).chain(free).chain([hub_path::HUB_PATH]).collect();
        let server = serve_with(|settings| {
            settings.aliases = all.iter().map(|path| ((*path).to_owned(), vec!["an alias".to_owned()])).collect();
            settings.page = page;
            settings.subscriptions = subscriptions;
        })
        .await;
        server.publish("/topics/an%20alias", "through an alias").await;
        for path in all {
            let answered = server.get(&format!("{path}?until=now"), "Last-Event-ID: earliest\r\n").await;
            let is_alias = answered.body.contains("through an alias");
            let own = OwnPaths { page, subscriptions };
            assert_eq!(own.contain(path), !is_alias, "{path}, {own:?}: {}", answered.body);
        }
    }
}
