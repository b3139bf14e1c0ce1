//! The main loop of `fanfare subscribe`: takes each event from its stream, and prints it or runs a command with it.
//!
//! The first attempt to connect must succeed, unless `--reconnect always` is given, so that a wrong address is reported
//! at once.
use super::{
    SubscribeError,
    args::{SelectArgs, SubscribeArgs},
    ends::{Ends, MAX_IN_VAIN},
    exec,
    failure::{self, Heeded},
    filter::{Filter, Selected},
    format::Style,
    output::Output,
    received::Received,
    status::Status,
    stream,
};
use crate::{
    http::{Ending, Party},
    reconnect::Reconnect,
    request::{Asking, Source, Transport},
};
use fanfare_client::{Block, Cause, Error, MessageEvent, Signal, Signals, Warning};
use fanfare_hub::notice;
use futures_util::{FutureExt as _, Stream as _};
use std::{future::poll_fn, ops::ControlFlow, pin::Pin, task::Poll};
use tokio::time::{Interval, interval};

/// One of the streams that are followed.
struct Followed {
    /// The server or hub that the arguments name. A redirect may lead to another server.
    first: Party,
    transport: Transport,
    signals: Signals,
    enveloped: bool,
    /// The reaction to an event of this stream that looks like a report of an error.
    errors: Heeded,
    /// The reason in the first event that reported an error, if the command continued after this event.
    failed: Option<String>,
    /// The record of how the stream's connections ended; `None` without `--until`.
    ends: Option<Ends>,
    opened: bool,
    ended: bool,
}

/// Follows streams and prints their events.
struct Follow<'a> {
    args: &'a SubscribeArgs,
    filter: Filter<'a>,
    /// The output; `None` if events only go to a command.
    output: Option<Output>,
    status: Status,
    /// True if there are several streams, so that each event must name its origin.
    several: bool,
}

/// Prints the events of `sources` until enough events were printed, or all streams have ended.
///
/// # Errors
/// [`SubscribeError`] if a stream fails, or if its events cannot be printed or given to the command.
pub(super) async fn follow(sources: &[Source], args: &SubscribeArgs) -> Result<(), SubscribeError> {
    if sources.len() > 1 && args.resume.state.is_some() {
        return Err(SubscribeError::StateOfSeveral);
    }
    let style = Style {
        format: args.print.format(args.select.field.is_some()),
        join: args.print.join,
        timestamps: args.print.timestamps,
    };
    let mut follow = Follow {
        args,
        filter: Filter::new(&args.select),
        output: (args.print.exec.is_none() || args.print.format.is_some()).then(|| Output::new(style)),
        status: Status::new(&args.print),
        several: sources.len() > 1,
    };
    let asking = Asking::new(&args.request, sources, args.print.quiet).map_err(SubscribeError::Request)?;
    let followed = |source: &Source| {
        let transport = asking.transport(source);
        let signals = stream::event_source(source, (&asking, &transport), args)?.signals();
        let (first, enveloped) = (source.party(), source.is_enveloped());
        let errors = failure::heeded(source, args);
        let ends = args.select.until.as_ref().map(|_| Ends::default());
        Ok(Followed { first, transport, signals, enveloped, errors, failed: None, ends, opened: false, ended: false })
    };
    let mut streams = sources.iter().map(followed).collect::<Result<Vec<_>, _>>()?;
    follow.run(&mut streams).await
}

impl Followed {
    /// Returns the party that the latest request was sent to.
    fn party(&self) -> Party {
        self.transport.party(&self.first)
    }

    fn ended_for(&self, error: Error) -> SubscribeError {
        SubscribeError::Stream(Box::new(Ending { party: self.party(), error }))
    }
}

impl Follow<'_> {
    async fn run(&mut self, streams: &mut [Followed]) -> Result<(), SubscribeError> {
        let mut ended = self.follow(streams).await.and_then(|()| failed(streams));
        self.filter.left_out().iter().for_each(|text| self.status.warn(text));
        // Even if the command failed, the output is flushed, and the last event ID that was acknowledged is saved. A
        // reader that has closed the output is not a failure.
        ended = ended.and(self.show().map(drop));
        for stream in streams {
            let flushed = stream.signals.source().flush().await;
            ended = ended.and(flushed.map_err(|error| stream.ended_for(error)));
        }
        ended
    }

    async fn follow(&mut self, streams: &mut [Followed]) -> Result<(), SubscribeError> {
        let mut ticks = interval(Status::INTERVAL);
        while let Some((at, happened)) = self.next(streams, &mut ticks).await? {
            let stream = &mut streams[at];
            let goes_on = match happened {
                Some(Ok(Signal::Event(event))) => self.event(event, stream).await?,
                Some(Ok(Signal::Comment(text))) => self.comment(&text)?,
                Some(Ok(Signal::Block(block))) => self.block(&block)?,
                Some(Ok(signal)) => {
                    self.signal(signal, stream)?;
                    ControlFlow::Continue(())
                }
                Some(Err(error)) => return Err(stream.ended_for(error)),
                None => {
                    stream.ended = true;
                    ControlFlow::Continue(())
                }
            };
            if goes_on.is_break() {
                return Ok(());
            }
        }
        match &self.args.select.until {
            Some(marker) if streams.iter().all(|stream| stream.ended) => {
                Err(SubscribeError::Unfinished { marker: marker.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Returns the next signal, and the index of its stream; `None` when all streams have ended or the reader has
    /// closed the output. Flushes the output before it waits.
    async fn next(
        &mut self,
        streams: &mut [Followed],
        ticks: &mut Interval,
    ) -> Result<Option<(usize, Option<Result<Signal, Error>>)>, SubscribeError> {
        if streams.iter().all(|stream| stream.ended) {
            return Ok(None);
        }
        if let Some(ready) = next_of(streams).now_or_never() {
            return Ok(Some(ready));
        }
        if self.show()?.is_break() {
            return Ok(None);
        }
        loop {
            self.status.draw();
            tokio::select! {
                biased;
                next = next_of(streams) => return Ok(Some(next)),
                _ = ticks.tick(), if self.status.is_live() => {}
            }
        }
    }

    async fn event(&mut self, came: MessageEvent, stream: &mut Followed) -> Result<ControlFlow<()>, SubscribeError> {
        let SelectArgs { until, types, .. } = &self.args.select;
        let is_marker = until.as_deref() == Some(came.data.as_str());
        let is_named = || types.iter().any(|name| name.as_str() == came.event_type.as_str());
        if notice::is_about_the_connection(&came.event_type) && !is_marker && !is_named() {
            // No publisher has sent this event. Its ID is a place in the hub's log, and is noted like that of any other
            // event.
            stream.signals.source().acknowledge(&came);
            return Ok(ControlFlow::Continue(()));
        }
        self.status.event();
        let mut event = Received::new(&came, stream.enveloped);
        if self.several {
            event.origin = Some(came.origin.to_string());
        }
        let failed = (stream.errors != Heeded::Nowhere).then(|| failure::reason(&event)).flatten();
        let ControlFlow::Continue(selected) = self.filter.select(&mut event) else {
            stream.signals.source().acknowledge(&came);
            return Ok(ControlFlow::Break(()));
        };
        if stream.errors == Heeded::AtTheEnd {
            stream.failed = stream.failed.take().or(failed);
        } else if let Some(reason) = failed {
            if selected == Selected::Yes {
                let _ = self.deal_with(&event, &came).await?;
            }
            return Err(SubscribeError::Failed { party: stream.party(), reason });
        }
        if selected == Selected::Unreadable {
            self.filter.unreadable(&event).into_iter().for_each(|text| self.status.warn(&text));
        }
        if selected == Selected::Yes && self.deal_with(&event, &came).await?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        stream.signals.source().acknowledge(&came);
        Ok(if selected == Selected::Yes { self.filter.count() } else { ControlFlow::Continue(()) })
    }

    /// Prints the event and runs the command of `--exec` with it. Returns [`ControlFlow::Break`] if the reader has
    /// closed the output.
    async fn deal_with(&mut self, event: &Received, came: &MessageEvent) -> Result<ControlFlow<()>, SubscribeError> {
        if let Some(output) = &mut self.output {
            self.status.clear();
            if output.print(event, came)?.is_break() || (self.args.resume.state.is_some() && output.flush()?.is_break())
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        if let Some(command) = &self.args.print.exec {
            // The event is shown before the command of `--exec` runs. The command is run even if this flush finds that
            // the reader has closed the output: a later write to the output then ends `subscribe`.
            let _ = self.show()?;
            exec::run(command, event, came.origin.as_str()).await?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn comment(&mut self, text: &str) -> Result<ControlFlow<()>, SubscribeError> {
        self.output.as_mut().map_or(Ok(ControlFlow::Continue(())), |output| output.comment(text))
    }

    fn block(&mut self, block: &Block) -> Result<ControlFlow<()>, SubscribeError> {
        self.output.as_mut().map_or(Ok(ControlFlow::Continue(())), |output| output.block(block))
    }

    fn signal(&mut self, signal: Signal, stream: &mut Followed) -> Result<(), SubscribeError> {
        match signal {
            Signal::Open(_) => {
                stream.opened = true;
                if let Some(ends) = &mut stream.ends {
                    ends.opened();
                }
            }
            Signal::Reconnecting { cause, .. } if !stream.opened && self.args.resume.reconnect != Reconnect::Always => {
                let ending = Ending { party: stream.party(), error: cause };
                return Err(SubscribeError::NotOpened(Box::new(ending)));
            }
            Signal::Reconnecting { cause: Cause::EndOfStream, .. } => self.ended_early(stream)?,
            _ => {}
        }
        self.status.signal(&signal, &stream.party());
        if let Signal::Warning(Warning::EventSkipped { last_event_id, .. }) = &signal {
            stream.signals.source().acknowledge_skipped(last_event_id);
        }
        Ok(())
    }

    /// Warns that a connection ended before the event that `--until` names. Fails if too many connections in a row
    /// brought no new event.
    fn ended_early(&mut self, stream: &mut Followed) -> Result<(), SubscribeError> {
        let (Some(marker), Some(ends)) = (&self.args.select.until, &mut stream.ends) else { return Ok(()) };
        let in_vain = ends.ended(stream.signals.source().last_event_id());
        if in_vain == MAX_IN_VAIN {
            return Err(SubscribeError::InVain { party: stream.party(), marker: marker.clone() });
        }
        self.status.warn(&format!(
            "{} ended the stream before {marker:?} arrived (--until); reconnecting",
            stream.party().place()
        ));
        Ok(())
    }

    /// Flushes the output. Returns [`ControlFlow::Break`] if its reader has closed it.
    fn show(&mut self) -> Result<ControlFlow<()>, SubscribeError> {
        self.status.clear();
        self.output.as_mut().map_or(Ok(ControlFlow::Continue(())), Output::flush)
    }
}

/// Fails if an event of a stream has reported an error, after which the command continued.
fn failed(streams: &mut [Followed]) -> Result<(), SubscribeError> {
    let failed = streams.iter_mut().find_map(|stream| Some((stream.party(), stream.failed.take()?)));
    failed.map_or(Ok(()), |(party, reason)| Err(SubscribeError::Failed { party, reason }))
}

/// Returns the next signal of any of `streams`, and the index of that stream. No signal is lost if the future is
/// dropped.
async fn next_of(streams: &mut [Followed]) -> (usize, Option<Result<Signal, Error>>) {
    poll_fn(|cx| {
        for (at, stream) in streams.iter_mut().enumerate().filter(|(_, stream)| !stream.ended) {
            if let Poll::Ready(next) = Pin::new(&mut stream.signals).poll_next(cx) {
                return Poll::Ready((at, next));
            }
        }
        Poll::Pending
    })
    .await
}
