//! The claims of a token.
use serde_json::{Map, Value};

/// The claims of a token whose signature has been verified.
pub(super) type Claims = Map<String, Value>;
