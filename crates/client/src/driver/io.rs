//! The one operation that a driver waits for at a time, besides its timer.
use crate::{
    Attempt, BoxError, Cause, EncodingError, HookError, decode::Decoded, keeper::Kept, transport::ResponseBody,
};
use http::{Response, response::Parts};
use http_body_util::BodyExt as _;
use std::{future::Future, pin::Pin};
use url::Url;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(super) enum Io {
    Nothing,
    /// The store loads the last event ID.
    Loading(Kept<Option<String>>),
    /// The hook for attempts prepares the request.
    Preparing(BoxFuture<Result<Attempt, HookError>>),
    /// The transport has sent a request to this URL and waits for the head of the response.
    Sending(BoxFuture<Result<Response<ResponseBody>, BoxError>>, Url),
    /// The body of a response is being read.
    Body(ResponseBody),
    /// The body has ended for this reason. The driver reports the end to the session after all earlier signals were
    /// given to the program.
    Ended(Cause),
}

/// Returns the body with its `Content-Encoding` undone.
pub(super) fn decoded(parts: &Parts, body: ResponseBody) -> Result<ResponseBody, EncodingError> {
    let decoded = Decoded::new(body, &parts.headers)?;
    Ok(decoded.into_plain().unwrap_or_else(|decoded| decoded.map_err(Into::into).boxed_unsync()))
}

/// Converts the error of a request that got no response to the cause that the program sees.
pub(super) fn no_answer(error: BoxError) -> Cause {
    #[cfg(feature = "hyper")]
    if let Some(error) = error.downcast_ref::<crate::transport::HyperError>()
        && let crate::transport::Failure::ConnectTimeout(time) = error.failure()
    {
        return Cause::ConnectTimeout(*time);
    }
    Cause::Transport(error.into())
}
