//! Publishes an update again and again at an interval: a heartbeat for demonstrations, or load for a first test.
use super::{
    PublishError,
    publisher::{self, Publisher},
};
use crate::{reconnect::Reconnect, warning};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// The placeholder in a template for the time, in the format of RFC 3339.
pub(super) const TIME: &str = "{time}";

/// Publishes `template`, with its placeholders replaced, at the interval `every`: `count` times, or until the command
/// is stopped, or until the reader of the IDs closes the output. If the hub does not answer and `reconnect` allows to
/// continue, the update is left out with a warning, and the next update follows at its time.
///
/// # Errors
/// [`PublishError`] if an update is not published and `reconnect` does not allow to continue. Then no further update is
/// published.
pub(super) async fn publish(
    publisher: &Publisher,
    template: &str,
    (every, count): (Duration, Option<u64>),
    reconnect: Reconnect,
) -> Result<(), PublishError> {
    let mut was_there = false;
    // An interval of zero means that each update follows as soon as the hub has answered. Tokio does not accept zero,
    // so the interval is 1 ns then.
    let mut interval = tokio::time::interval(every.max(Duration::from_nanos(1)));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for n in 1..=count.unwrap_or(u64::MAX) {
        interval.tick().await;
        match publisher.publish(fill(template, n, Timestamp::now())).await {
            Ok(ids) if publisher::print(&ids)?.is_break() => return Ok(()),
            Ok(_) => was_there = true,
            Err(error) if error.is_passing() && reconnect.asks_again(was_there) => {
                let outcome = if error.is_unanswered() { "may not have been published" } else { "was not published" };
                warning::print(&format!("{error}; update {n} {outcome}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Replaces the placeholders `{count}`, `{time}` and `{unix_ms}`. Other text in braces stays unchanged, because most
/// data is JSON.
fn fill(template: &str, count: u64, now: Timestamp) -> String {
    template
        .replace("{count}", &count.to_string())
        .replace(TIME, &format!("{now:.3}"))
        .replace("{unix_ms}", &now.as_millisecond().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_may_be_json() {
        let now = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        let filled = fill(r#"{"n":{count},"at":"{time}","ms":{unix_ms},"other":"{x}"}"#, 7, now);
        assert_eq!(filled, r#"{"n":7,"at":"2023-11-14T22:13:20.123Z","ms":1700000000123,"other":"{x}"}"#);
    }
}
