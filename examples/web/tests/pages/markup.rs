//! What users enter is text, wherever it is shown; and pages ask for nothing that is not from here.

use ephemeral_mysql::shared;
use unit_of_work::mysql::prelude::Queryable;

use crate::service::{Web, event, rows};
use crate::visitor::Visitor;

const NASTY: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;";

fn assert_escaped(page: &str) {
    for raw in ["<script>alert", "<img src=x", "\"'>"] {
        assert!(!page.contains(raw), "{raw} in {page}");
    }
    // Something of it is there, as text: once escaped, and not twice.
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
}

#[test]
fn markup_in_names_is_shown_as_text() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let mut conn = rows(shared());
    conn.exec_drop("UPDATE event SET name = ? WHERE id = ?", (NASTY, event)).expect("it can be updated");
    let mut ada = Visitor::at(&web, &format!("/events/{event}"));
    assert_escaped(&ada.page.text);
    let guests = format!("/events/{event}/guests#guests");
    assert_escaped(&ada.submit(&guests, &[("name", NASTY)]).page.text);
    // The reason names it too.
    assert_escaped(&ada.submit(&guests, &[("name", NASTY)]).page.text);
    let holds = format!("/events/{event}/holds");
    assert_escaped(&ada.submit(&holds, &[("seats", NASTY), ("customer", NASTY)]).page.text);
    ada.submit(&holds, &[("seats", "A-1"), ("customer", "ada@example.org")]);
    assert!(ada.path.starts_with("/holds/"), "{ada:?}");
    assert_escaped(&ada.page.text);
    let purchase = format!("{}/purchase", ada.path);
    assert_escaped(&ada.submit(&purchase, &[]).page.text);
    assert_escaped(&ada.open("/").page.text);
    conn.exec_drop("UPDATE event SET name = 'Plain' WHERE id = ?", (event,)).expect("it can be updated");
}

#[test]
fn an_address_with_markup_is_text_too() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let mut ada = Visitor::at(&web, &format!("/events/{event}"));
    let address = "a&b'c`{}@example.org";
    ada.submit(&format!("/events/{event}/holds"), &[("seats", "A-1"), ("customer", address)]);
    assert!(ada.path.starts_with("/holds/"), "{ada:?}");
    assert!(ada.page.text.contains("<dd>a&#38;b&#39;c`{}@example.org</dd>"), "{:?}", ada.page);
    // Through the cookie and back.
    assert!(
        ada.open(&format!("/events/{event}")).page.text.contains("value=\"a&#38;b&#39;c`{}@example.org\""),
        "{ada:?}"
    );
}

#[test]
fn pages_need_nothing_from_elsewhere_and_nothing_inline() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let mut ada = Visitor::at(&web, "/");
    let mut pages = vec![ada.page.text.clone()];
    pages.push(ada.open(&format!("/events/{event}")).page.text.clone());
    ada.submit(&format!("/events/{event}/holds"), &[("seats", "A-1"), ("customer", "ada@example.org")]);
    pages.push(ada.page.text.clone());
    pages.push(ada.open("/laboratory").page.text.clone());
    pages.push(ada.open("/nowhere").page.text.clone());
    for page in pages {
        for name in ["src", "href", "action"] {
            let named = format!(" {name}=\"");
            let values = page.split(&named).skip(1).filter_map(|rest| rest.split('"').next());
            let elsewhere: Vec<_> =
                values.filter(|value| !value.starts_with(['/', '#']) || value.starts_with("//")).collect();
            assert!(elsewhere.is_empty(), "{elsewhere:?} in {page}");
        }
        for inline in ["<style", " style=", "<script>", " onclick=", "javascript:"] {
            assert!(!page.contains(inline), "{inline} in {page}");
        }
        assert!(
            page.contains("<html lang=\"en\">") && page.contains("<main id=\"main\"") && page.contains("<h1>"),
            "{page}"
        );
    }
}
