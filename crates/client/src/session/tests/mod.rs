//! The machine in virtual time, without sockets: the test says what happens, and reads what is wanted next.
mod anything;
mod opening;
mod play;
mod progress;
mod reconnecting;
