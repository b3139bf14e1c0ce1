//! Selects the events that the options ask for, and the part of their data that `--field` names.
use super::{args::SelectArgs, field::Found, received::Received};
use crate::http::excerpt;
use std::ops::ControlFlow;

/// The result of selecting an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Selected {
    /// The event is to be printed. Its data was reduced to the part that `--field` names.
    Yes,
    /// The event is not to be printed.
    No,
    /// The part of the event that `--field` names cannot be read, because the data is not JSON.
    Unreadable,
}

/// The number of events with data that is not JSON that are reported one by one. Further events of this kind are only
/// counted.
const MAX_TOLD: u64 = 3;

/// Selects the events to print, and the part of each that is printed.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    args: &'a SelectArgs,
    /// The number of events that are still to be printed (`--count`); `None` means that there is no limit.
    wanted: Option<u64>,
    /// The counts of events in whose data the field of `--field` was looked for.
    looked: Looked,
}

/// Counts the events in whose data the field of `--field` was looked for: those that have it, those that do not, and
/// those whose data is not JSON.
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

    /// Returns whether `event` is to be printed, and reduces its data to the part that `--field` names. Returns
    /// [`ControlFlow::Break`] if it is the event of `--until`, at which the command stops.
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

    /// Returns a warning about an event whose data is not JSON; `None` after the first [`MAX_TOLD`] such events.
    pub(super) fn unreadable(&self, event: &Received) -> Option<String> {
        let data = excerpt(&event.data);
        (self.looked.not_json <= MAX_TOLD)
            .then(|| format!("skipped an event whose data is not JSON (--field needs JSON): {data}"))
    }

    /// Returns warnings about the events that were skipped because of `--field`. They are printed at the end of the
    /// stream.
    pub(super) fn left_out(&self) -> Vec<String> {
        let Looked { found, absent, not_json } = self.looked;
        let more = not_json.saturating_sub(MAX_TOLD);
        let more = (more > 0).then(|| format!("{more} more events are skipped, because their data is not JSON"));
        let field = self.args.field.as_ref().filter(|_| found == 0 && absent > 0);
        let none = field.map(|field| format!("no event has the field {field}: {absent} events are skipped"));
        more.into_iter().chain(none).collect()
    }

    /// Counts an event that was printed or given to a command. Returns [`ControlFlow::Break`] if it was the last event
    /// that `--count` allows.
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
