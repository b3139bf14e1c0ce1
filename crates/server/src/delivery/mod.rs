//! Delivery: moving wire events into sockets.
//!
//! A [`stream`] is granted by the handler. There are two ways to deliver it: [`shards`] take sockets that HTTP has let
//! go of, and send through an `engine`; [`body`] goes through hyper, which works for every kind of connection; and
//! [`replay`] is a stream that ends with the log. [`head`] is what a stream begins with and
//! [`lifetime`] is when it ends; [`wheel`] keeps such times for many streams.
pub mod body;
pub(crate) mod engine;
pub mod head;
mod incoming;
pub mod lifetime;
pub mod replay;
mod shard;
pub mod shards;
pub mod stream;
pub mod wheel;
