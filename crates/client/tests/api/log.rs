//! A server that has kept its events, and a client that gets them all.
use crate::{
    connection::Connection,
    fixture::{data, play, run, signals},
    server::Server,
};
use fanfare_client::ManualClock;

/// Events with an ID each, of which a server sends those behind the one that it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Log(Vec<String>);

impl Log {
    pub(crate) fn new(data: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(data.into_iter().map(Into::into).collect())
    }

    pub(crate) fn after(&self, id: &str) -> Vec<u8> {
        let from = if id.is_empty() { 0 } else { id.parse().expect("an ID of this log") };
        let events = self.0.iter().enumerate().skip(from).map(|(index, data)| {
            let lines: String = data.split('\n').map(|line| format!("data: {line}\n")).collect();
            format!("{lines}id: {}\n\n", index + 1)
        });
        events.collect::<String>().into_bytes()
    }

    /// Receives it over connections that break after so many bytes each, and then over one that does not.
    pub(crate) fn check(&self, cuts: &[usize]) {
        run(async {
            let (log, cuts, clock) = (self.clone(), cuts.to_vec(), ManualClock::new());
            let server = Server::answering(move |number, request| {
                let rest = log.after(request.last_event_id());
                match cuts.get(number) {
                    Some(&cut) => Connection::stream().piece(&rest[..cut.min(rest.len())]).close(),
                    None if rest.is_empty() => Connection::answer(204, "", ""),
                    None => Connection::stream().piece(rest).end(),
                }
            });
            let (events, error) = play(&mut signals(&server, &clock), &clock).await;
            assert!(error.is_none(), "{error:?}");
            assert_eq!(data(&events), self.0, "each event comes once, in order");
        });
    }
}
