//! The machine in virtual time, without sockets: the test says what happens, and checks the machine's orders and
//! signals.
mod anything;
mod opening;
mod play;
mod progress;
mod reconnecting;
