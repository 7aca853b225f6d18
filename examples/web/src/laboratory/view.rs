//! What the page shows: words and figures for people, made from settings, samples and totals. Pure; where they come from and how they
//! are sent is `page`.

use askama::Template;

use super::samples::{Sample, Totals};
use super::settings::{GATES, Gate, LEVELS, Settings};
use super::{Shown, State};
use unit_of_work::Isolation;

/// The whole page.
#[derive(Debug, Template)]
#[template(path = "laboratory.html")]
pub(crate) struct LaboratoryPage {
    /// Of the visitor: for the forms.
    token: String,
    /// The number of the newest experiment; 0 = there is none.
    number: u64,
    running: bool,
    state: String,
    /// What the form proposes: what was run last.
    next: Settings,
    levels: Vec<Choice>,
    gates: Vec<Choice>,
    tries: Vec<Try>,
    now: Now,
    runs: Vec<Row>,
    samples: Vec<[String; 7]>,
    limit_s: u64,
}

/// Something that can be chosen.
#[derive(Debug)]
struct Choice {
    word: String,
    label: String,
    chosen: bool,
}

/// An experiment that is worth seeing, behind one button.
#[derive(Debug)]
struct Try {
    label: &'static str,
    what: &'static str,
    fields: Vec<(&'static str, String)>,
}

/// The figures that are shown large.
#[derive(Debug)]
struct Now {
    elapsed: String,
    units: String,
    retries: String,
    p99: String,
    oversold: u64,
    without_seat: u64,
    width: String,
    is_broken: bool,
}

/// A whole experiment, beside others.
#[derive(Debug)]
struct Row {
    number: u64,
    colour: u64,
    isolation: Isolation,
    gate: Gate,
    threads: u32,
    shows: u32,
    seats: u32,
    units: String,
    retries: String,
    p99: String,
    oversold: String,
    without_seat: u64,
    is_broken: bool,
    ended: String,
}

/// How many samples the table has.
const LAST: usize = 10;

/// What is not there.
const NOTHING: &str = "–";

const HOT: Settings = Settings::DEFAULT;

/// The rule broken and kept; the storm with and without a gate.
const TRIES: [(&str, &str, Settings); 4] = [
    (
        "Oversell",
        "repeatable read, 16 threads, 4 shows: each transaction sees a snapshot, and what two of them write breaks the rule together.",
        Settings { isolation: Isolation::RepeatableRead, ..HOT },
    ),
    (
        "Keep the rule",
        "the same at serializable: one of the two fails and runs again; nothing is oversold.",
        Settings { isolation: Isolation::Serializable, ..HOT },
    ),
    (
        "Collapse",
        "serializable, 64 threads, 2 shows, no gate: the losers back off, come back, and lose again.",
        Settings { isolation: Isolation::Serializable, threads: 64, shows: 2, gate: Gate::Open, ..HOT },
    ),
    (
        "The gate",
        "the same through the gate, which lets in as many as get something done; the others wait, and hold nothing.",
        Settings { isolation: Isolation::Serializable, threads: 64, shows: 2, gate: Gate::Adaptive, ..HOT },
    ),
];

impl LaboratoryPage {
    /// Of the last experiments, the newest at the end.
    pub(crate) fn of(shown: &[Shown], limit_s: u64, token: String) -> Self {
        let newest = shown.last();
        let next = newest.map_or(Settings::DEFAULT, |newest| newest.settings);
        let samples = newest.map_or(&[][..], |newest| &newest.samples);
        Self {
            token,
            number: newest.map_or(0, |newest| newest.number),
            running: newest.is_some_and(Shown::is_running),
            state: newest.map_or_else(|| "Nothing has been run yet.".to_owned(), told),
            next,
            levels: LEVELS.map(|level| Choice::of(&level.to_string(), "", level == next.isolation)).into(),
            gates: GATES.map(|gate| Choice::of(gate, meaning(gate), gate == next.gate.word())).into(),
            tries: TRIES.map(|(label, what, settings)| Try { label, what, fields: settings.fields().into() }).into(),
            now: newest.map_or_else(Now::nothing, Now::of),
            runs: shown.iter().rev().map(Row::of).collect(),
            samples: samples.iter().rev().take(LAST).map(cells).collect(),
            limit_s,
        }
    }
}

fn told(newest: &Shown) -> String {
    let Shown { number, state, .. } = newest;
    match state {
        State::Running => format!("Experiment {number} is running."),
        over => format!("Experiment {number} is over: {}.", ended(*over)),
    }
}

fn ended(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Stopped => "stopped",
        State::TimeIsUp => "time is up",
        State::Enough => "enough units",
        State::Failed => "the database failed; the log says how",
    }
}

fn meaning(gate: &str) -> &'static str {
    match gate {
        "adaptive" => ": as many as conflicts permit",
        "open" => ": no gate, only backoff",
        _ => ": so many at once",
    }
}

impl Choice {
    fn of(word: &str, meaning: &str, chosen: bool) -> Self {
        Self { word: word.to_owned(), label: format!("{word}{meaning}"), chosen }
    }
}

impl Now {
    fn nothing() -> Self {
        let [elapsed, units, retries, p99, width] = [(); 5].map(|()| NOTHING.to_owned());
        Self { elapsed, units, retries, p99, oversold: 0, without_seat: 0, width, is_broken: false }
    }

    /// What the last half second was like; of an experiment that is over, the whole of it.
    fn of(shown: &Shown) -> Self {
        let Some(last) = shown.samples.last() else { return Self::nothing() };
        let (units, retries, p99) = match shown.state {
            State::Running => (last.units_per_s, last.retries_per_s, last.p99_ms),
            _ => (shown.totals.units_per_s, shown.totals.retries_per_s(), shown.totals.p99_ms),
        };
        Self {
            elapsed: format!("{:.0} s", last.at_s),
            units: whole(units),
            retries: whole(retries),
            p99: millis(p99),
            oversold: last.rows.oversold,
            without_seat: last.rows.without_seat,
            width: width(last.gate_width),
            is_broken: last.rows.oversold > 0,
        }
    }
}

impl Row {
    fn of(shown: &Shown) -> Self {
        let Shown { number, settings, state, totals, .. } = shown;
        let Settings { isolation, threads, shows, seats, gate } = *settings;
        let Totals { units_per_s, retries_per_unit, p99_ms, gave_up, rows, .. } = totals;
        Self {
            number: *number,
            colour: number % 4,
            isolation,
            gate,
            threads,
            shows,
            seats,
            units: whole(*units_per_s),
            retries: format!("{retries_per_unit:.2}"),
            p99: millis(*p99_ms),
            oversold: format!("{} of {}", rows.oversold, rows.performances),
            without_seat: rows.without_seat,
            is_broken: rows.oversold > 0,
            ended: if *gave_up > 0 {
                format!("{}, {gave_up} gave up", ended(*state))
            } else {
                ended(*state).to_owned()
            },
        }
    }
}

fn cells(sample: &Sample) -> [String; 7] {
    let Sample { at_s, units_per_s, retries_per_s, p99_ms, rows, gate_width, .. } = sample;
    let (oversold, without_seat) = (rows.oversold.to_string(), rows.without_seat.to_string());
    let (units, retries) = (whole(*units_per_s), whole(*retries_per_s));
    [format!("{at_s:.1}"), units, retries, millis(*p99_ms), oversold, without_seat, width(*gate_width)]
}

/// With a comma between thousands, as the script writes it.
fn whole(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn millis(time: Option<f64>) -> String {
    time.map_or_else(|| NOTHING.to_owned(), |ms| format!("{ms:.1}"))
}

fn width(width: Option<u32>) -> String {
    width.map_or_else(|| "all".to_owned(), |width| width.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laboratory::sales::Audit;

    fn experiment(state: State) -> Shown {
        let rows = Audit { tickets: 45, performances: 4, oversold: 3, without_seat: 5 };
        let sample = Sample {
            at_s: 0.5,
            units: 50,
            sold: 45,
            retries: 7,
            gave_up: 0,
            units_per_s: 100.4,
            retries_per_s: 14.0,
            p50_ms: Some(1.0),
            p99_ms: Some(12.34),
            rows,
            gate_width: Some(2),
        };
        let totals =
            Totals { units: 50, units_per_s: 80.0, retries_per_unit: 0.14, p99_ms: None, rows, ..Totals::default() };
        Shown { number: 5, settings: Settings::DEFAULT, state, totals, samples_from: 0, samples: vec![sample; 12] }
    }

    fn page(shown: &[Shown]) -> String {
        LaboratoryPage::of(shown, 120, "token".to_owned()).render().expect("it can be rendered")
    }

    #[test]
    fn without_a_script_the_page_has_all_figures_and_reloads_itself_while_something_runs() {
        let running = page(&[experiment(State::Running)]);
        for part in [
            "data-run=\"5\"",
            "data-running=\"true\"",
            "http-equiv=\"refresh\"",
            "<dd id=\"lab-units\">100</dd>",
            "<dd id=\"lab-p99\">12.3</dd>",
            "<dd id=\"lab-broken\">3</dd>",
            "<dd id=\"lab-width-now\">2</dd>",
            "<td class=\"broken\">3 of 4</td>",
            "<option selected>repeatable read</option>",
        ] {
            assert!(running.contains(part), "{part} in {running}");
        }
        assert_eq!(running.matches("<td>0.5</td>").count(), LAST, "{running}");
        let over = page(&[experiment(State::Stopped)]);
        assert!(!over.contains("http-equiv=\"refresh\"") && over.contains("Experiment 5 is over: stopped."), "{over}");
        assert!(over.contains("<dd id=\"lab-units\">80</dd>") && over.contains("<dd id=\"lab-p99\">–</dd>"), "{over}");
    }

    #[test]
    fn a_page_without_experiments_proposes_some() {
        let page = page(&[]);
        assert!(page.contains("data-run=\"0\"") && page.contains("Nothing has been run yet."), "{page}");
        for number in 1..=TRIES.len() {
            assert!(page.contains(&format!("id=\"lab-try-{number}\"")), "{page}");
        }
    }

    #[test]
    fn thousands_are_seen() {
        let written = [0.0, 99.6, 999.4, 1000.0, 12_345.0, 1_234_567.0].map(whole);
        assert_eq!(written, ["0", "100", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn what_the_buttons_send_is_what_they_promise() {
        let page = LaboratoryPage::of(&[], 120, String::new());
        for (button, (label, _, settings)) in page.tries.iter().zip(TRIES) {
            let asked = button.fields.iter().map(|(field, text)| ((*field).to_owned(), text.clone())).collect();
            assert_eq!(Settings::chosen(&asked), Ok(settings), "{label}");
        }
    }
}
