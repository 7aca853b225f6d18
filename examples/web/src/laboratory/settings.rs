//! What somebody chooses for an experiment: level, threads, hot rows, gate. Decides the bounds and the words of each; what comes in
//! as text, from a form or as JSON, is either settings that can be run or a list of the fields that are wrong.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use unit_of_work::{Admission, Isolation};

use crate::failure::FieldError;

/// An experiment that can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    #[serde(serialize_with = "words")]
    pub(crate) isolation: Isolation,
    /// How many sell at once.
    pub(crate) threads: u32,
    /// How many shows they sell for: few are hot.
    pub(crate) shows: u32,
    /// What one performance of a show has.
    pub(crate) seats: u32,
    #[serde(flatten)]
    pub(crate) gate: Gate,
}

/// Who may run an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "gate", content = "width", rename_all = "lowercase")]
pub(crate) enum Gate {
    /// As many as conflicts permit.
    Adaptive,
    /// Everybody: losers only back off.
    Open,
    /// So many at once.
    Fixed(u32),
}

/// What was sent, by field. What is missing is as in [`Settings::DEFAULT`].
pub(crate) type Asked = BTreeMap<String, String>;

/// What can be asked for, in the order of the form; `width` counts only with the gate `fixed`.
pub(crate) const FIELDS: [&str; 6] = ["isolation", "threads", "shows", "seats", "gate", "width"];

pub(crate) const LEVELS: [Isolation; 4] =
    [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

pub(crate) const GATES: [&str; 3] = ["adaptive", "open", "fixed"];

/// The most threads, each with a connection of its own, and so the widest gate.
pub(crate) const MOST_THREADS: u32 = 64;
pub(crate) const MOST_SHOWS: u32 = 1000;
pub(crate) const MOST_SEATS: u32 = 100;

impl Settings {
    pub(crate) const DEFAULT: Self =
        Self { isolation: Isolation::RepeatableRead, threads: 16, shows: 4, seats: 10, gate: Gate::Adaptive };

    /// # Errors
    /// Every field that is wrong.
    pub(crate) fn chosen(asked: &Asked) -> Result<Self, Vec<FieldError>> {
        let default = Self::DEFAULT;
        let mut form = Form { asked, wrong: Vec::new() };
        let chosen = Self {
            isolation: form.isolation().unwrap_or(default.isolation),
            threads: form.number("threads", MOST_THREADS).unwrap_or(default.threads),
            shows: form.number("shows", MOST_SHOWS).unwrap_or(default.shows),
            seats: form.number("seats", MOST_SEATS).unwrap_or(default.seats),
            gate: form.gate().unwrap_or(default.gate),
        };
        form.refuse_others();
        if form.wrong.is_empty() { Ok(chosen) } else { Err(form.wrong) }
    }

    /// What a form that shows them sends.
    pub(crate) fn fields(&self) -> [(&'static str, String); 6] {
        let Self { isolation, threads, shows, seats, gate } = self;
        [
            ("isolation", isolation.to_string()),
            ("threads", threads.to_string()),
            ("shows", shows.to_string()),
            ("seats", seats.to_string()),
            ("gate", gate.word().to_owned()),
            ("width", gate.width().to_string()),
        ]
    }
}

impl Gate {
    pub(crate) fn admission(self) -> Admission {
        match self {
            Self::Adaptive => Admission::Adaptive,
            Self::Open => Admission::Open,
            Self::Fixed(width) => Admission::fixed(width),
        }
    }

    /// Its word in the form.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Adaptive => "adaptive",
            Self::Open => "open",
            Self::Fixed(_) => "fixed",
        }
    }

    /// What the form's `width` shows.
    pub(crate) fn width(self) -> u32 {
        match self {
            Self::Adaptive | Self::Open => 1,
            Self::Fixed(width) => width,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(width) => write!(f, "fixed {width}"),
            Self::Adaptive | Self::Open => f.write_str(self.word()),
        }
    }
}

/// What was sent, as it is read.
struct Form<'a> {
    asked: &'a Asked,
    wrong: Vec<FieldError>,
}

impl<'a> Form<'a> {
    fn text(&self, field: &str) -> Option<&'a str> {
        self.asked.get(field).map(|text| text.trim())
    }

    fn isolation(&mut self) -> Option<Isolation> {
        let asked = self.text("isolation")?;
        let found = LEVELS.into_iter().find(|level| level.to_string() == asked);
        if found.is_none() {
            self.is_wrong("isolation", format!("is one of {}", LEVELS.map(|level| format!("`{level}`")).join(", ")));
        }
        found
    }

    fn number(&mut self, field: &'static str, most: u32) -> Option<u32> {
        let number = self.text(field)?.parse().ok().filter(|number| (1..=most).contains(number));
        if number.is_none() {
            self.is_wrong(field, format!("is a whole number from 1 to {most}"));
        }
        number
    }

    fn gate(&mut self) -> Option<Gate> {
        match self.text("gate")? {
            "adaptive" => Some(Gate::Adaptive),
            "open" => Some(Gate::Open),
            "fixed" if self.text("width").is_none() => Some(Gate::Fixed(1)),
            "fixed" => self.number("width", MOST_THREADS).map(Gate::Fixed),
            _ => {
                self.is_wrong("gate", format!("is one of {}", GATES.map(|gate| format!("`{gate}`")).join(", ")));
                None
            }
        }
    }

    fn refuse_others(&mut self) {
        for unknown in self.asked.keys().filter(|field| !FIELDS.contains(&field.as_str())) {
            self.wrong.push(FieldError::new(unknown, "there is no such field".to_owned()));
        }
    }

    fn is_wrong(&mut self, field: &str, rule: String) {
        self.wrong.push(FieldError::new(field, rule));
    }
}

fn words<T: fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: &[(&str, &str)]) -> Asked {
        fields.iter().map(|(field, text)| ((*field).to_owned(), (*text).to_owned())).collect()
    }

    fn sent(settings: &Settings) -> Asked {
        settings.fields().map(|(field, text)| (field.to_owned(), text)).into()
    }

    #[test]
    fn what_is_not_said_is_as_the_form_shows_it() {
        assert_eq!(Settings::chosen(&Asked::new()), Ok(Settings::DEFAULT));
        assert_eq!(Settings::chosen(&sent(&Settings::DEFAULT)), Ok(Settings::DEFAULT));
        let fixed = Settings::chosen(&asked(&[("gate", "fixed")])).expect("a width of its own");
        assert_eq!(fixed.gate, Gate::Fixed(1));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let all =
            [("isolation", "chaos"), ("threads", "65"), ("shows", "0"), ("seats", "-1"), ("gate", "ajar"), ("x", "")];
        let wrong = Settings::chosen(&asked(&all)).expect_err("nothing of it is right");
        let fields: Vec<_> = wrong.iter().map(|wrong| &*wrong.field).collect();
        assert_eq!(fields, ["isolation", "threads", "shows", "seats", "gate", "x"]);
        let width = Settings::chosen(&asked(&[("gate", "fixed"), ("width", "65")])).expect_err("too wide");
        assert_eq!(width, [FieldError::new("width", "is a whole number from 1 to 64".to_owned())]);
        // The form always sends a width: with another gate it means nothing.
        assert!(Settings::chosen(&asked(&[("gate", "open"), ("width", "")])).is_ok());
    }

    /// Whatever is sent: what comes out can be run, and is sent back as it is; or the wrong fields are among those that there are.
    #[test]
    fn settings_are_within_bounds_whatever_is_sent() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut accepted = 0;
        for _ in 0..20_000 {
            let mut sent_in = Asked::new();
            for field in FIELDS {
                if random.u8(..4) > 0 {
                    sent_in.insert(field.to_owned(), text(field, &mut random));
                }
            }
            match Settings::chosen(&sent_in) {
                Ok(settings) => {
                    accepted += 1;
                    let Settings { threads, shows, seats, gate, .. } = settings;
                    assert!((1..=64).contains(&threads) && (1..=1000).contains(&shows), "seed {seed}: {sent_in:?}");
                    assert!((1..=100).contains(&seats) && (1..=64).contains(&gate.width()), "seed {seed}: {sent_in:?}");
                    assert_eq!(Settings::chosen(&sent(&settings)), Ok(settings), "seed {seed}: {sent_in:?}");
                }
                Err(wrong) => {
                    let sent = |wrong: &FieldError| sent_in.contains_key(&wrong.field);
                    assert!(!wrong.is_empty() && wrong.iter().all(sent), "seed {seed}: {sent_in:?} {wrong:?}");
                }
            }
        }
        assert!(accepted > 1000, "seed {seed}: only {accepted} of 20000 were right: this tests nothing");
    }

    fn text(field: &str, random: &mut fastrand::Rng) -> String {
        match (field, random.u8(..6)) {
            (_, 0) => random
                .choice(["", "-1", "0", "1e3", "4294967296", "\u{0}", "٣", "NaN", "64 ", "+5"])
                .expect("some")
                .to_owned(),
            ("isolation", _) => LEVELS[random.usize(..4)].to_string(),
            ("gate", _) => GATES[random.usize(..3)].to_owned(),
            _ => random.u32(..70).to_string(),
        }
    }
}
