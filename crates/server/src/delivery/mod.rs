//! Delivery: moving wire events into sockets.
//!
//! There is one way so far: [`body`], through hyper, which works for every kind of connection. [`head`] is what a stream
//! begins with and [`pace`] is when it says something although nothing happened, and when it ends; [`wheel`] keeps those
//! times for many streams.
pub mod body;
pub mod head;
pub mod pace;
pub mod wheel;
