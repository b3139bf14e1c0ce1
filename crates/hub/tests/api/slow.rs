//! A subscriber that does not read for a while gets everything all the same, and costs the hub no more than a window.
use crate::fixture::*;
use fanfare_hub::subscription::Start;

#[tokio::test]
async fn a_subscriber_out_of_its_window_reads_the_log_and_comes_back() {
    let hub = hub(16);
    let mut slow = subscribe(&hub, &["a"], Start::Now).await;
    let mut quick = subscribe(&hub, &["a"], Start::Now).await;
    let mut expected = Vec::new();
    for round in 0..5 {
        let numbers: Vec<String> = (0..200).map(|number| format!("{round}.{number}")).collect();
        publish(&hub, numbers.iter().map(|number| update(&["a"], number))).await;
        assert_eq!(receive_data(&mut quick, 200).await, numbers);
        expected.extend(numbers);
        if round % 2 == 1 {
            assert_eq!(receive_data(&mut slow, expected.len()).await, expected);
            expected.clear();
        }
    }
    assert_eq!(receive_data(&mut slow, expected.len()).await, expected);
    assert!(is_quiet(&mut slow) && is_quiet(&mut quick));
}

#[tokio::test]
async fn a_dropped_future_loses_nothing() {
    let hub = hub(4);
    let mut subscription = subscribe(&hub, &["a"], Start::Now).await;
    publish(&hub, (0..50).map(|number| update(&["a"], &number.to_string()))).await;
    let mut text = String::new();
    while text.matches("\n\n").count() < 50 {
        tokio::select! {
            biased;
            run = subscription.next() => text.push_str(str::from_utf8(&run.unwrap().unwrap()).unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(data, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}
