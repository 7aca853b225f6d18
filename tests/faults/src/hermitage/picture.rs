//! What each level lets through, as a picture for the guide: drawn from `expected`, which the runs are compared with. It stands in a
//! page (then its text has the page's colour) and can be opened alone; cells carry their own colours and say in words what they mean.

use unit_of_work::Isolation;

use super::expected::{Setting, expected};
use super::schedules::{ALL, Schedule};

/// Without snapshot isolation both servers show the same.
const COLUMNS: [(Isolation, Setting); 6] = [
    (Isolation::ReadUncommitted, Setting::MariaDb),
    (Isolation::ReadCommitted, Setting::MariaDb),
    (Isolation::RepeatableRead, Setting::MariaDb),
    (Isolation::Serializable, Setting::MariaDb),
    (Isolation::RepeatableRead, Setting::MariaDbSnapshot),
    (Isolation::Serializable, Setting::MariaDbSnapshot),
];

const LABELS: usize = 250;
const CELL: usize = 96;
const HEADING: usize = 62;
const HEIGHT: usize = 26;
/// Between the servers' halves.
const GAP: usize = 14;

/// For what opens it alone; in a page `:root` is another element, and the page decides.
const STYLE: &str = "<style>svg:root { color: #1f2328; background: #ffffff } @media (prefers-color-scheme: dark) { svg:root { color: \
                     #e6edf3; background: #0d1117 } }</style>";

/// What becomes of an anomaly.
enum Fate {
    Happens,
    /// Everybody sees what is right.
    Unseen,
    Waits,
    /// The server's error of this number.
    Fails(&'static str),
}

impl Fate {
    fn of(words: &'static str) -> Self {
        match words {
            "x" => Self::Happens,
            "" => Self::Unseen,
            "wait" => Self::Waits,
            code => Self::Fails(code),
        }
    }

    /// Background and text.
    fn colours(&self) -> [&'static str; 2] {
        match self {
            Self::Happens => ["#f2a097", "#4a0d06"],
            Self::Unseen => ["#c9e6c9", "#123812"],
            Self::Waits => ["#c6dcf2", "#0d2b4a"],
            Self::Fails(_) => ["#f5e0a3", "#453300"],
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Happens => "✗ happens".to_owned(),
            Self::Unseen => "✓ not seen".to_owned(),
            Self::Waits => "✓ one waits".to_owned(),
            Self::Fails(code) => format!("✓ error {code}"),
        }
    }
}

/// A schedule's name for people who do not know it.
fn label(schedule: &Schedule) -> &'static str {
    match schedule.name {
        "G0" => "dirty write (G0)",
        "G1a" => "aborted read (G1a)",
        "G1b" => "intermediate read (G1b)",
        "G1c" => "circular information flow (G1c)",
        "OTV" => "observed transaction vanishes (OTV)",
        "PMP read" => "phantom (PMP)",
        "PMP write predicate" => "phantom in a write (PMP)",
        "P4 lost update" => "lost update (P4)",
        "G-single" => "read skew (G-single)",
        "G-single predicate" => "read skew by a condition",
        "G-single write predicate" => "read skew into a write",
        "G2-item write skew" => "write skew (G2-item)",
        "G2" => "write skew by a condition (G2)",
        "G2 Fekete" => "read-only observer of a skew (G2)",
        other => panic!("the picture has no label for {other}"),
    }
}

fn left(column: usize) -> usize {
    LABELS + column * CELL + if column >= 4 { GAP } else { 0 }
}

/// The whole picture. No line of it is empty: in a page that would end it.
pub(crate) fn levels() -> String {
    let (width, height) = (left(COLUMNS.len()), HEADING + ALL.len() * HEIGHT + 4);
    let mut lines = vec![
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"100%\" role=\"img\" \
             aria-label=\"Which anomalies each isolation level lets through\" font-family=\"sans-serif\" font-size=\"13\" \
             style=\"max-width: {width}px\">"
        ),
        STYLE.to_owned(),
    ];
    lines.extend(headings());
    lines.extend(ALL.iter().enumerate().flat_map(|(row, schedule)| line(row, schedule)));
    lines.push("</svg>".to_owned());
    lines.join("\n") + "\n"
}

fn headings() -> Vec<String> {
    let halves = [(0, 4, "MySQL; MariaDB without snapshot isolation"), (4, 6, "MariaDB with it")];
    let halves =
        halves.map(|(from, to, words)| text(usize::midpoint(left(from), left(to - 1) + CELL), 16, words, "bold"));
    let levels = COLUMNS.iter().enumerate().flat_map(|(column, (level, _))| {
        let name = level.to_string().to_lowercase();
        let (first, second) = name.split_once(' ').unwrap_or(("", &name));
        let middle = left(column) + CELL / 2;
        [(36, first), (52, second)].map(|(y, word)| text(middle, y, word, "normal"))
    });
    halves.into_iter().chain(levels).collect()
}

fn text(x: usize, y: usize, words: &str, weight: &str) -> String {
    format!(
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"currentColor\" font-weight=\"{weight}\">{words}</text>"
    )
}

fn line(row: usize, schedule: &Schedule) -> Vec<String> {
    let top = HEADING + row * HEIGHT;
    let label = format!("<text x=\"0\" y=\"{}\" fill=\"currentColor\">{}</text>", top + 17, label(schedule));
    let cells = COLUMNS.iter().enumerate().map(|(column, (level, setting))| {
        cell(left(column), top, &Fate::of(expected(schedule.name, *level, *setting)))
    });
    std::iter::once(label).chain(cells).collect()
}

fn cell(left: usize, top: usize, fate: &Fate) -> String {
    let [background, colour] = fate.colours();
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"{background}\"/><text x=\"{}\" y=\"{}\" \
         text-anchor=\"middle\" font-size=\"12\" fill=\"{colour}\">{}</text>",
        left + 1,
        top + 1,
        CELL - 2,
        HEIGHT - 2,
        left + CELL / 2,
        top + 17,
        fate.words()
    )
}
