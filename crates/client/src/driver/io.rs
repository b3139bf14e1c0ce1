//! The one thing that a driver waits for, beside the time.
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
    /// The store.
    Loading(Kept<Option<String>>),
    /// The hook for attempts.
    Preparing(BoxFuture<Result<Attempt, HookError>>),
    /// The head of a response, from this URL.
    Sending(BoxFuture<Result<Response<ResponseBody>, BoxError>>, Url),
    /// The body of a response.
    Body(ResponseBody),
    /// The body has ended: the session is told when all signals before it are.
    Ended(Cause),
}

/// The body without what `Content-Encoding` says was done to it.
pub(super) fn decoded(parts: &Parts, body: ResponseBody) -> Result<ResponseBody, EncodingError> {
    let decoded = Decoded::new(body, &parts.headers)?;
    Ok(decoded.into_plain().unwrap_or_else(|decoded| decoded.map_err(Into::into).boxed_unsync()))
}

/// The reason why a transport has no response.
pub(super) fn no_answer(error: BoxError) -> Cause {
    #[cfg(feature = "hyper")]
    if let Some(error) = error.downcast_ref::<crate::transport::HyperError>()
        && let crate::transport::Failure::ConnectTimeout(time) = error.failure()
    {
        return Cause::ConnectTimeout(*time);
    }
    Cause::Transport(error.into())
}
