//! Everything that a driver needs besides the session: the transport, the clock, the cookies, and the hooks of the
//! program.
use super::io::Io;
use crate::{Attempt, Clock, CookieJar, HookError, Verdict, target::Target, transport::Erased};
use bytes::Bytes;
use http::{Request, header::COOKIE, response::Parts};
use http_body_util::Full;
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// The hook that may change each request before it is sent.
pub(crate) type BeforeAttempt =
    dyn Fn(Attempt) -> Pin<Box<dyn Future<Output = Result<Attempt, HookError>> + Send>> + Send + Sync;
/// The hook that may decide what happens after a response.
pub(crate) type OnResponse = dyn Fn(&Parts) -> Verdict + Send + Sync;

pub(crate) struct Outside {
    pub transport: Box<dyn Erased>,
    pub before_attempt: Option<Box<BeforeAttempt>>,
    pub on_response: Option<Box<OnResponse>>,
    #[cfg_attr(not(feature = "hyper"), expect(dead_code, reason = "only the transport over hyper uses this setting"))]
    pub connect_timeout: Option<Duration>,
    pub clock: Arc<dyn Clock>,
    pub cookies: Option<CookieJar>,
}

impl Outside {
    /// Calls the hook for attempts. Returns the future of its result, or a future of the unchanged attempt if there is
    /// no hook.
    pub(super) fn prepare(&self, attempt: Attempt) -> Io {
        match &self.before_attempt {
            Some(hook) => Io::Preparing(hook(attempt)),
            None => Io::Preparing(Box::pin(std::future::ready(Ok(attempt)))),
        }
    }

    /// Starts to send a request. If `repeat` is true, the transport may send the request again over another connection,
    /// if no answer came.
    pub(super) fn send(&self, target: &Target, repeat: bool) -> Io {
        let mut request: Request<Bytes> = target.request().expect("a target is checked when it is made");
        if let Some(cookies) = &self.cookies
            && let Some(value) = cookies.header(&target.url, target.headers.get(COOKIE))
        {
            request.headers_mut().insert(COOKIE, value);
        }
        self.tell_transport(&mut request, repeat);
        Io::Sending(self.transport.send(request.map(Full::new)), target.url.clone())
    }

    /// Adds the settings that the transport of this crate needs to the request's extensions.
    #[cfg(feature = "hyper")]
    fn tell_transport(&self, request: &mut Request<Bytes>, repeat: bool) {
        use crate::transport::{ConnectTimeout, Repetition};
        let extensions = request.extensions_mut();
        if let Some(timeout) = self.connect_timeout {
            extensions.insert(ConnectTimeout(timeout));
        }
        extensions.insert(if repeat { Repetition::Allowed } else { Repetition::Forbidden });
    }

    #[cfg(not(feature = "hyper"))]
    fn tell_transport(&self, _: &mut Request<Bytes>, _: bool) {}
}
