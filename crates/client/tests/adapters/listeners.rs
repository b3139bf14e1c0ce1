//! `Listeners`: callbacks, as browsers have them.
use crate::script::{Answer, Script};
use fanfare_client::{Error, ErrorEvent, EventSource, Listeners, MessageEvent, ReadyState};
use std::sync::Mutex;

/// The calls, in order.
#[derive(Default)]
struct Calls(Mutex<Vec<String>>);

impl Calls {
    fn note(&self, who: &'static str) -> impl FnMut(&MessageEvent) + Send {
        move |event| self.push(format!("{who} {}", event.data))
    }

    fn push(&self, call: String) {
        self.0.lock().unwrap().push(call);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Notes connections that come and go.
    fn watch<'a>(&'a self, source: EventSource) -> Listeners<'a> {
        let opened = |opened: &fanfare_client::Opened| self.push(format!("open {:?}", &*opened.last_event_id));
        let failed = |error: &ErrorEvent<'_>| self.push(format!("error {:?}: {error}", error.ready_state()));
        source.listen().on_open(opened).on_error(failed)
    }
}

const STREAM: &str = "data: 1\n\nevent: add\nid: x\ndata: 2\n\nevent: error\ndata: 3\n\n";

#[tokio::test(start_paused = true)]
async fn everyone_is_called_whom_an_event_concerns_in_order() {
    let calls = Calls::default();
    let listeners = calls
        .watch(Script::new([Answer::Events(STREAM)]).source())
        .add_event_listener("message", calls.note("first"))
        .on_message(calls.note("replaced"))
        .add_event_listener("add", calls.note("add"))
        .add_event_listener("message", calls.note("third"))
        .add_event_listener("add", calls.note("add too"))
        .add_event_listener("error", calls.note("type error"))
        .add_event_listener("other", calls.note("never"))
        .on_message(calls.note("on_message"));
    listeners.run().await.unwrap();
    let expected = [
        "open \"\"",
        "first 1",
        "on_message 1",
        "third 1",
        "add 2",
        "add too 2",
        "type error 3",
        "error Connecting: the server ended the stream; reconnecting in 1s",
        "error Closed: the server has no more events",
    ];
    assert_eq!(calls.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_end_is_told_and_returned() {
    let calls = Calls::default();
    let script = Script::new([Answer::Events(STREAM), Answer::Status(403)]);
    let error = calls.watch(script.source()).run().await.unwrap_err();
    assert!(matches!(error, Error::Status { .. }));
    let calls = calls.take();
    assert_eq!(calls.last().unwrap(), "error Closed: the server answered 403 Forbidden");
    assert_eq!(script.last_event_ids(), ["", "x"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_after_close() {
    // Whatever is called closes.
    let cases: [(&str, &[&str]); 3] = [
        ("open", &["open \"\""]),
        ("message", &["open \"\"", "first 1"]),
        (
            "error",
            &["open \"\"", "first 1", "last 1", "error Connecting: the server ended the stream; reconnecting in 1s"],
        ),
    ];
    for (closes, expected) in cases {
        let calls = Calls::default();
        let source = Script::new([Answer::Events("data: 1\n\n"), Answer::Events("data: 2\n\n")]).source();
        let handle = source.handle();
        let close = |when: &'static str, call: String| {
            calls.push(call);
            if when == closes {
                handle.close();
            }
        };
        let listeners = source
            .listen()
            .on_open(|opened| close("open", format!("open {:?}", &*opened.last_event_id)))
            .on_message(|event| close("message", format!("first {}", event.data)))
            .add_event_listener("message", |event| close("last", format!("last {}", event.data)))
            .on_error(|error| close("error", format!("error {:?}: {error}", error.ready_state())));
        assert_eq!(listeners.handle().ready_state(), ReadyState::Connecting);
        listeners.run().await.unwrap();
        assert_eq!(calls.take(), expected, "closed on {closes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_future_that_runs_can_go_to_another_thread() {
    let source = Script::new([Answer::Events("data: 1\n\n")]).source();
    let seen = std::sync::Arc::new(Calls::default());
    let calls = seen.clone();
    tokio::spawn(source.listen().on_message(move |event| calls.push(event.data.to_string())).run())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.take(), ["1"]);
}
