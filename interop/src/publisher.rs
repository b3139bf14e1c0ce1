//! Libraries that publish to Mercure hubs.
use crate::{installed, token};
use mercure::{Client, HubUrl, Topic, client::PublishUpdatePrivacy};
use serde::Serialize;
use std::process::Command;
use url::Url;

/// An update, in the form that each of the libraries gets it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Update {
    /// The topics, the canonical one first.
    pub topics: Vec<&'static str>,
    /// The data of the update.
    pub data: &'static str,
    /// True if only subscribers whose token allows it receive the update.
    pub private: bool,
    /// The ID of the update; `None` if the hub makes one.
    pub id: Option<&'static str>,
    /// The event type; `None` means the type `message`.
    #[serde(rename = "type")]
    pub event_type: Option<&'static str>,
    /// The reconnection time that the event sets, in milliseconds.
    pub retry: Option<u32>,
}

/// A library that publishes. It makes its own token, by the rules of the older Mercure revision, for a topic selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publisher {
    /// The Rust crate `mercure`.
    Mercure,
    /// PyPI's `pymercure`.
    Pymercure,
    /// PyPI's `mercure-publisher`.
    MercurePublisher,
    /// Symfony's Mercure component, in PHP.
    Symfony,
}

impl Publisher {
    /// All the libraries.
    pub const ALL: [Self; 4] = [Self::Mercure, Self::Pymercure, Self::MercurePublisher, Self::Symfony];

    /// Returns true if the library can publish this update: it needs a parameter for each field of the update.
    #[must_use]
    pub fn has_what_it_takes(self, update: &Update) -> bool {
        match self {
            Self::Mercure => update.id.is_none() && update.event_type.is_none() && update.retry.is_none(),
            Self::Pymercure => !update.private && update.retry.is_none(),
            Self::MercurePublisher | Self::Symfony => true,
        }
    }

    /// Publishes to this hub, with a token for the topics that `selector` matches, and returns the ID.
    ///
    /// # Errors
    /// The error of the library. The Rust crate ignores the status, so it returns the text of a refusal as the ID.
    pub fn publish(self, hub_url: &str, selector: &str, update: &Update) -> Result<String, String> {
        let json = serde_json::to_string(update).unwrap();
        let mut command = match self {
            Self::Mercure => return Ok(publish_by_crate(hub_url, selector, update)),
            Self::Pymercure => {
                let mut python = installed::python("clients/pymercure_client.py");
                python.args(["publish", hub_url, &token::publisher(selector).to_string()]);
                python
            }
            Self::MercurePublisher => {
                let mut python = installed::python("clients/mercure_publisher_client.py");
                python.args([hub_url, token::KEY, selector]);
                python
            }
            Self::Symfony => {
                let mut php = installed::php_script("clients/symfony.php");
                php.args(["publish", hub_url, token::KEY, selector]);
                php
            }
        };
        printed_id(command.arg(json))
    }
}

fn printed_id(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    if output.status.success() { Ok(printed) } else { Err(printed + &String::from_utf8_lossy(&output.stderr)) }
}

fn publish_by_crate(hub_url: &str, selector: &str, update: &Update) -> String {
    let url = |url: &str| Url::parse(url).unwrap();
    let hub_url = HubUrl::try_from(url(hub_url)).unwrap();
    let client = Client::new(reqwest::Client::new(), hub_url, token::publisher(selector));
    let (canonical, alternate) = update.topics.split_first().expect("an update has a topic");
    let topic = Topic::new(url(canonical), alternate.iter().map(|topic| url(topic)).collect());
    let privacy = if update.private { PublishUpdatePrivacy::Private } else { PublishUpdatePrivacy::Public };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.publish_update(topic, Some(update.data), privacy)).unwrap().to_string()
}
