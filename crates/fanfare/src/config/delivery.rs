//! The values of the option `delivery`: the ways to write event streams to sockets.
use fanfare_server::settings;
use serde::{Deserialize, Serialize};

/// A way to write event streams to sockets. The variants are explained at [`settings::Delivery`].
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
