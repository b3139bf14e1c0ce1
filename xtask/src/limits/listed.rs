//! The constants that are limits, in the order of the document: limits on what strangers may use, on what the hub
//! keeps, and on waiting times.

/// A section of the document.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// The files, and the names of the constants in each file.
    pub(super) constants: &'static [(&'static str, &'static [&'static str])],
}

pub(super) const SECTIONS: &[Section] = &[
    Section {
        title: "Updates",
        constants: &[
            (
                "crates/hub/src/update.rs",
                &["MAX_TOPICS_PER_UPDATE", "MAX_ID_BYTES", "MAX_EVENT_TYPE_BYTES", "MAX_RETRY_MS"],
            ),
            ("crates/hub/src/topic/name.rs", &["MAX_TOPIC_BYTES"]),
            ("crates/server/src/settings.rs", &["DEFAULT_MAX_BODY_BYTES"]),
            ("crates/server/src/body/steady.rs", &["BODY_TIMEOUT", "BODY_RATE"]),
            ("crates/server/src/publish/lines.rs", &["MAX_BATCH_UPDATES", "MAX_BATCH_TOPICS"]),
            ("crates/server/src/form.rs", &["MAX_FIELDS"]),
        ],
    },
    Section {
        title: "Subscriptions",
        constants: &[
            (
                "crates/server/src/settings.rs",
                &["DEFAULT_MAX_SUBSCRIBERS", "DEFAULT_MAX_TOPICS", "DEFAULT_MAX_ANONYMOUS_PATTERNS"],
            ),
            ("crates/server/src/open_files.rs", &["OTHER_FILES"]),
            ("crates/hub/src/topic/matcher.rs", &["MAX_MATCHER_BYTES"]),
            ("crates/server/src/subscribe/mod.rs", &["MAX_COMPILED_BYTES"]),
            ("crates/server/src/subscribe/compiling.rs", &["MAX_WAITING", "MAX_WAIT"]),
            ("crates/hub/src/topic/linear_regex.rs", &["MAX_COMPILED_BYTES", "MAX_MATCH_STEPS"]),
            ("crates/hub/src/topic/pattern_cache.rs", &["MAX_CACHED_PATTERNS", "MAX_CACHED_BYTES"]),
            ("crates/hub/src/prefix_tree.rs", &["INDEXED_BYTES"]),
            (
                "crates/hub/src/budget.rs",
                &["MATCHER_BYTES", "PATTERN_BYTES", "AUDIENCE_BYTES", "AUDIENCE_MATCHER_BYTES"],
            ),
            ("crates/server/src/connection/handover.rs", &["STAYING_BYTES"]),
            ("crates/server/src/body/strangers.rs", &["MAX_STRANGERS_BYTES"]),
            ("crates/hub/src/hub.rs", &["CONCURRENT_JOINS"]),
            ("crates/hub/src/rewind.rs", &["MAX_REWIND"]),
            ("crates/hub/src/shared.rs", &["SETTLE_TIMEOUT"]),
        ],
    },
    Section {
        title: "Delivery",
        constants: &[
            ("crates/hub/src/router.rs", &["BUNDLE_EVENTS"]),
            ("crates/hub/src/mailbox.rs", &["MAILBOX_BUNDLES"]),
            ("crates/hub/src/fan_out/advance.rs", &["RUN_BYTES"]),
            (
                "crates/hub/src/fan_out/deliver.rs",
                &["MAX_WINDOW_EVENTS", "LEAST_WINDOW_EVENTS", "MAX_WINDOW_BYTES", "LEAST_WINDOW_BYTES"],
            ),
            (
                "crates/hub/src/fan_out/read_queue.rs",
                &["CONCURRENT_READS", "CONCURRENT_SCANS", "CONCURRENT_BARREN_READS", "CONCURRENT_STRANGERS_READS"],
            ),
            ("crates/hub/src/fan_out/leave.rs", &["GRACE", "GRACE_WITH_REASON"]),
            ("crates/hub/src/fan_out/timing.rs", &["PLACE_ENTRIES"]),
            ("crates/server/src/delivery/makings.rs", &["REPLACEMENTS", "REPLACEMENT_WINDOW"]),
            ("crates/server/src/server.rs", &["REVOCATION_INTERVAL"]),
            ("crates/server/src/settings.rs", &["DEFAULT_HEARTBEAT_INTERVAL", "DEFAULT_WRITE_TIMEOUT"]),
            ("crates/server/src/delivery/lifetime.rs", &["EARLY_PART", "MAX_EARLY"]),
            ("crates/server/src/delivery/shard/mod.rs", &["JOINS_AT_ONCE"]),
            ("crates/server/src/delivery/shard/leave.rs", &["MAX_DRAINED_BYTES"]),
        ],
    },
    Section {
        title: "Connections",
        constants: &[
            ("crates/server/src/settings.rs", &["DEFAULT_HEAD_TIMEOUT", "DEFAULT_KEEP_ALIVE_TIMEOUT"]),
            (
                "crates/server/src/connection.rs",
                &[
                    "CONNECTION_BUFFER_BYTES",
                    "UNSENT_BYTES",
                    "PROBE_AFTER",
                    "PROBE_INTERVAL",
                    "PROBES",
                    "REPAIR_TIMEOUT",
                ],
            ),
            ("crates/server/src/connection/large_heads.rs", &["LARGE_HEAD_BYTES", "MAX_LARGE_HEADS"]),
            ("crates/server/src/connection/handover.rs", &["READ_AHEAD_BYTES"]),
            ("crates/server/src/connection/unread.rs", &["MOST_BYTES"]),
            ("crates/server/src/connection/linger.rs", &["LINGER_BYTES", "LINGER_TIMEOUT"]),
            ("crates/server/src/files/beneath.rs", &["MAX_LINKS"]),
            ("crates/server/src/seldom.rs", &["WARNING_INTERVAL"]),
        ],
    },
    Section {
        title: "TLS",
        constants: &[
            ("crates/server/src/tls/handshake.rs", &["HANDSHAKE_TIMEOUT", "MAX_HELLO_BYTES"]),
            ("crates/server/src/tls/certificate.rs", &["MAX_CHAIN_CERTIFICATES"]),
            ("crates/fanfare/src/config/tls.rs", &["MAX_FILE_BYTES"]),
            ("crates/server/src/tls/seal.rs", &["MAX_PLAINTEXT_BYTES", "RESERVED_RECORDS"]),
        ],
    },
    Section {
        title: "HTTP/2",
        constants: &[
            (
                "crates/server/src/connection/http2.rs",
                &["MAX_STREAMS", "MAX_STREAM_UNSENT_BYTES", "STREAM_BYTES", "MAX_FIELDS_BYTES", "PING_INTERVAL"],
            ),
            ("crates/server/src/connection/http2/flood.rs", &["FREE_FRAMES", "FREE_FRAMES_PER_SECOND"]),
        ],
    },
    Section {
        title: "The end of the server",
        constants: &[
            ("crates/server/src/server.rs", &["FINISH_TIMEOUT", "STOP_TIMEOUT", "FAILED_TIMEOUT"]),
            ("crates/server/src/connection/watch.rs", &["STOPPED_HEAD_TIMEOUT"]),
            ("crates/server/src/body.rs", &["STOPPED_BODY_TIMEOUT"]),
            ("crates/fanfare/src/stop.rs", &["DEADLINE", "GRACE"]),
        ],
    },
    Section {
        title: "The log",
        constants: &[
            ("crates/hub/src/log/writer.rs", &["QUEUE_PLACES", "QUEUE_PLACE_BYTES", "MAX_PUBLICATION_BYTES"]),
            ("crates/hub/src/log/writer.rs", &["MAX_BATCH_ENTRIES", "MAX_BATCH_BYTES"]),
            ("crates/hub/src/log/writer/gather.rs", &["GATHER_TIMEOUT", "GATHER_PUBLICATIONS", "UNHURRIED"]),
            ("crates/hub/src/log/writer/sink.rs", &["QUICK_SINK", "SINK_QUEUE_BATCHES"]),
            ("crates/hub/src/log/found.rs", &["MAX_LOOKED_AT", "MAX_CANDIDATES"]),
            ("crates/hub/src/log/segments/segment_log.rs", &["SEGMENT_BYTES"]),
            ("crates/hub/src/log/segments/append.rs", &["INDEX_MEMORY_BYTES"]),
            ("crates/hub/src/log/segments/open_files.rs", &["MAX_OPEN"]),
            ("crates/hub/src/log/segments/retention.rs", &["REMEMBERED_IDS"]),
            ("crates/hub/src/log/segments/keep.rs", &["DEAD_PATIENCE", "DISCARDED_PATIENCE", "SPARE_BYTES"]),
        ],
    },
    Section {
        title: "Tokens and keys",
        constants: &[
            ("crates/server/src/auth/token.rs", &["MAX_TOKEN_BYTES", "LEEWAY_MS"]),
            ("crates/server/src/auth/claims_legacy.rs", &["MAX_SELECTORS"]),
            ("crates/server/src/auth/claims_modern.rs", &["MAX_DETAILS", "MAX_DETAIL_TOPICS"]),
            ("crates/server/src/auth/trusted.rs", &["MAX_TRIED_KEYS"]),
            ("crates/server/src/auth/refusals.rs", &["PERIOD", "MAX_STRANGERS", "MAX_ISSUER_CHARS"]),
            ("crates/server/src/auth/key/jwk.rs", &["MAX_SET_BYTES", "MAX_SET_KEYS"]),
            ("crates/server/src/auth/key/verifying.rs", &["MIN_RSA_BITS", "MAX_RSA_BITS"]),
            ("crates/server/src/auth/key/kind.rs", &["MAX_SHOWN_CHARS"]),
            ("crates/jwks/src/fetch.rs", &["FETCH_TIMEOUT", "CONNECT_TIMEOUT", "MAX_ADDRESSES", "MAX_HEAD_BYTES"]),
            ("crates/jwks/src/freshness.rs", &["DEFAULT_FRESHNESS", "MIN_FRESHNESS", "MAX_FRESHNESS"]),
            ("crates/fanfare/src/serve/reload.rs", &["LOOK_INTERVAL"]),
        ],
    },
    Section {
        title: "Active subscriptions",
        constants: &[
            ("crates/server/src/subscriptions/document.rs", &["MAX_SUBSCRIPTION_URL_BYTES"]),
            ("crates/server/src/subscriptions/mod.rs", &["MAX_UNTOLD", "PATIENCE"]),
            (
                "crates/server/src/subscriptions/teller.rs",
                &["BATCH_CHANGES", "BATCH_INTERVAL", "PAUSE_FACTOR", "MAX_PAUSE"],
            ),
            ("crates/hub/src/log/presence.rs", &["MAX_PRESENCE_BYTES", "MAX_PRESENCE_UPDATES"]),
            ("crates/server/src/subscriptions/page.rs", &["PAGE_SUBSCRIPTIONS", "PAGE_BYTES"]),
        ],
    },
    Section {
        title: "The page",
        constants: &[
            ("crates/server/page/event-list.js", &["MAX_ROWS", "MAX_HELD"]),
            ("crates/server/page/event-stream.js", &["MAX_EVENT_LENGTH"]),
            ("crates/server/page/json-print.js", &["MAX_LENGTH"]),
            ("crates/server/page/event-data.js", &["MAX_SHOWN"]),
            (
                "crates/server/page/patience.js",
                &["RECONNECTION_TIME_MS", "LONGEST_DOUBLED_MS", "FIRST_SILENCE_MS", "LONGEST_SILENCE_MS"],
            ),
        ],
    },
    Section {
        title: "The command line",
        constants: &[
            ("crates/fanfare/src/publish/lines.rs", &["MAX_BATCH_LINES", "BATCH_BYTES", "DELAYS", "STOP_TIMEOUT"]),
            ("crates/fanfare/src/publish/reader.rs", &["MAX_LINE_BYTES", "MAX_WAITING", "MAX_WAITING_BYTES"]),
            ("crates/fanfare/src/http/answer_timeout.rs", &["ANSWER_TIMEOUT"]),
            ("crates/fanfare/src/subscribe/args.rs", &["MIN_EVENT_BYTES", "MAX_EVENT_BYTES"]),
            ("crates/fanfare/src/subscribe/ends.rs", &["MAX_IN_VAIN", "HEALTHY"]),
            ("crates/fanfare/src/lint/tap.rs", &["MAX_BYTES"]),
            ("crates/fanfare/src/relay/batch.rs", &["MAX_BATCH_EVENTS", "MAX_BATCH_BYTES"]),
            ("crates/fanfare/src/relay/upstream.rs", &["MAX_DATA_BYTES", "MAX_DELAY", "MAX_ASKED_DELAY"]),
            ("crates/fanfare/src/relay/held.rs", &["MAX_LINE_BYTES"]),
            ("crates/fanfare/src/http/hub_url.rs", &["MAX_URL_BYTES"]),
            ("crates/fanfare/src/http/header.rs", &["MAX_FILE_BYTES"]),
            ("crates/fanfare/src/http/connection_args.rs", &["MAX_CERTIFICATES_BYTES"]),
            ("crates/fanfare/src/request/cookies.rs", &["MAX_FILE_BYTES"]),
            ("crates/fanfare/src/shown.rs", &["MAX_ID_CHARACTERS"]),
        ],
    },
    Section {
        title: "The client",
        constants: &[
            (
                "crates/client/src/transport/hyper.rs",
                &[
                    "CONNECT_TIMEOUT",
                    "TCP_KEEPALIVE",
                    "TCP_KEEPALIVE_INTERVAL",
                    "TCP_KEEPALIVE_RETRIES",
                    "HTTP1_MAX_BUFFER",
                ],
            ),
            ("crates/client/src/builder.rs", &["RESPONSE_TIMEOUT", "MAX_REDIRECTS"]),
            ("crates/client/src/session/exchange.rs", &["EXCERPT_TIMEOUT"]),
            ("crates/client/src/error.rs", &["EXCERPT_BYTES"]),
            ("crates/client/src/reconnect.rs", &["MAX_RECONNECTION_TIME"]),
            ("crates/client/src/transport/pool/taken.rs", &["MAX_IDLE_PER_ORIGIN", "IDLE_TIMEOUT"]),
            ("crates/client/src/transport/tunnel.rs", &["MAX_HEAD_BYTES"]),
            ("crates/client/src/cookies.rs", &["MAX_COOKIE_BYTES", "OF_HOST", "OF_ALL"]),
            ("crates/client/src/decode/coding.rs", &["MAX_CODINGS"]),
            ("crates/client/src/decode/pipeline.rs", &["MAX_PIECE"]),
            ("crates/client/src/store/file.rs", &["MAX_BYTES"]),
            ("crates/client/src/signal.rs", &["MAX_SHOWN_ID_CHARS"]),
        ],
    },
    Section {
        title: "The parser of event streams",
        constants: &[(
            "crates/event-stream/src/limits.rs",
            &["DEFAULT_DATA_BYTES", "DEFAULT_ID_BYTES", "DEFAULT_TYPE_BYTES", "DEFAULT_LINE_BYTES"],
        )],
    },
];
