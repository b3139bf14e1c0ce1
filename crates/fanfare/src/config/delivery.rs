//! The names of the ways in which streams get into sockets.
use fanfare_server::settings;
use serde::{Deserialize, Serialize};

/// How streams get into sockets. What each means stands in [`settings::Delivery`].
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
