//! The request for an event stream, which `subscribe` and `lint` make from the same arguments.
//!
//! [`args`] are those arguments, and [`source`] says where the events come from. [`asking`] makes what asks: with the
//! [`body`], the [`cookies`] and the token, by a [`transport`] or from standard input ([`stdin`]).
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
