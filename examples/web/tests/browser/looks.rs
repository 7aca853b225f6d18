//! How pages look: at the width of a phone and of a desk, light and dark, nothing sticks out and every text can be read.

use ephemeral_mysql::shared;
use serde_json::json;
use unit_of_work::mysql::prelude::Queryable;

use crate::service::{Web, event, rows};
use crate::window::{Scripts, Window};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_and_can_be_read() {
    let web = Web::shared();
    let event = event(shared(), 8, 12, 90);
    let sql = "UPDATE event SET name = 'Night of the Choirs' WHERE id = ?";
    rows(shared()).exec_drop(sql, (event,)).expect("it can be updated");
    web.bought(web.held(event, "bob@example.org", &["D-5", "D-6", "D-7"]), &format!("looks-{event}"));
    let hold = web.held(event, "eve@example.org", &["E-8", "E-9"]);
    // Until all pages have been looked at, on a slow machine too.
    let sql = "UPDATE seat_hold SET ends_at = ends_at + INTERVAL 1 HOUR WHERE id = ?";
    rows(shared()).exec_drop(sql, (hold,)).expect("it can be updated");
    web.invite(event, "Grace Hopper");
    web.invite(
        event,
        "A name that is as long as a name may be and has no place to break it: 0123456789012345678901234567890123",
    );
    let window = Window::open(&web.address, Scripts::On).await;
    let (event, hold) = (format!("/events/{event}"), format!("/holds/{hold}"));
    let pages = [("events", "/"), ("event", &event), ("hold", &hold), ("failure", "/holds/999999999")];
    for (device, width, height) in [("phone", 360, 740), ("desk", 1280, 900)] {
        for scheme in ["light", "dark"] {
            window.resize(width, height, scheme).await;
            for (name, path) in pages {
                window.goto(path).await;
                window.find("h1").await;
                let page = format!("{name}-{device}-{scheme}");
                window.screenshot(&page).await;
                let wide = window.asked("return document.documentElement.scrollWidth").await;
                assert_eq!(wide, json!(width), "{page} sticks out");
                assert_eq!(window.asked(PALE).await, json!([]), "{page}");
                assert_eq!(window.asked(SMALL).await, json!([]), "{page}");
            }
        }
    }
    window.close().await;
}

/// The texts whose contrast with what is behind them is below 4.5 : 1, as WCAG 2 counts it; disabled things need none.
const PALE: &str = r"
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = color;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data];
    };
    const light = (color) => {
        const [r, g, b] = rgba(color).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor;
            if (rgba(color)[3] === 255) return color;
        }
        return 'white';
    };
    const pale = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest('.out-of-sight, .skip')) continue;
        if (element.closest('script, noscript')) continue;
        if (element.closest('label')?.querySelector(':disabled')) continue;
        const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) pale.push(`${contrast.toFixed(2)}: ${texts.currentNode.data.trim()}`);
    }
    return pale";

/// What is to be hit with a finger and is smaller than 24 pixels (WCAG 2.5.8); links in running text may be.
const SMALL: &str = r"
    const targets = document.querySelectorAll('button, .button, label.seat, nav a, input:not([type=hidden])');
    const small = [...targets].filter((target) => {
        const { width, height } = target.getBoundingClientRect();
        return Math.min(width, height) < 24 && target.checkVisibility() && !target.closest('.skip');
    });
    return small.map((target) => target.outerHTML)";
