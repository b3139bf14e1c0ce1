//! The service that sends a request and receives the response: any [`tower_service::Service`] over the types of
//! [`http`].
//!
//! A transport sends one request as it is, and returns its response. It does not follow redirects, and does not
//! reconnect. The event source does both, since it has to know the origin of events, and which origins may get
//! credentials.
#[cfg(feature = "hyper")]
mod body;
#[cfg(feature = "hyper")]
mod connector;
mod erased;
#[cfg(feature = "hyper")]
mod error;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "hyper")]
mod pool;
#[cfg(feature = "hyper")]
mod proxy;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "hyper")]
mod tls;
#[cfg(feature = "hyper")]
mod tunnel;
#[cfg(feature = "hyper")]
mod wire;

pub use self::erased::RequestBody;
#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestTransport;
#[cfg(feature = "hyper")]
pub use self::{
    body::HyperBody,
    error::{Failure, HyperError},
    hyper::{HyperTransport, HyperTransportBuilder},
    proxy::{Proxy, ProxyError, ProxyUrl, Via},
    tls::{CertificateDer, CustomRoots, Roots, TlsError},
};

pub(crate) use self::erased::{Erased, ResponseBody, erase};
#[cfg(feature = "hyper")]
pub(crate) use self::pool::{ConnectTimeout, Repetition};

#[cfg(all(test, feature = "hyper"))]
mod tests;
