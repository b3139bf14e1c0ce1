//! `Events::until`: streams that say when they are over.
use crate::script::{Answer, Script};
use fanfare_client::{Cause, Error, Events as _};
use futures_util::StreamExt as _;

#[tokio::test(start_paused = true)]
async fn the_marker_ends_the_stream_and_its_connection() {
    let script = Script::new([Answer::Open(&["data: [DONE\n\ndata:  [DONE]\n\n", "data: [DONE]\n\ndata: behind\n\n"])]);
    let mut events = script.source().until("[DONE]");
    for data in ["[DONE", " [DONE]"] {
        assert_eq!(events.next().await.unwrap().unwrap().data, data);
        assert_eq!(events.get_ref().unwrap().last_event_id(), "");
    }
    assert_eq!(script.dropped(), 0);
    assert!(events.next().await.is_none());
    assert_eq!(
        (script.dropped(), script.last_event_ids().len()),
        (1, 1),
        "the connection has ended, and is not made anew"
    );
    assert!(events.next().await.is_none() && events.get_ref().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_end_without_the_marker_is_an_error() {
    // Once over a connection that broke, then 204.
    let script = Script::new([Answer::Events("data: 1\n\n"), Answer::Events("data: 2\n\n")]);
    let mut events = script.source().until("[DONE]");
    assert_eq!(events.next().await.unwrap().unwrap().data, "1");
    assert_eq!(events.next().await.unwrap().unwrap().data, "2");
    let error = events.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Unfinished { marker } if *marker == "[DONE]"), "{error}");
    assert_eq!(error.to_string(), "the events ended before \"[DONE]\" came");
    assert!(events.next().await.is_none());

    let script = Script::new([Answer::Events("data: half an ans")]);
    let mut events = script.builder().method(http::Method::POST).build().unwrap().until("[DONE]");
    assert!(matches!(events.next().await, Some(Err(Error::Unfinished { .. }))), "a POST that ended too soon");

    let source = Script::new([Answer::Open(&["data: 1\n\n"])]).source();
    let handle = source.handle();
    let mut events = source.until("[DONE]");
    assert_eq!(events.next().await.unwrap().unwrap().data, "1");
    handle.close();
    assert!(matches!(events.next().await, Some(Err(Error::Unfinished { .. }))), "closed");
}

#[tokio::test(start_paused = true)]
async fn an_error_stays_what_it_is() {
    let script = Script::new([Answer::Status(404)]);
    let mut events = script.source().until("[DONE]");
    assert_eq!(events.next().await.unwrap().unwrap_err().status(), Some(http::StatusCode::NOT_FOUND));
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn other_streams_have_an_end_too() {
    let script = Script::new([Answer::Open(&["data: 1\n\ndata: 2\n\ndata: 3\n\ndata: end\n\n"])]);
    // Such a filter cannot be moved while it is polled.
    let odd = script.source().filter(|event| {
        let even = matches!(event, Ok(event) if event.data == "2");
        async move { !even }
    });
    let data: Vec<String> = odd.until("end").map(|event| event.unwrap().data.into()).collect().await;
    assert_eq!(data, ["1", "3"]);
    assert_eq!(script.dropped(), 1);
}

/// While the program deals with an event, nobody is silent but the program.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_no_idle_server() {
    let second = std::time::Duration::from_secs(1);
    let script = Script::new([Answer::Every(second, &["data: 1\n\n", "data: 2\n\n"])]);
    let mut source = script.builder().idle_timeout(2 * second).build().unwrap().signals();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|seen| !matches!(seen, fanfare_client::Signal::Reconnecting { .. })) {
        seen.push(source.next().await.unwrap().unwrap());
        tokio::time::sleep(10 * second).await;
    }
    use fanfare_client::Signal::{Event, Open, Reconnecting};
    let [Open(_), Event(_), Event(_), Reconnecting { cause: Cause::IdleTimeout(after), .. }] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert_eq!(*after, 2 * second);
}

#[tokio::test(start_paused = true)]
async fn a_marker_may_be_the_beginning_of_what_ends_the_stream() {
    let script = Script::new([Answer::Open(&[
        "data: [DON\n\ndata: x [DONE]\n\n",
        "data: [DONE] 17 tokens\n\ndata: behind\n\n",
    ])]);
    let events = script.source().until_prefix("[DONE]");
    let data: Vec<String> = events.map(|event| event.unwrap().data.to_string()).collect().await;
    assert_eq!((data, script.dropped()), (vec!["[DON".to_owned(), "x [DONE]".to_owned()], 1));
    let mut cut = Script::new([Answer::Events("data: 1\n\n")]).source().until_prefix("[DONE]");
    assert!(cut.next().await.unwrap().is_ok());
    assert!(matches!(cut.next().await, Some(Err(Error::Unfinished { .. }))));
}
