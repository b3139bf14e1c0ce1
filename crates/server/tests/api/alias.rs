//! Paths that existing pages use, and files from a directory.
use super::fixture::*;

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
