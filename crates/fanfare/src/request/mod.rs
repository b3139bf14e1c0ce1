//! The request for an event stream, which `subscribe` and `lint` make from the same arguments.
//!
//! [`args`] defines these arguments. [`source`] is the place that the events come from: a hub, the URL of a stream, or
//! standard input. [`asking`] builds the request, with the [`body`], the [`cookies`] and the token. The request is sent
//! through a [`transport`], or answered from standard input ([`stdin`]).
mod args;
mod asking;
mod body;
mod cookies;
mod error;
mod source;
mod stdin;
mod transport;

pub(crate) use args::{MessageArgs, RequestArgs};
pub(crate) use asking::Asking;
pub(crate) use error::RequestError;
pub(crate) use source::{Source, find, hint};
pub(crate) use transport::Transport;
