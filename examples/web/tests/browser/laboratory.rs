//! The laboratory: `repeatable read` oversells before one's eyes, `serializable` does not, and the page says what the service says.

use serde_json::{Value, json};

use crate::service::Web;
use crate::window::{Scripts, Window};

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_is_plotted_and_its_figures_are_those_of_the_service() {
    let web = Web::start(&[]);
    let window = Window::open(&web.address, Scripts::On).await;
    window.goto("/laboratory").await;

    window.click("#lab-try-1").await;
    window.find("#laboratory[data-running='true']").await;
    window.find("#lab-plots:not([hidden]) #lab-plot-units canvas").await;
    window.until("return Number(document.getElementById('lab-broken').textContent) > 0").await;
    window.screenshot("laboratory").await;
    window.click("#lab-stop").await;
    window.find("#laboratory[data-running='false']").await;
    let oversold = told(&web, 0);
    assert!(oversold["totals"]["oversold"].as_u64() > Some(0), "{oversold}");
    assert_shown(&window, &oversold).await;

    window.click("#lab-try-2").await;
    window.find("#laboratory[data-run='2'][data-running='true']").await;
    window.until("return Number(document.getElementById('lab-units').textContent.replace(/\\D/g, '')) > 0").await;
    window.click("#lab-stop").await;
    window.find("#laboratory[data-run='2'][data-running='false']").await;
    let kept = told(&web, 1);
    assert!(kept["totals"]["oversold"] == 0 && kept["totals"]["sold"].as_u64() > Some(0), "{kept}");
    assert_shown(&window, &kept).await;
    window.resize(1280, 2400, "light").await;
    window.screenshot("laboratory-compared").await;

    // Somebody else begins one: the page shows it, and what is being chosen here stays.
    window.enter("#lab-threads", "3").await;
    assert_eq!(web.post("/laboratory/start", &json!({ "isolation": "serializable", "threads": 2 })).status, 202);
    window.find("#laboratory[data-run='3'][data-running='true']").await;
    window.until("return document.getElementById('lab-threads').value === '3'").await;
    assert_eq!(window.complaints().await, [""; 0]);
    window.close().await;
}

fn told(web: &Web, at: usize) -> Value {
    web.get("/laboratory/state").body["runs"][at].clone()
}

/// The row of the table, and the large figures.
async fn assert_shown(window: &Window, run: &Value) {
    let (number, totals) = (&run["number"], &run["totals"]);
    let row = |column: u8| format!("#lab-runs tr[data-run='{number}'] td:nth-child({column})");
    let units = totals["units_per_s"].as_f64().expect("a rate is a number").round().to_string();
    for (place, figure) in [
        (row(6), units.clone()),
        ("#lab-units".to_owned(), units),
        (row(9), totals["oversold"].to_string()),
        ("#lab-broken".to_owned(), totals["oversold"].to_string()),
        (row(10), totals["without_seat"].to_string()),
    ] {
        // `1,685` units; `312 of 341` performances.
        let text = window.text(&place).await;
        let shown: String = text.split(" of ").take(1).flat_map(str::chars).filter(char::is_ascii_digit).collect();
        assert_eq!(shown, figure, "{place}: {run}");
    }
}
