//! The paths of the hub and of its metadata.
use url::Url;

/// The path of the hub.
pub const HUB_PATH: &str = "/.well-known/mercure";
/// The first part of the path of the hub's metadata; the hub's own path follows it.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Returns the path of the metadata, from the root of the server.
#[must_use]
pub fn metadata_path() -> String {
    format!("{WELL_KNOWN}{HUB_PATH}")
}

/// Returns the URL at which clients find the metadata of the hub at `hub_url`.
pub(crate) fn metadata_url(hub_url: &Url) -> Url {
    hub_url.join(&metadata_path()).expect("an absolute path resolves against any HTTP URL")
}
