//! Tests of which IDs may be saved, and when.
use super::{
    super::Comments,
    play::{Play, rules},
};
use crate::{Acknowledge, Signal, Text};

impl Play {
    /// Makes a session that saves IDs, with an open stream that has brought `chunk`.
    fn with(chunk: &str, when: Acknowledge) -> Self {
        let mut play = Self::keeping(rules(), when);
        play.session.start(play.now);
        play.order();
        play.session.loaded(Ok(None), play.now);
        play.request();
        play.open();
        assert!(play.session.receive(chunk.to_owned().into()));
        play
    }

    /// Asks for the next event, as the program does, and returns its last event ID.
    fn next(&mut self) -> Option<Text> {
        self.session.progress().expect("IDs are kept").next();
        match self.session.next_signal(Comments::Skip)? {
            Signal::Event(event) => Some(event.last_event_id),
            other => panic!("{other:?}"),
        }
    }

    fn take_saved(&mut self) -> Option<Text> {
        self.session.progress().expect("IDs are kept").take_acknowledged()
    }

    fn acknowledge(&mut self, id: &str) {
        self.session.progress().expect("IDs are kept").acknowledge(&id.into());
    }
}

#[test]
fn an_event_is_dealt_with_when_the_next_is_asked_for() {
    let mut play = Play::with("id:1\ndata:a\n\nid:2\ndata:b\n\ndata:c\n\n", Acknowledge::OnNext);
    assert_eq!((play.next().as_deref(), play.take_saved()), (Some("1"), None));
    assert_eq!((play.next().as_deref(), play.take_saved().as_deref()), (Some("2"), Some("1")));
    assert_eq!((play.next().as_deref(), play.take_saved().as_deref()), (Some("2"), Some("2")));
    assert_eq!((play.next(), play.take_saved()), (None, None), "the same ID is not saved again");
}

#[test]
fn of_several_that_wait_the_last_is_saved() {
    let mut play = Play::with("id:1\ndata:a\n\nid:2\ndata:b\n\nid:3\ndata:c\n\n", Acknowledge::OnNext);
    (0..3).for_each(|_| drop(play.next()));
    assert_eq!((play.take_saved().as_deref(), play.take_saved()), (Some("2"), None));
}

#[test]
fn the_program_says_itself_what_it_has_dealt_with() {
    let mut play = Play::with("id:1\ndata:a\n\nid:2\ndata:b\n\nid:3\n\n", Acknowledge::Manual);
    play.next();
    play.next();
    assert_eq!(play.take_saved(), None);
    play.acknowledge("1");
    assert_eq!(play.take_saved().as_deref(), Some("1"));
    play.next();
    play.acknowledge("2");
    assert_eq!(play.take_saved().as_deref(), Some("3"), "the block behind the event is passed with it");
}

/// The program may have dealt with the first of two events with the same ID only.
#[test]
fn an_id_that_two_events_have_does_not_pass_the_block_behind_them() {
    let mut play = Play::with("id:1\ndata:a\n\nid:1\ndata:b\n\nid:2\n\n", Acknowledge::Manual);
    (0..3).for_each(|_| drop(play.next()));
    play.acknowledge("1");
    assert_eq!(play.take_saved().as_deref(), Some("1"));
}

#[test]
fn a_block_without_an_event_counts_at_once_where_nothing_is_before_it() {
    for when in [Acknowledge::OnNext, Acknowledge::Manual] {
        let mut play = Play::with("id:9\n\n", when);
        assert_eq!((play.next(), play.take_saved().as_deref()), (None, Some("9")));
    }
}

#[test]
fn what_was_not_saved_is_saved_again() {
    let mut play = Play::with("id:1\ndata:a\n\n", Acknowledge::Manual);
    play.next();
    play.acknowledge("1");
    play.take_saved();
    play.session.progress().expect("IDs are kept").not_saved();
    play.acknowledge("1");
    assert_eq!(play.take_saved().as_deref(), Some("1"));
}
