//! A process that ends with its test.
use std::process::Child;

/// A process that is killed when this value is dropped, also by a panic.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // `kill` fails if the process has already ended, which is not an error here.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
