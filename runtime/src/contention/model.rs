//! The law in a model: callers that begin again as soon as they have ended, a machine with some cores, conflicts that grow likelier
//! with every attempt in flight, a virtual clock, a seed. It knows no locks: it checks the control law, not a database. All
//! figures are shares of what the best fixed width reaches in the same model.

#![allow(clippy::cast_precision_loss, reason = "counts of a test")]

use std::collections::VecDeque;
use std::time::Duration;

use super::gate::Width;
use super::law::{Ending, Law, Report};

/// What the callers do.
#[derive(Debug, Clone, Copy)]
struct Work {
    callers: usize,
    /// That one attempt in flight spoils another one.
    conflict: f64,
    /// Attempts that the machine runs at full speed.
    cores: f64,
    /// Seconds of work, and of waiting for something else in `thinking` of the attempts.
    busy: f64,
    waiting: f64,
    thinking: f64,
    machine: Machine,
}

/// Whose it is.
#[derive(Debug, Clone, Copy)]
enum Machine {
    Ours,
    /// Others', too: its pace swings by a factor of two within a tenth of a second, and now and then it hardly moves.
    Shared,
}

const HOT: Work =
    Work { callers: 64, conflict: 0.25, cores: 3.0, busy: 0.0003, waiting: 0.0, thinking: 0.0, machine: Machine::Ours };
const CROWDED: Work = Work { callers: 200, ..HOT };
const FEW: Work = Work { callers: 4, cores: 1.6, ..HOT };
const WARM: Work = Work { conflict: 0.03, ..HOT };
const COLD: Work = Work { conflict: 0.001, ..HOT };
const FREE: Work = Work { conflict: 0.0, ..HOT };
const FEW_COLD: Work = Work { callers: 4, conflict: 0.001, ..HOT };
/// Thinks for 11 ms: wants width although it conflicts.
const THINKING: Work = Work { conflict: 0.003, waiting: 0.011, thinking: 1.0, ..HOT };
/// The same, and at its best with two attempts of three in vain.
const THINKING_HOT: Work = Work { conflict: 0.05, ..THINKING };
const NETWORK: Work = Work { conflict: 0.02, cores: 8.0, waiting: 0.002, thinking: 1.0, ..HOT };
/// One attempt of ten takes thirty times as long as the others.
const MIXED: Work = Work { conflict: 0.003, waiting: 0.01, thinking: 0.1, ..HOT };

/// A little better with every attempt in flight, up to all of them.
const SHARED: Work =
    Work { callers: 16, conflict: 0.001, cores: 2.0, waiting: 0.0008, thinking: 1.0, machine: Machine::Shared, ..HOT };

struct Model {
    width: Width,
    random: fastrand::Rng,
    weather: Weather,
    now: f64,
    in_flight: Vec<Attempt>,
    line: VecDeque<()>,
    successes: Vec<f64>,
    narrowest: usize,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    ends: f64,
    took: f64,
    ending: Ending,
}

/// The pace of a shared machine: of the moment, and of the seed alone, so that all widths meet the same.
struct Weather {
    random: fastrand::Rng,
    pace: f64,
    until: f64,
}

impl Weather {
    fn pace(&mut self, now: f64) -> f64 {
        while self.until <= now {
            let hiccup = self.random.f64() < 0.1;
            let (pace, time) = if hiccup { (0.1, 0.015) } else { (0.5 + 0.5 * self.random.f64(), 0.1) };
            self.pace = pace;
            self.until += time * (0.5 + self.random.f64());
        }
        self.pace
    }
}

impl Model {
    fn new(width: Width, seed: u64) -> Self {
        Self {
            width,
            random: fastrand::Rng::with_seed(seed),
            weather: Weather { random: fastrand::Rng::with_seed(seed), pace: 1.0, until: 0.0 },
            now: 0.0,
            in_flight: Vec::new(),
            line: VecDeque::new(),
            successes: Vec::new(),
            narrowest: usize::MAX,
        }
    }

    fn run(&mut self, work: Work, seconds: f64) {
        self.line.resize(work.callers - self.in_flight.len(), ());
        let until = self.now + seconds;
        while self.now < until {
            while self.in_flight.len() < self.width.get() && self.line.pop_front().is_some() {
                let attempt = self.begin(work);
                self.in_flight.push(attempt);
            }
            self.end_the_next();
        }
    }

    fn begin(&mut self, work: Work) -> Attempt {
        let others = self.in_flight.len() as f64;
        let thinks = self.random.f64() < work.thinking;
        let took = work.busy * ((others + 1.0) / work.cores).max(1.0) * (0.7 + 0.6 * self.random.f64());
        let took = if thinks { took + work.waiting } else { took };
        let took = took / self.pace(work.machine);
        let spoilt = self.random.f64() < 1.0 - (1.0 - work.conflict).powf(others);
        let (took, ending) =
            if spoilt { (took * (0.5 + 0.5 * self.random.f64()), Ending::Conflict) } else { (took, Ending::Success) };
        Attempt { ends: self.now + took, took, ending }
    }

    fn pace(&mut self, machine: Machine) -> f64 {
        match machine {
            Machine::Ours => 1.0,
            Machine::Shared => self.weather.pace(self.now),
        }
    }

    fn end_the_next(&mut self) {
        let next = (0..self.in_flight.len()).min_by(|a, b| self.in_flight[*a].ends.total_cmp(&self.in_flight[*b].ends));
        let next = next.expect("somebody is in flight: a width is at least one");
        let Attempt { ends, took, ending } = self.in_flight[next];
        self.now = ends;
        let report = Report {
            ending,
            took: Duration::from_secs_f64(took),
            running: self.in_flight.len(),
            waiting: self.line.len(),
        };
        if let Width::Learned(law) = &mut self.width {
            law.ended(&report);
            self.narrowest = self.narrowest.min(law.width());
        }
        self.in_flight.swap_remove(next);
        match ending {
            Ending::Conflict => self.line.push_front(()),
            Ending::Success | Ending::Other => {
                self.line.push_back(());
                self.successes.push(ends);
            }
        }
    }

    /// Successes per second between two moments.
    fn rate(&self, from: f64, to: f64) -> f64 {
        self.successes.iter().filter(|at| (from..to).contains(*at)).count() as f64 / (to - from)
    }
}

const SEEDS: std::ops::Range<u64> = 1..3;

fn steady(width: impl Fn() -> Width, work: Work) -> f64 {
    let rates = SEEDS.map(|seed| {
        let mut model = Model::new(width(), seed);
        model.run(work, 3.5);
        model.rate(1.5, 3.5)
    });
    rates.min_by(f64::total_cmp).expect("there are seeds")
}

fn best_fixed(work: Work) -> f64 {
    let widths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
    widths.into_iter().map(|width| steady(|| Width::Fixed(width), work)).max_by(f64::total_cmp).expect("widths")
}

fn learned() -> Width {
    Width::Learned(Box::new(Law::new()))
}

#[test]
fn s95_the_law_finds_nearly_the_best_width_for_every_kind_of_work() {
    for (name, work, at_least) in [
        ("hot", HOT, 0.94),
        ("crowded", CROWDED, 0.94),
        ("few", FEW, 0.95),
        ("warm", WARM, 0.93),
        ("cold", COLD, 0.94),
        ("free", FREE, 0.99),
        ("few, cold", FEW_COLD, 0.95),
        ("thinking", THINKING, 0.96),
        ("thinking, hot", THINKING_HOT, 0.85),
        ("network", NETWORK, 0.9),
        ("mixed", MIXED, 0.95),
    ] {
        let (reached, best) = (steady(learned, work), best_fixed(work));
        println!("{name}: {reached:.0}/s, {:.2} of the best fixed width", reached / best);
        assert!(reached >= at_least * best, "{name}: {reached:.0}/s of {best:.0}/s");
    }
}

/// The mean of more seeds, because the weather is a matter of luck. A law that believes each hiccup reaches 0.92.
#[test]
fn s95_a_machine_whose_pace_swings_does_not_lead_the_law_astray() {
    let sum = |width: fn() -> Width| -> f64 {
        let of_seed = |seed| {
            let mut model = Model::new(width(), seed);
            model.run(SHARED, 5.5);
            model.rate(1.5, 5.5)
        };
        (1..9).map(of_seed).sum()
    };
    let share = sum(learned) / sum(|| Width::Fixed(SHARED.callers));
    println!("{share:.3} of the best fixed width");
    assert!(share >= 0.95, "{share:.3} of the best fixed width");
}

/// Seconds until a stretch of 150 ms at nine tenths of what the new work reaches in the end; the worst seed.
fn recovery(before: Work, after: Work) -> f64 {
    let of_seed = |seed| {
        let mut model = Model::new(learned(), seed);
        model.run(before, 3.0);
        let changed = model.now;
        model.run(after, 7.0);
        let enough = 0.9 * model.rate(changed + 4.0, changed + 7.0);
        let late = |step: &u32| model.rate(changed + at(*step), changed + at(*step) + 0.15) < enough;
        (0..80).take_while(late).map(|step| at(step + 1)).last().unwrap_or(0.0)
    };
    SEEDS.map(of_seed).max_by(f64::total_cmp).expect("there are seeds")
}

fn at(step: u32) -> f64 {
    f64::from(step) * 0.05
}

#[test]
fn s95_a_storm_narrows_the_gate_and_after_it_the_gate_is_wide_within_a_second() {
    for (name, before, after, within) in [
        ("a storm", COLD, HOT, 0.5),
        ("its end", HOT, COLD, 0.5),
        ("its end, without any conflict", HOT, FREE, 1.0),
        ("work that waits", THINKING, HOT, 0.5),
        // One window of such work takes a tenth of a second.
        ("work that takes thirty times as long", HOT, THINKING, 2.0),
    ] {
        let seconds = recovery(before, after);
        println!("{name}: {seconds:.2} s");
        assert!(seconds <= within, "{name} takes {seconds:.2} s");
    }
}

#[test]
fn s95_where_nothing_ever_succeeds_the_law_narrows_to_one_and_comes_back() {
    let nothing = Work { conflict: 1.0, ..HOT };
    let mut model = Model::new(learned(), 1);
    model.run(nothing, 1.0);
    assert_eq!(model.narrowest, 1);
    model.run(COLD, 2.0);
    assert!(model.rate(2.0, 3.0) > 0.9 * best_fixed(COLD));
}

#[test]
fn s95_without_conflicts_the_law_narrows_nothing() {
    let mut model = Model::new(learned(), 1);
    model.run(FREE, 1.0);
    assert_eq!(model.narrowest, usize::MAX);
}

/// A law that changed its mind all the time would be paid for in every window.
#[test]
fn s95_the_width_does_not_swing() {
    let mut model = Model::new(learned(), 1);
    model.run(HOT, 2.0);
    let (mut widths, mut changes) = (Vec::new(), 0);
    for _ in 0..1000 {
        let before = model.width.get();
        model.run(HOT, 0.005);
        changes += usize::from(model.width.get() != before);
        widths.push(model.width.get());
    }
    widths.sort_unstable();
    let (low, high) = (widths[50], widths[949]);
    println!("{changes} changes in 1000 looks, nine tenths of them between {low} and {high}");
    assert!(high <= 2 * low && high <= 4, "between {low} and {high}");
}
