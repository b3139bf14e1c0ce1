//! The way of each event, from its stream to what is printed or run.
//!
//! For people at a terminal the first attempt must succeed, unless they say otherwise: a wrong address is told at once.
use super::{
    SubscribeError,
    args::SubscribeArgs,
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
    request::{Asking, Source},
};
use fanfare_client::{Block, Cause, Error, MessageEvent, Signal, Signals, Warning};
use futures_util::{FutureExt as _, Stream as _};
use std::{future::poll_fn, ops::ControlFlow, pin::Pin, task::Poll};
use tokio::time::{Interval, interval};

/// One of the streams that are followed.
struct Followed {
    party: Party,
    signals: Signals,
    enveloped: bool,
    /// The meaning of an error among its events.
    errors: Heeded,
    /// The reason that the first error among its events gives, if the stream went on after it.
    failed: Option<String>,
    /// The ends of its connections; only where the event is known that is to be the last.
    ends: Option<Ends>,
    opened: bool,
    ended: bool,
}

/// Follows streams and prints their events.
struct Follow<'a> {
    args: &'a SubscribeArgs,
    filter: Filter<'a>,
    /// `None` if events go to a command alone.
    output: Option<Output>,
    status: Status,
    /// True if it has to be said where an event came from.
    several: bool,
}

/// Prints the events of `sources` until there are enough, or no more.
///
/// # Errors
/// [`SubscribeError`] if a stream cannot be had, or its events cannot be dealt with.
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
        let signals = stream::event_source(source, &asking, args)?.signals();
        let (party, enveloped) = (source.party(), source.is_enveloped());
        let errors = failure::heeded(source, args);
        let ends = args.select.until.as_ref().map(|_| Ends::default());
        Ok(Followed { party, signals, enveloped, errors, failed: None, ends, opened: false, ended: false })
    };
    let mut streams = sources.iter().map(followed).collect::<Result<Vec<_>, _>>()?;
    follow.run(&mut streams).await
}

impl Followed {
    fn ended_for(&self, error: Error) -> SubscribeError {
        SubscribeError::Stream(Box::new(Ending { party: self.party.clone(), error }))
    }
}

impl Follow<'_> {
    async fn run(&mut self, streams: &mut [Followed]) -> Result<(), SubscribeError> {
        let mut ended = self.follow(streams).await.and_then(|()| failed(streams));
        self.filter.left_out().iter().for_each(|text| self.status.warn(text));
        // What was dealt with is kept also when something went wrong after it; that nobody reads on is no failure.
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

    /// Returns what happens next, and on which stream; `None` when all have ended or nobody reads on. What was printed
    /// is shown before anything is waited for.
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
            return Err(SubscribeError::Failed { party: stream.party.clone(), reason });
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

    /// Prints the event and runs the command with it: then it counts.
    async fn deal_with(&mut self, event: &Received, came: &MessageEvent) -> Result<ControlFlow<()>, SubscribeError> {
        if let Some(output) = &mut self.output {
            self.status.clear();
            if output.print(event, came)?.is_break() || (self.args.resume.state.is_some() && output.flush()?.is_break())
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        if let Some(command) = &self.args.print.exec {
            // The command is to be run even where nobody reads what was printed.
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
                let ending = Ending { party: stream.party.clone(), error: cause };
                return Err(SubscribeError::NotOpened(Box::new(ending)));
            }
            Signal::Reconnecting { cause: Cause::EndOfStream, .. } => self.ended_early(stream)?,
            _ => {}
        }
        self.status.signal(&signal, &stream.party);
        if let Signal::Warning(Warning::EventSkipped { last_event_id, .. }) = &signal {
            stream.signals.source().acknowledge_skipped(last_event_id);
        }
        Ok(())
    }

    /// Tells of a connection that ended before the event that is to be the last. Fails if another one promises no more.
    fn ended_early(&mut self, stream: &mut Followed) -> Result<(), SubscribeError> {
        let (Some(marker), Some(ends)) = (&self.args.select.until, &mut stream.ends) else { return Ok(()) };
        let in_vain = ends.ended(stream.signals.source().last_event_id());
        if in_vain == MAX_IN_VAIN {
            return Err(SubscribeError::InVain { party: stream.party.clone(), marker: marker.clone() });
        }
        self.status
            .warn(&format!("{} ended the stream before {marker:?} came (--until); asking again", stream.party.place()));
        Ok(())
    }

    /// Shows what was printed. Breaks when nobody reads on.
    fn show(&mut self) -> Result<ControlFlow<()>, SubscribeError> {
        self.status.clear();
        self.output.as_mut().map_or(Ok(ControlFlow::Continue(())), Output::flush)
    }
}

/// Fails if a stream told of an error and went on, which its end could not tell.
fn failed(streams: &mut [Followed]) -> Result<(), SubscribeError> {
    let failed = streams.iter_mut().find_map(|stream| Some((stream.party.clone(), stream.failed.take()?)));
    failed.map_or(Ok(()), |(party, reason)| Err(SubscribeError::Failed { party, reason }))
}

/// Returns what happens next on any of `streams`. Nothing is lost when it is not waited for.
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
