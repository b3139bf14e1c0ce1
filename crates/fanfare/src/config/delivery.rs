//! The names of the ways in which streams get into sockets.
use fanfare_server::settings;
use serde::{Deserialize, Serialize};

/// A way in which streams get into sockets. [`settings::Delivery`] says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Delivery {
    Auto,
    Epoll,
    IoUring,
    Hyper,
}

impl From<Delivery> for settings::Delivery {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Auto => Self::Auto,
            Delivery::Epoll => Self::Epoll,
            Delivery::IoUring => Self::IoUring,
            Delivery::Hyper => Self::Hyper,
        }
    }
}
