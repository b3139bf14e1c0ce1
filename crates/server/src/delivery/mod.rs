//! Delivery: moving wire events into sockets.
//!
//! There is one way so far: [`body`], through hyper, which works for every kind of connection. [`head`] is what a stream
//! begins with and [`pace`] is when it says something although nothing happened, and when it ends.
pub mod body;
#[cfg_attr(not(test), allow(dead_code, reason = "no shard sends through it yet"))]
pub(crate) mod engine;
pub mod head;
pub mod pace;
