//! The suite on this repository's hub, with a test for each entry.
mod hub;

use fanfare_conformance::{ENTRIES, Finding, Revision, Verdict, run};
use hub::OwnHub;

async fn holds(name: &str) {
    let entry = ENTRIES.iter().find(|entry| entry.name == name).expect("there is an entry for each test");
    let hub = OwnHub::start().await;
    for revision in [Revision::Legacy, Revision::Modern].into_iter().filter(|one| entry.is_in(*one)) {
        let report = run(entry, &hub.target, revision).await;
        // Each sentence is tried, and holds.
        let holds = |finding: &Finding| finding.verdict == Verdict::Pass;
        assert!(!report.findings.is_empty() && report.findings.iter().all(holds), "{revision}:\n{report}");
    }
    hub.stop().await;
}

macro_rules! entries {
    ($($name:ident),+ $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            holds(stringify!($name)).await;
        })+

        #[test]
        fn each_entry_has_a_test() {
            let tests = [$(stringify!($name)),+];
            assert_eq!(ENTRIES.iter().map(|entry| entry.name).collect::<Vec<_>>(), tests);
        }
    };
}

entries! {
    b01_hub_is_where_its_url_says,
    b02_publisher_links_to_and_notifies_each_hub,
    b03_link_attributes_lead_to_what_was_missed,
    b04_self_link_is_the_topic,
    b05_metadata_describes_the_hub,
    b06_get_subscribes_and_query_may,
    b07_a_subscription_names_topics,
    b08_unknown_matchers_are_refused,
    b09_the_query_is_form_urlencoded,
    b10_matchers_are_printable,
    b11_matchers_are_bounded,
    b12_events_have_ids_and_all_fields,
    b13_data_cannot_inject_fields,
    b14_credentials_are_for_named_origins,
    b15_private_updates_stay_private,
    b16_exact_is_byte_equality,
    b17_star_matches_everything,
    b18_url_patterns_are_the_standards_and_bounded,
    b19_matcher_types_are_advertised,
    l19_selectors_are_strings_or_templates,
    b20_any_topic_of_an_update_matches,
    b21_reserved_topics_are_refused,
    b22_private_is_a_name_and_data_is_opaque,
    b23_ids_are_checked,
    b24_types_and_retries_are_checked,
    b25_success_is_the_id,
    b26_what_is_too_large_is_413,
    b27_every_topic_has_to_be_granted,
    b28_nobody_publishes_without_a_token,
    b29_carriers_have_an_order,
    b30_a_cookie_carries_a_token,
    b31_types_and_algorithms_are_allow_listed,
    b32_issuer_audience_and_time_are_checked,
    b33_refusals_are_challenges,
    b34_one_bad_detail_refuses_the_token,
    b35_anonymous_subscribers_get_what_is_public,
    b36_any_granted_topic_of_an_update_suffices,
    b37_a_stream_ends_with_its_token,
    b38_a_cookie_alone_publishes_nothing,
    b39_both_cursors_resume_and_the_header_wins,
    b40_earliest_is_all_and_duplicates_are_the_oldest,
    b41_the_answer_names_the_place,
    b42_ids_are_of_the_whole_hub,
    b43_coming_and_going_are_private_updates,
    b44_a_connection_is_one_subscriber,
    b45_the_document_says_what_is_subscribed,
    b46_the_payload_is_the_grants,
    b47_the_api_has_three_shapes,
    b48_the_api_gives_the_cursor,
    b49_encrypted_data_passes_untouched,
}
