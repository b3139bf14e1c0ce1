//! `FileStore` and `MemoryStore`: last event IDs that outlive an event source.
use crate::script::{Answer, Script};
use fanfare_client::{Error, FileStore, FileStoreError, MemoryStore, Store};
use futures_util::{FutureExt as _, StreamExt as _};
use std::{fs, io, path::PathBuf, process};

/// A directory of this test's own.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fanfare-client-{test}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn save(store: &FileStore, id: &str) -> Result<(), FileStoreError> {
    store.save(id.to_owned()).await.map_err(|error| *error.downcast().unwrap())
}

async fn load(store: &FileStore) -> Result<Option<String>, FileStoreError> {
    store.load().await.map_err(|error| *error.downcast().unwrap())
}

#[tokio::test]
async fn a_file_keeps_the_last_id_and_nothing_else() {
    let directory = Directory::new("last");
    let store = FileStore::new(directory.0.join("id"));
    assert_eq!(load(&store).await.unwrap(), None);
    for id in ["1", " two ", "дрей", ""] {
        save(&store, id).await.unwrap();
        assert_eq!(load(&store).await.unwrap(), Some(id.to_owned()).filter(|id| !id.is_empty()));
        assert_eq!(fs::read_to_string(store.path()).unwrap(), format!("{id}\n"));
    }
    assert_eq!(directory.files(), ["id"]);
}

#[tokio::test]
async fn what_no_store_has_written_is_understood_or_refused() {
    let directory = Directory::new("foreign");
    let store = FileStore::new(directory.0.join("id"));
    let long = "x".repeat(FileStore::MAX_BYTES);
    let understood: [(&[u8], _); 6] = [
        (b"", None),
        (b"\n", None),
        (b"7", Some("7")),
        (b"7\r\n", Some("7")),
        (b"\xef\xbb\xbf7", Some("\u{feff}7")),
        (long.as_bytes(), Some(&*long)),
    ];
    for (bytes, id) in understood {
        fs::write(store.path(), bytes).unwrap();
        assert_eq!(load(&store).await.unwrap().as_deref(), id);
    }
    let garbage: [&[u8]; 5] = [b"7\n8\n", b"\n\n", b"\0", b"\xff\xfe", b"7\r8"];
    for bytes in garbage {
        fs::write(store.path(), bytes).unwrap();
        assert!(
            matches!(load(&store).await, Err(FileStoreError::NotAnId { path }) if path == store.path()),
            "{bytes:?}"
        );
    }
    fs::write(store.path(), long + "x").unwrap();
    assert!(matches!(load(&store).await, Err(FileStoreError::TooLarge { .. })));
    save(&store, "9").await.unwrap();
    assert_eq!(load(&store).await.unwrap().as_deref(), Some("9"), "whatever was there is replaced");
}

#[tokio::test]
async fn what_is_saved_can_be_loaded() {
    let directory = Directory::new("bound");
    let store = FileStore::new(directory.0.join("id"));
    let longest = "x".repeat(FileStore::MAX_BYTES - 1);
    save(&store, &longest).await.unwrap();
    assert!(
        matches!(save(&store, &(longest.clone() + "x")).await, Err(FileStoreError::IdTooLong { bytes }) if bytes == FileStore::MAX_BYTES)
    );
    assert_eq!(load(&store).await.unwrap(), Some(longest));
}

#[tokio::test]
async fn a_file_that_cannot_be_replaced_ends_the_event_source() {
    let directory = Directory::new("missing");
    let store = FileStore::new(directory.0.join("nowhere/id"));
    assert!(
        matches!(save(&store, "1").await, Err(FileStoreError::Write { error, .. }) if error.kind() == io::ErrorKind::NotFound)
    );

    let script = Script::new([Answer::Open(&["id: 1\ndata: a\n\n"])]);
    let mut source = script.builder().store(store).build().unwrap();
    assert_eq!(source.next().await.unwrap().unwrap().data, "a");
    let error = source.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Store(_)) && error.to_string().contains("cannot be replaced"), "{error}");

    let store = FileStore::new(&directory.0);
    let mut source = script.builder().store(store).build().unwrap();
    let error = source.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[tokio::test]
async fn an_event_source_goes_on_where_another_stopped() {
    let directory = Directory::new("resume");
    let script =
        Script::new([Answer::Open(&["id: 1\ndata: a\n\nid: 2\ndata: b\n\n"]), Answer::Open(&["id: 3\ndata: c\n\n"])]);
    let source = || script.builder().store(FileStore::new(directory.0.join("id"))).build().unwrap();
    let mut first = source();
    assert_eq!(first.next().await.unwrap().unwrap().data, "a");
    assert_eq!(first.next().await.unwrap().unwrap().data, "b");
    // "b" is not dealt with, since nothing was asked for after it.
    first.flush().await.unwrap();
    drop(first);
    assert_eq!(source().next().await.unwrap().unwrap().data, "c");
    assert_eq!(script.last_event_ids(), ["", "1"]);
}

#[test]
fn a_file_needs_no_runtime() {
    let directory = Directory::new("in-place");
    let store = FileStore::new(directory.0.join("id"));
    store.save("1".into()).now_or_never().unwrap().unwrap();
    assert_eq!(store.load().now_or_never().unwrap().unwrap().as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn memory_passes_an_id_on() {
    let store = MemoryStore::with("0");
    let script = Script::new([Answer::Open(&["id: 1\ndata: a\n\n"])]);
    let mut source = script.builder().store(store.clone()).build().unwrap();
    source.next().await.unwrap().unwrap();
    assert_eq!(store.last_event_id().as_deref(), Some("0"));
    assert!(source.next().now_or_never().is_none());
    assert_eq!((store.last_event_id().as_deref(), script.last_event_ids()), (Some("1"), vec!["0".to_owned()]));
}
