//! The format of the body of a publication.
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The form in which a publication's data is sent in the body of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Body {
    /// The data as it is
    #[default]
    Data,
    /// A form with the fields topic and data
    Form,
}
