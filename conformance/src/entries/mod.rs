//! The entries of the suite. Each of them tries a few sentences of the drafts. They follow the order of the
//! specification's sections.
mod active_subscriptions;
mod carriage;
mod discovery;
mod encryption;
mod history;
mod matching;
mod publication;
mod refusal;
mod subscription;
mod token;

use crate::{
    outcome::Outcome,
    report::{Finding, Report, Verdict},
    rule::{Rule, Sentence},
    rules,
    target::Revision,
    trial::Trial,
};
use std::{fmt, future::Future, pin::Pin};

/// An entry of the suite: a few rules that are tried together.
pub struct Entry {
    /// The name of the entry, which begins with its number.
    pub name: &'static str,
    /// The rules that the entry tries. The entry is not run for a revision that has a sentence of none of them.
    pub rules: &'static [&'static Rule],
    pub(crate) run: for<'a> fn(&'a Trial<'_>) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>,
}

impl Entry {
    /// Returns true if this revision has a sentence of at least one of the entry's rules.
    #[must_use]
    pub fn is_in(&self, revision: Revision) -> bool {
        self.rules.iter().any(|rule| rule.sentence(revision).is_some())
    }

    /// Returns a report in which each sentence has the verdict `not tried`, for this reason.
    pub(crate) fn not_tried(&self, revision: Revision, why: &str) -> Report {
        let sentences = self.rules.iter().filter_map(|rule| rule.sentence(revision));
        let finding =
            |sentence: &Sentence| Finding { sentence: *sentence, verdict: Verdict::NotTried, what: why.to_owned() };
        Report { revision, findings: sentences.map(finding).collect() }
    }
}

macro_rules! entries {
    ($($module:ident::$name:ident: $($group:ident::$rule:ident),+;)+) => {
        /// All entries of the suite.
        pub static ENTRIES: &[Entry] = &[$(Entry {
            name: stringify!($name),
            rules: &[$(&rules::$group::$rule),+],
            run: |trial| Box::pin($module::$name(trial)),
        },)+];
    };
}

entries! {
    discovery::b01_hub_is_where_its_url_says:
        discovery::HUB_PATH, subscription::EVENT_STREAM, publication::RESERVED;
    discovery::b02_publisher_links_to_and_notifies_each_hub:
        discovery::HUB_LINK, discovery::EACH_HUB;
    discovery::b03_link_attributes_lead_to_what_was_missed:
        reconciliation::REPLAY, discovery::LINK_ATTRIBUTES, discovery::OWN_TYPE;
    discovery::b04_self_link_is_the_topic:
        discovery::SELF_LINK, discovery::COOKIE_ATTRIBUTES, authorization::COOKIE;
    discovery::b05_metadata_describes_the_hub:
        discovery::METADATA, discovery::RESOURCE, discovery::RESOURCE_IS_AUDIENCE, discovery::DETAIL_TYPES,
        discovery::BEARER_METHODS, discovery::COOKIE_NAME, discovery::SUBSCRIPTIONS_FLAG;
    subscription::b06_get_subscribes_and_query_may:
        subscription::GET, subscription::QUERY, subscription::UNION, subscription::BODY_NAMES, subscription::QUERY_CURSOR;
    subscription::b07_a_subscription_names_topics:
        subscription::SEVERAL;
    subscription::b08_unknown_matchers_are_refused:
        subscription::RESERVED_NAMES;
    subscription::b09_the_query_is_form_urlencoded:
        publication::FORM, subscription::FORM_QUERY;
    subscription::b10_matchers_are_printable:
        subscription::PRINTABLE, subscription::WELL_FORMED;
    subscription::b11_matchers_are_bounded:
        subscription::LIMITS, subscription::LIMIT_STATUS;
    subscription::b12_events_have_ids_and_all_fields:
        subscription::EVENT_STREAM, subscription::ALL_FIELDS, subscription::EVENT_ID, publication::SUCCESS;
    subscription::b13_data_cannot_inject_fields:
        subscription::DATA_LINES;
    subscription::b14_credentials_are_for_named_origins:
        subscription::NAMED_ORIGINS, subscription::CREDENTIALS, subscription::FETCH_HEADER;
    subscription::b15_private_updates_stay_private:
        subscription::PRIVATE, reconciliation::REPLAY, reconciliation::CURRENT_TOKEN;
    matching::b16_exact_is_byte_equality:
        matching::EXACT;
    matching::b17_star_matches_everything:
        matching::STAR;
    matching::b18_url_patterns_are_the_standards_and_bounded:
        matching::URL_PATTERN, matching::CASE, matching::BASE, matching::NO_URL, matching::LINEAR;
    matching::b19_matcher_types_are_advertised:
        matching::BOTH_TYPES, matching::ADVERTISED, matching::TYPE_NAMES;
    matching::l19_selectors_are_strings_or_templates:
        matching::STRINGS, matching::TEMPLATES;
    publication::b20_any_topic_of_an_update_matches:
        publication::ANY_TOPIC, publication::TOPIC_REQUIRED;
    publication::b21_reserved_topics_are_refused:
        publication::RESERVED, publication::RESERVED_SPELLINGS, publication::STAR_TOPIC, publication::TOPIC_CHARACTERS,
        publication::NO_URL;
    publication::b22_private_is_a_name_and_data_is_opaque:
        publication::PRIVATE_NAME, publication::DATA, publication::UNKNOWN_FIELDS, publication::DATA_OPTIONAL,
        publication::DATA_UTF8;
    publication::b23_ids_are_checked:
        publication::ID_VALUES, publication::MINTED_ID, publication::SUCCESS;
    publication::b24_types_and_retries_are_checked:
        publication::TYPE_CHARACTERS, publication::MERCURE_TYPE, publication::RETRY_DIGITS, subscription::ALL_FIELDS;
    publication::b25_success_is_the_id:
        publication::SUCCESS, publication::TEXT_PLAIN, publication::UNKNOWN_FIELDS;
    publication::b26_what_is_too_large_is_413:
        publication::LIMITS, publication::LIMIT_STATUS;
    publication::b27_every_topic_has_to_be_granted:
        publication::EVERY_TOPIC, publication::NOT_GRANTED, token::NO_GRANT;
    publication::b28_nobody_publishes_without_a_token:
        publication::AUTHORIZED, authorization::NO_TOKEN;
    carriage::b29_carriers_have_an_order:
        authorization::HEADER_FIRST, authorization::SCHEME_CASE, authorization::NO_QUERY_TOKEN, authorization::QUERY_TOKEN,
        authorization::QUERY_BEFORE_COOKIE;
    carriage::b30_a_cookie_carries_a_token:
        authorization::COOKIE, authorization::COOKIE_OFFERED;
    token::b31_types_and_algorithms_are_allow_listed:
        token::VALID, token::TYPE, token::ALGORITHM, token::OWN_KEY, token::CRITICAL;
    token::b32_issuer_audience_and_time_are_checked:
        token::AUDIENCE, token::ISSUER, token::EXPIRY, token::NOT_BEFORE, token::ISSUERS_KEYS;
    refusal::b33_refusals_are_challenges:
        publication::AUTHORIZED, authorization::NO_TOKEN, authorization::INVALID_TOKEN, authorization::INVALID_REQUEST,
        authorization::INSUFFICIENT_SCOPE, authorization::POINTS_TO_METADATA;
    token::b34_one_bad_detail_refuses_the_token:
        token::GRANT, token::NO_GRANT, token::UNKNOWN_ACTIONS, token::BAD_DETAIL, token::LIMITS, token::LIMIT_STATUS;
    carriage::b35_anonymous_subscribers_get_what_is_public:
        authorization::INVALID_TOKEN, authorization::ANONYMOUS, authorization::ONLY_PUBLIC;
    matching::b36_any_granted_topic_of_an_update_suffices:
        authorization::ANY_GRANT;
    token::b37_a_stream_ends_with_its_token:
        authorization::CLOSED_IN_TIME;
    carriage::b38_a_cookie_alone_publishes_nothing:
        authorization::COOKIE_OFFERED, authorization::ORIGIN, authorization::NO_ORIGIN;
    history::b39_both_cursors_resume_and_the_header_wins:
        reconciliation::REPLAY, reconciliation::PARAMETER, reconciliation::HEADER_FIRST, reconciliation::CURRENT_TOKEN;
    history::b40_earliest_is_all_and_duplicates_are_the_oldest:
        reconciliation::REPLAY, reconciliation::EARLIEST, reconciliation::OWN_IDS, reconciliation::DUPLICATES;
    history::b41_the_answer_names_the_place:
        reconciliation::PLACE, reconciliation::PLACE_VALUE;
    history::b42_ids_are_of_the_whole_hub:
        reconciliation::REPLAY;
    active_subscriptions::b43_coming_and_going_are_private_updates:
        active_subscriptions::FEATURE, active_subscriptions::FLAG, active_subscriptions::EVENT, active_subscriptions::TOPIC,
        active_subscriptions::JSON_ID, subscription::EVENT_ID, active_subscriptions::PRIVATE;
    active_subscriptions::b44_a_connection_is_one_subscriber:
        active_subscriptions::FEATURE, active_subscriptions::SHARED, active_subscriptions::DISTINCT,
        active_subscriptions::NOT_SUPPLIED;
    active_subscriptions::b45_the_document_says_what_is_subscribed:
        active_subscriptions::FEATURE, active_subscriptions::DOCUMENT, active_subscriptions::MERCURE_TYPE;
    active_subscriptions::b46_the_payload_is_the_grants:
        active_subscriptions::FEATURE, active_subscriptions::PAYLOAD;
    active_subscriptions::b47_the_api_has_three_shapes:
        active_subscriptions::FEATURE, active_subscriptions::API, active_subscriptions::SHAPES,
        active_subscriptions::CONTENT_TYPE, active_subscriptions::COLLECTION, active_subscriptions::SINGLE,
        active_subscriptions::GRANTED, active_subscriptions::QUERY_APART, active_subscriptions::NOT_GRANTED,
        authorization::FORBIDDEN, active_subscriptions::UNKNOWN;
    active_subscriptions::b48_the_api_gives_the_cursor:
        active_subscriptions::FEATURE, active_subscriptions::API, active_subscriptions::CURSOR,
        active_subscriptions::LINK_TYPES, active_subscriptions::EXPOSED;
    encryption::b49_encrypted_data_passes_untouched:
        publication::ENCRYPTED;
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
