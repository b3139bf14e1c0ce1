//! Selects the events that are wanted, and the wanted part of each.
use super::{args::SelectArgs, field::Found, received::Received};
use crate::http::excerpt;
use std::ops::ControlFlow;

/// The result of selecting an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Selected {
    /// The event is wanted. Its data is now only the wanted part.
    Yes,
    /// The event is not wanted.
    No,
    /// The wanted part of the event cannot be read.
    Unreadable,
}

/// The number of unreadable events that are reported one by one; further ones are only counted.
const MAX_TOLD: u64 = 3;

/// Selects the events to print, and the part of each that is printed.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    args: &'a SelectArgs,
    /// The number of events that are still wanted; `None` means all.
    wanted: Option<u64>,
    /// The numbers of events in which the field was searched.
    looked: Looked,
}

/// The numbers of events in which a field was searched, by the result.
#[derive(Debug, Default)]
struct Looked {
    found: u64,
    absent: u64,
    not_json: u64,
}

impl<'a> Filter<'a> {
    pub(super) fn new(args: &'a SelectArgs) -> Self {
        Self { args, wanted: args.count, looked: Looked::default() }
    }

    /// Returns whether `event` is wanted, and reduces its data to the wanted part. Returns [`ControlFlow::Break`] at
    /// the event that marks the end (`--until`).
    pub(super) fn select(&mut self, event: &mut Received) -> ControlFlow<(), Selected> {
        if self.args.until.as_ref() == Some(&event.data) {
            return ControlFlow::Break(());
        }
        if !self.args.types.is_empty() && !self.args.types.contains(&event.event_type) {
            return ControlFlow::Continue(Selected::No);
        }
        if let Some(field) = &self.args.field {
            match field.find(&event.data) {
                Found::Text(data) => {
                    self.looked.found += 1;
                    event.data = data;
                }
                Found::Nothing => {
                    self.looked.absent += 1;
                    return ControlFlow::Continue(Selected::No);
                }
                Found::NotJson => {
                    self.looked.not_json += 1;
                    return ControlFlow::Continue(Selected::Unreadable);
                }
            }
        }
        ControlFlow::Continue(Selected::Yes)
    }

    /// Returns a warning about an event that could not be read; `None` after the first few of them.
    pub(super) fn unreadable(&self, event: &Received) -> Option<String> {
        let data = excerpt(&event.data);
        (self.looked.not_json <= MAX_TOLD)
            .then(|| format!("skipped an event whose data is not JSON (--field needs JSON): {data}"))
    }

    /// Returns warnings about the events that were left out, for the end of the stream.
    pub(super) fn left_out(&self) -> Vec<String> {
        let Looked { found, absent, not_json } = self.looked;
        let more = not_json.saturating_sub(MAX_TOLD);
        let more = (more > 0).then(|| format!("{more} more events are skipped, because their data is not JSON"));
        let field = self.args.field.as_ref().filter(|_| found == 0 && absent > 0);
        let none = field.map(|field| format!("no event has {field}: {absent} are skipped"));
        more.into_iter().chain(none).collect()
    }

    /// Counts a wanted event that is finished. Returns [`ControlFlow::Break`] if it was the last one.
    pub(super) fn count(&mut self) -> ControlFlow<()> {
        self.wanted = self.wanted.map(|wanted| wanted - 1);
        if self.wanted == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event_type: &str, data: &str) -> Received {
        Received { event_type: event_type.into(), data: data.into(), ..Received::default() }
    }

    #[test]
    fn types_fields_and_the_end_are_chosen() {
        let args = SelectArgs {
            types: vec!["a".into(), "message".into()],
            field: Some("x".parse().unwrap()),
            until: Some("[DONE]".into()),
            count: Some(2),
            max_event: crate::quantity::ByteSize(1 << 20),
            skip_large: false,
            unfinished: false,
        };
        let mut filter = Filter::new(&args);
        let mut select = |event_type, data| {
            let mut event = event(event_type, data);
            (filter.select(&mut event), event.data)
        };
        assert_eq!(select("a", r#"{"x":1}"#), (ControlFlow::Continue(Selected::Yes), "1".into()));
        assert_eq!(select("b", r#"{"x":1}"#).0, ControlFlow::Continue(Selected::No));
        assert_eq!(select("message", "{}").0, ControlFlow::Continue(Selected::No));
        assert_eq!(select("message", "{").0, ControlFlow::Continue(Selected::Unreadable));
        assert_eq!(select("b", "[DONE]").0, ControlFlow::Break(()), "whatever its type");
        assert_eq!([filter.count(), filter.count()], [ControlFlow::Continue(()), ControlFlow::Break(())]);
    }
}
