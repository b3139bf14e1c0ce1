//! The definition of an option, and what follows from it: a field of [`ServeOptions`](super::options::ServeOptions),
//! with its flag, its help and its key in the file; a field of [`ServeSettings`](super::options::ServeSettings); and a
//! [`Definition`](super::definition::Definition).

/// Defines options, by headings:
///
/// ```text
/// "Limits" {
///     /// The help
///     max_body: ByteSize as "SIZE" = "1MiB", within bytes(1 << 10, 16 << 20), such as "64KiB";
/// }
/// ```
///
/// Only name, type and the name of the value must be there. `= …` is the default; without it, the field of the settings
/// is an `Option`. `within` bounds the value. `such as` is what the example of a configuration shows where there is no
/// default; it is TOML.
macro_rules! options {
    ($(
        $heading:literal {$(
            $(#[doc = $doc:literal])+
            $(#[arg($($arg:tt)*)])?
            $(#[serde($($serde:tt)*)])?
            $field:ident: $type:ty as $value:literal
                $(= $default:literal)? $(, within $bound:expr)? $(, such as $example:tt)?;
        )+}
    )+) => {
        /// One layer of configuration: what the flags, the environment or the file say, and nothing else. A list of the
        /// file may be one value without brackets, or several in one text with spaces between them, as in the
        /// environment.
        #[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub(crate) struct ServeOptions {$($(
            $(#[doc = $doc])+
            #[arg(long, value_name = $value, help_heading = $heading, $($($arg)*)?)]
            $(#[serde($($serde)*)])?
            pub $field: Option<$type>,
        )+)+}

        /// The settings of one run of `fanfare serve`: what all layers come to.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[expect(dead_code, reason = "the files of keys: what they hold has taken their place")]
        pub(crate) struct ServeSettings {$($(
            $(#[doc = $doc])+
            $(#[serde($($serde)*)])?
            pub $field: $crate::config::define::settled!($type $(= $default)?),
        )+)+}

        /// All options, in the order of their definition.
        pub(super) const DEFINITIONS: &[Definition] = &[$($(Definition {
            field: stringify!($field),
            default: $crate::config::define::optional!($(stringify!($default))?),
            bound: $crate::config::define::optional!($($bound)?),
            example: $crate::config::define::optional!($(stringify!($example))?),
        }),+),+];
    };
}

/// The type of a setting: the option's own if it has a default.
macro_rules! settled {
    ($type:ty = $default:literal) => { $type };
    ($type:ty) => { Option<$type> };
}

macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

pub(super) use {optional, options, settled};
