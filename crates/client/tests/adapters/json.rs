//! `Events::json`: events whose data is JSON.
use crate::script::{Answer, Script};
use fanfare_client::{Error, Events as _};
use futures_util::StreamExt as _;
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
struct Delta {
    text: String,
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_none_does_not_end_the_stream() {
    let text = "id: 1\ndata: {\"text\":\ndata:  \"a\"}\n\ndata: {\"text\":\n\ndata: {\"other\": 1}\n\nid: 4\ndata: {\"text\": \"b\"}\n\ndata: [DONE]\n\n";
    let script = Script::new([Answer::Events(text)]);
    let events: Vec<_> = script.source().until("[DONE]").json::<Delta>().map(Result::unwrap).collect().await;
    let values: Vec<_> = events.iter().map(|event| event.value.as_ref().ok().map(|delta| &*delta.text)).collect();
    assert_eq!(values, [Some("a"), None, None, Some("b")]);
    assert!(events[1].value.as_ref().is_err_and(serde_json::Error::is_eof));
    assert!(events[2].value.as_ref().is_err_and(serde_json::Error::is_data));
    assert_eq!(events[1].event.data, "{\"text\":", "the data is there still");
    let ids: Vec<_> = events.iter().map(|event| event.event.id()).collect();
    assert_eq!(ids, [Some("1"), None, None, Some("4")]);
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_stream_are_passed_on() {
    let script = Script::new([Answer::Events("data: {\"text\": \"a\"}\n\n"), Answer::Status(500)]);
    let mut events = script.source().json::<Delta>();
    assert_eq!(events.next().await.unwrap().unwrap().value.unwrap(), Delta { text: "a".into() });
    assert!(matches!(events.next().await, Some(Err(Error::Status { .. }))));
    assert!(events.next().await.is_none());
    assert_eq!(events.get_mut().ready_state(), fanfare_client::ReadyState::Closed);
}

#[tokio::test(start_paused = true)]
async fn other_types_can_be_passed_over_before() {
    const STREAM: &str = "event: ping\ndata: not JSON\n\nevent: delta\ndata: 1\n\ndata: 2\n\nevent: end\ndata: x\n\n";
    let script = Script::new([Answer::Open(&[STREAM, "data: [DONE]\n\n"])]);
    let events = script.source().until("[DONE]").of_types(["delta", "message"]).json::<u32>();
    let values: Vec<u32> = events.map(|event| event.unwrap().value.unwrap()).collect().await;
    assert_eq!(values, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_event_can_be_written_as_json() {
    let script = Script::new([Answer::Open(&["id: 7\nretry: 5\nevent: x\ndata: a\ndata: b\n\ndata: c\n\n"])]);
    let mut source = script.source();
    for expected in [
        r#"{"type":"x","data":"a\nb","lastEventId":"7","origin":"http://script.example","id":"7","retry":5}"#,
        r#"{"type":"message","data":"c","lastEventId":"7","origin":"http://script.example"}"#,
    ] {
        let event = source.next().await.unwrap().unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), expected);
    }
}
