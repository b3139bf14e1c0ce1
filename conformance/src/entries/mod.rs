//! The entries: each a rule of the protocol, in the order of the specification's sections.
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
    target::Revision::{self, Legacy, Modern},
    trial::Trial,
};
use std::{fmt, future::Future, pin::Pin};

/// A rule.
pub struct Entry {
    /// Its name, which begins with its number.
    pub name: &'static str,
    /// The section of the specification.
    pub section: &'static str,
    /// The revisions that have the rule.
    pub revisions: &'static [Revision],
    pub(crate) run: for<'a> fn(&'a Trial<'_>) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>,
}

const BOTH: &[Revision] = &[Legacy, Modern];
const LEGACY: &[Revision] = &[Legacy];
const MODERN: &[Revision] = &[Modern];

macro_rules! entries {
    ($($section:literal, $revisions:ident: $($module:ident::$name:ident),+;)+) => {
        /// All of them.
        pub const ENTRIES: &[Entry] = &[$($(Entry {
            name: stringify!($name),
            section: $section,
            revisions: $revisions,
            run: |trial| Box::pin($module::$name(trial)),
        },)+)+];
    };
}

entries! {
    "Hub Discovery", BOTH:
        discovery::b01_hub_is_where_its_url_says,
        discovery::b02_publisher_links_to_and_notifies_each_hub,
        discovery::b03_link_attributes_lead_to_what_was_missed;
    "Topic Discovery", BOTH:
        discovery::b04_self_link_is_the_topic;
    "Protected Resource Metadata", MODERN:
        discovery::b05_metadata_describes_the_hub;
    "Subscription", BOTH:
        subscription::b06_get_subscribes_and_query_may,
        subscription::b07_a_subscription_names_a_topic;
    "Subscription", MODERN:
        subscription::b08_unknown_matchers_are_refused;
    "Subscription", BOTH:
        subscription::b09_the_query_is_form_urlencoded;
    "Subscription", MODERN:
        subscription::b10_matchers_are_printable,
        subscription::b11_matchers_are_bounded;
    "Subscription", BOTH:
        subscription::b12_events_have_ids_and_all_fields,
        subscription::b13_data_cannot_inject_fields,
        subscription::b14_credentials_are_for_named_origins,
        subscription::b15_private_updates_stay_private;
    "Matcher Types", MODERN:
        matching::b16_exact_is_byte_equality;
    "Matcher Types", BOTH:
        matching::b17_star_matches_everything;
    "Matcher Types", MODERN:
        matching::b18_url_patterns_are_the_standards_and_bounded,
        matching::b19_matcher_types_are_advertised;
    "Topic Selectors", LEGACY:
        matching::l19_selectors_are_strings_or_templates;
    "Publication", BOTH:
        publication::b20_any_topic_of_an_update_matches,
        publication::b21_reserved_topics_are_refused,
        publication::b22_private_is_a_name_and_data_is_opaque,
        publication::b23_ids_are_checked,
        publication::b24_types_and_retries_are_checked,
        publication::b25_success_is_the_id;
    "Publication", MODERN:
        publication::b26_what_is_too_large_is_413;
    "Publication", BOTH:
        publication::b27_every_topic_has_to_be_granted,
        publication::b28_nobody_publishes_without_a_token;
    "Presenting the Access Token", BOTH:
        carriage::b29_carriers_have_an_order,
        carriage::b30_a_cookie_carries_a_token;
    "Token Validation", BOTH:
        token::b31_types_and_algorithms_are_allow_listed;
    "Token Validation", MODERN:
        token::b32_issuer_audience_and_time_are_checked;
    "Error Responses", BOTH:
        refusal::b33_refusals_are_challenges;
    "Authorization Details", MODERN:
        token::b34_one_bad_detail_refuses_the_token;
    "Subscribers", BOTH:
        carriage::b35_anonymous_subscribers_get_what_is_public,
        matching::b36_any_granted_topic_of_an_update_suffices,
        token::b37_a_stream_ends_with_its_token;
    "Security Considerations", BOTH:
        carriage::b38_a_cookie_alone_publishes_nothing;
    "Reconciliation", BOTH:
        history::b39_both_cursors_resume_and_the_header_wins,
        history::b40_earliest_is_all_and_duplicates_are_the_oldest,
        history::b41_the_answer_names_the_place,
        history::b42_ids_are_of_the_whole_hub;
    "Subscription Events", BOTH:
        active_subscriptions::b43_coming_and_going_are_private_updates,
        active_subscriptions::b44_a_connection_is_one_subscriber,
        active_subscriptions::b45_the_document_says_what_is_subscribed,
        active_subscriptions::b46_the_payload_is_the_grants;
    "Subscription API", BOTH:
        active_subscriptions::b47_the_api_has_three_shapes,
        active_subscriptions::b48_the_api_gives_the_cursor;
    "Encryption", BOTH:
        encryption::b49_encrypted_data_passes_untouched;
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
