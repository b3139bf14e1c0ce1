//! Translates the transport of a Mercure hub, which stores its updates, into options of our log. The stored updates are
//! not read, because our log has another format.
use super::translator::Translator;
use std::path::Path;
use url::Url;

/// The name of the directory of our log. The directory is beside the file of the Mercure hub, so that both are on the
/// same volume.
const DIRECTORY: &str = "fanfare-data";

const NO_CLUSTER: &str = "this hub cannot share its log with other machines; without this setting, its log is on disk";

/// Translates a transport URL: `bolt://updates.db?size=100&cleanup_frequency=0.3`, `local://local`.
pub(super) fn url(translator: &mut Translator<'_>, text: &str) {
    let Ok(url) = Url::parse(text.trim()) else {
        translator.refuse(
            "data",
            "the value is not a URL such as bolt:///data/mercure.db: correct it, or set FANFARE_DATA to the \
             directory of the log",
        );
        return;
    };
    let mut options: Vec<_> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    // `bolt://updates.db` is a file in the working directory; in the URL, its name is the host.
    options.push(("path".to_owned(), format!("{}{}", url.host_str().unwrap_or_default(), url.path())));
    named(translator, url.scheme(), &options);
}

/// Translates the transport `name`, such as `bolt` or `local`, and its options.
pub(super) fn named(translator: &mut Translator<'_>, name: &str, options: &[(String, String)]) {
    match name {
        "bolt" => bolt(translator, options),
        "local" | "null" => translator.set("memory", true),
        _ => translator.refuse("data", format!("transport '{name}': {NO_CLUSTER}")),
    }
}

fn bolt(translator: &mut Translator<'_>, options: &[(String, String)]) {
    for (name, value) in options {
        match name.as_str() {
            "path" => path(translator, value),
            "size" if value == "0" => translator.set("retention-count", "off"),
            "size" => translator
                .set("retention-count", value.parse::<i64>().map_or_else(|_| value.clone().into(), toml::Value::from)),
            "cleanup_frequency" => translator.warn("retention is exact here; cleanup_frequency has no effect"),
            "bucket_name" => translator.warn("the log has its own files here; bucket_name has no effect"),
            _ => translator.refuse("data", format!("the option '{name}' of the transport is not known")),
        }
    }
    translator.warn(
        "updates are also discarded by age (7 days) and by the size of the log (1 GiB), unless FANFARE_RETENTION_AGE and \
         FANFARE_RETENTION_BYTES are set",
    );
}

fn path(translator: &mut Translator<'_>, file: &str) {
    let directory = Path::new(file).parent().unwrap_or(Path::new("")).join(DIRECTORY);
    let directory = directory.display().to_string();
    translator.warn(format!(
        "the log is a directory here, {directory}, unless FANFARE_DATA is set; the history in {file} is not imported, \
         and subscribers that reconnect with an ID from it receive a gap event"
    ));
    translator.set("data", directory);
}
