//! Which events are wanted, and of each how much.
use super::{SelectArgs, received::Received};
use std::ops::ControlFlow;

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Selected {
    /// It is wanted, as it is now.
    Yes,
    /// It is not.
    No,
}

/// Chooses events.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    args: &'a SelectArgs,
    /// How many are still wanted; `None` is all.
    wanted: Option<u64>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(args: &'a SelectArgs) -> Self {
        Self { args, wanted: args.count }
    }

    /// Says whether `event` is wanted, and leaves of its data what is. Breaks at the event that says that there are no
    /// more.
    pub(super) fn select(&self, event: &mut Received) -> ControlFlow<(), Selected> {
        if self.args.until.as_ref() == Some(&event.data) {
            return ControlFlow::Break(());
        }
        if !self.args.types.is_empty() && !self.args.types.contains(&event.event_type) {
            return ControlFlow::Continue(Selected::No);
        }
        if let Some(field) = &self.args.field {
            match field.find(&event.data) {
                Some(data) => event.data = data,
                None => return ControlFlow::Continue(Selected::No),
            }
        }
        ControlFlow::Continue(Selected::Yes)
    }

    /// A wanted event has been dealt with. Breaks if it was the last.
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
        };
        let mut filter = Filter::new(&args);
        let select = |event_type, data| {
            let mut event = event(event_type, data);
            (filter.select(&mut event), event.data)
        };
        assert_eq!(select("a", r#"{"x":1}"#), (ControlFlow::Continue(Selected::Yes), "1".into()));
        assert_eq!(select("b", r#"{"x":1}"#).0, ControlFlow::Continue(Selected::No));
        assert_eq!(select("message", "{}").0, ControlFlow::Continue(Selected::No));
        assert_eq!(select("b", "[DONE]").0, ControlFlow::Break(()), "whatever its type");
        assert_eq!([filter.count(), filter.count()], [ControlFlow::Continue(()), ControlFlow::Break(())]);
    }
}
