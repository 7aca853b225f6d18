//! Buying seats, in one window and in two, with scripts and without.

use ephemeral_mysql::shared;
use serde_json::json;

use crate::service::{Web, event};
use crate::window::{Scripts, Window};

/// How long a purchase is pending, in milliseconds: long enough to be seen on a busy machine.
const PENDING: &str = "5000";

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_is_bought_in_one_window_is_taken_in_the_other() {
    // On a server of its own: on a shared one, others would do its errands.
    let web = Web::start(&["--payment-delay", PENDING]);
    let event = 1;
    let (ada, bob) = tokio::join!(Window::open(&web.address, Scripts::On), Window::open(&web.address, Scripts::On));
    let here = format!("/events/{event}");
    ada.goto(&here).await;
    bob.goto(&here).await;
    assert_eq!(ada.text("#choice").await, "Nothing chosen yet");
    bob.find("[data-seat='C-5'].free").await;
    ada.click("[data-seat='C-5']").await;
    ada.click("[data-seat='C-6']").await;
    assert_eq!(ada.text("#choice").await, "C-5, C-6 chosen: € 50.00");
    ada.enter("#customer", "ada@example.org").await;
    ada.screenshot("seats-chosen").await;
    ada.click("form[data-event] button").await;
    ada.find("[data-seconds]").await;
    assert!(ada.path().await.starts_with("/holds/"));
    // It counts down by itself.
    let begun = ada.text("[data-seconds]").await;
    ada.until(&format!("return document.querySelector('[data-seconds]').textContent !== '{begun}'")).await;
    ada.screenshot("hold").await;

    // The other window sees it without being loaded again, and what it has chosen meanwhile stays chosen.
    bob.click("[data-seat='A-1']").await;
    bob.find("[data-seat='C-5'].held input:disabled").await;
    assert_eq!(bob.text("#choice").await, "A-1 chosen: € 25.00");
    bob.screenshot("held-by-another").await;

    ada.click("form[action$='/purchase'] button").await;
    ada.find(".state.pending").await;
    ada.screenshot("purchase-pending").await;
    ada.find(".state.paid").await;
    ada.screenshot("purchase-paid").await;
    bob.find("[data-seat='C-5'].sold").await;
    assert_eq!(web.seats(event, "sold"), ["C-5", "C-6"]);
    assert_eq!(bob.asked("return document.querySelectorAll('.seat.sold input').length").await, json!(2));

    ada.click("form[action$='/cancel'] button").await;
    ada.find(".state.cancelled").await;
    bob.find("[data-seat='C-5'].free input:enabled").await;
    for window in [ada, bob] {
        assert_eq!(window.complaints().await, [""; 0]);
        window.close().await;
    }
    web.assert_sound(event);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_rule_is_explained_beside_the_choice() {
    let web = Web::shared();
    let event = event(shared(), 2, 8, 16);
    let ada = Window::open(&web.address, Scripts::On).await;
    ada.goto(&format!("/events/{event}")).await;
    for seat in ["A-1", "A-2", "A-3", "B-2", "B-3"] {
        ada.click(&format!("[data-seat='{seat}']")).await;
    }
    assert_eq!(ada.text("#choice").await, "5 seats chosen, at most 4 can be yours");
    for seat in ["A-1", "A-2", "A-3"] {
        ada.click(&format!("[data-seat='{seat}']")).await;
    }
    ada.enter("#customer", "ada@example.org").await;
    ada.click("form[data-event] button").await;
    assert!(ada.text("[role=alert]").await.contains("seat B-1 would be left alone"));
    ada.find("[data-seat='B-1'].blamed").await;
    // Whoever cannot see it is told first; and the choice is still there.
    ada.until("return document.activeElement === document.querySelector('[role=alert]')").await;
    assert_eq!(ada.text("#choice").await, "B-2, B-3 chosen: € 20.00");
    ada.screenshot("rule-broken").await;
    // Chromium reports every answer that is not a 2xx.
    let complaints = ada.complaints().await;
    assert!(complaints.iter().all(|complaint| complaint.contains("status of 409")), "{complaints:?}");
    ada.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_seat_is_bought_as_well() {
    let web = Web::start(&["--payment-delay", PENDING]);
    let event = 1;
    let ada = Window::open(&web.address, Scripts::Off).await;
    ada.goto(&format!("/events/{event}")).await;
    ada.click("[data-seat='A-1']").await;
    assert_eq!(ada.text("#choice").await, "", "scripts are off");
    ada.enter("#customer", "ada@example.org").await;
    ada.click("form[data-event] button").await;
    ada.click("form[action$='/purchase'] button").await;
    ada.find(".state.pending").await;
    // The page loads itself again.
    ada.find(".state.paid").await;
    assert_eq!(web.seats(event, "sold"), ["A-1"]);
    ada.click("main a[href^='/events/']").await;
    ada.find("[data-seat='A-1'].sold input:disabled").await;
    ada.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_is_one_and_who_comes_back_sees_what_is_free_now() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let ada = Window::open(&web.address, Scripts::On).await;
    let here = format!("/events/{event}");
    ada.goto(&here).await;
    ada.click("[data-seat='A-1']").await;
    ada.enter("#customer", "ada@example.org").await;
    assert_eq!(ada.asked(DOUBLE_CLICK).await, json!(1));

    ada.goto(&here).await;
    ada.click("[data-seat='A-1']").await;
    ada.enter("#customer", "ada@example.org").await;
    ada.click("form[data-event] button").await;
    ada.find("[data-seconds]").await;
    ada.asked("history.back()").await;
    // The browser chooses again what was chosen, and then it is taken.
    ada.find("[data-seat='A-1'].held input:disabled:not(:checked)").await;
    assert_eq!(ada.text("#choice").await, "Nothing chosen yet");
    ada.close().await;
}

/// How often the form is sent.
const DOUBLE_CLICK: &str = "
    let sent = 0;
    addEventListener('submit', (event) => {
        if (!event.defaultPrevented) sent += 1;
        event.preventDefault();
    });
    const button = document.querySelector('form[data-event] button');
    button.click();
    button.click();
    return sent";
