//! The macro that defines the options. For each definition, the macro makes a field of
//! [`ServeOptions`](super::options::ServeOptions) with its flag, its help and its key in the file; a field of
//! [`ServeSettings`](super::options::ServeSettings); and a [`Definition`](super::definition::Definition).

/// Defines options, grouped under the headings of the help:
///
/// ```text
/// "Limits" {
///     /// The help
///     max_body: ByteSize as "SIZE" = "1MiB", within bytes(1 << 10, 16 << 20), such as "64KiB";
/// }
/// ```
///
/// The name of the field, its type and the name of the value in the help are required; the rest is optional. `= …` is
/// the default. Without a default, the field of the settings is an `Option`. `within` gives the bounds of the value.
/// `such as` gives the value, as TOML, that the example of a configuration file shows for an option without a default.
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
        /// The options of one layer of the configuration: of the flags, of the environment, or of the file. An option
        /// that the layer does not give is `None`. In the file, a list may also be a single value without brackets, or
        /// one text with several values that white space separates, as in the environment.
        #[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub(crate) struct ServeOptions {$($(
            $(#[doc = $doc])+
            #[arg(long, value_name = $value, help_heading = $heading, $($($arg)*)?)]
            $(#[serde($($serde)*)])?
            pub $field: Option<$type>,
        )+)+}

        /// The settings of one run of `fanfare serve`: the values after all layers are merged.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[expect(dead_code, reason = "nothing uses the paths of key files: `secret_file` has already read the keys")]
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

/// Expands to the type of a setting: the type of the option if it has a default, otherwise an `Option` of that type.
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
