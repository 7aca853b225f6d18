//! How many attempts of a unit may run at once: the control law, pure. It is told of every attempt's end, and says a width. It
//! reads no clock, holds no lock and knows no thread, so that the same code runs in a model with a virtual clock (`model`).
//!
//! What it wants is goodput. Of a width it is known by Little's law from the attempts alone: width × successes / time spent in
//! flight, failed attempts and waits included. That one figure holds all that is lost where many want the same rows (work done in
//! vain, waits for locks, queues for a processor), so the law needs no opinion on which of them it is: it measures, on a ladder of
//! widths a third or a half apart, in windows of some attempts, and all that it remembers it counts in windows.
//!
//! 1. It lives on the best rung it knows and visits the rungs beside it: as long as they might be better, given how little is
//!    known of them; and once in a while all the same, because a bad window may have been bad luck. Worse rungs are visited rarely,
//!    rungs that are as good cost nothing.
//! 2. Up only while somebody waits, down only while there are conflicts. Another rung becomes home only if it is better by some of
//!    what may be chance.
//! 3. Where nothing failed it looks up soon again, and climbs on as long as nothing does.
//! 4. When nearly all work of a window was in vain it falls at once to what was useful, and forgets: a storm began.
//! 5. When home gives less than half or more than twice of what it gave, in two of its windows in a row, all that is known is of
//!    another time. One such window alone is a hiccup of the machine, and says nothing.
//! 6. The machine's own pace, which swings by a factor of two within a tenth of a second where others share it, is reckoned out:
//!    what a well known rung gives now, of what it gave, all that is known is brought up to. So a rung seen in a good moment is not
//!    taken for better than one seen in a bad moment.

use std::array;
use std::time::Duration;

// The length of a window, what is a collapse, and what is followed and believed were chosen by trying others in `model` and on a
// server; the rest are first choices that the model's bounds hold. Tried in vain: a wider rung that must be better by 2 %, a
// narrower one as soon as it is not worse (drifts down where all are alike); to hope for 1.5 times the chance; to forget more
// slowly without the pace. In the model a swinging pace costs most where a hiccup is believed; to follow the pace is worth 2 %
// where it swings slowly (0.4 s), and nothing where it swings fast.

/// Ends that make a window, besides one for each attempt in flight: with fewer, wide rungs are told apart by chance.
const WINDOW: u32 = 24;
/// And so many seconds: some turns of the scheduler, so that none of them decides about a rung.
const MOMENT: f64 = 0.01;
/// From this share of wasted time on, and so many ends, a window is a collapse. Not sooner: work that waits for something else is at
/// its best with two attempts of three in vain, and would be thrown down again and again.
const COLLAPSE: f64 = 0.85;
const COLLAPSED: u32 = 32;
/// What a collapse leaves of the width at least.
const FLOOR: f64 = 0.2;
/// What a window leaves of what is known: half is forgotten after 35.
const KEEP: f64 = 0.98;
/// Windows after which a rung is visited whatever is known of it, and after which the one above is where nothing fails.
const STALE: u32 = 40;
const HOPEFUL: u32 = 20;
/// Of the uncertainty of a rung, what it must be better by to become home.
const DOUBT: f64 = 0.25;
/// A change of this size, up or down, in so many of home's windows in a row is a change of the work.
const ANOTHER_TIME: f64 = 2.0;
const LASTING: u32 = 2;
/// Of what a window of a well known rung differs by from what was expected (as a power of their ratio), what counts as the machine's
/// pace; the rest is chance.
const FOLLOW: f64 = 0.3;
/// Successes from which on a rung is known well enough to tell as much of the pace as of itself.
const KNOWN_WELL: f64 = 100.0;
/// Successes that must have been seen before a change can be told from chance.
const ENOUGH: f64 = 24.0;

const RUNGS: usize = 32;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did its work: committed, or rolled back because its body said so.
    Success,
    /// It was in conflict with others, and its work is lost.
    Conflict,
    /// Something else, which says nothing about width.
    Other,
}

/// What one attempt's end tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    pub(super) ending: Ending,
    /// Time in flight: since it was admitted.
    pub(super) took: Duration,
    /// Attempts in flight, this one included.
    pub(super) running: usize,
    /// Attempts in line.
    pub(super) waiting: usize,
}

#[derive(Debug)]
pub(super) struct Law {
    /// The rung that is in force; `None` until a first window has shown how many there are.
    at: Option<usize>,
    /// The most that were in flight at once before that.
    most: usize,
    /// The best that is known.
    home: usize,
    known: [Known; RUNGS],
    window: Window,
    /// Windows since the last conflict.
    calm: u32,
    /// Windows of home in a row that contradict what is known of it.
    contradictions: u32,
}

/// What is known of a rung; decaying sums.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// Seconds in flight at full width, at the pace of now.
    spent: f64,
    successes: f64,
    /// Windows since it was visited.
    age: u32,
}

/// What the attempts that ended since the last decision say.
#[derive(Debug, Default)]
struct Window {
    /// Those that were in flight when the width changed say nothing: so many more of them.
    draining: usize,
    ends: u32,
    successes: u32,
    conflicts: u32,
    waited: u32,
    spent: f64,
    wasted: f64,
    /// Sum of the attempts in flight at each end.
    running: f64,
}

impl Law {
    pub(super) fn new() -> Self {
        Self {
            at: None,
            most: 0,
            home: 0,
            known: array::from_fn(|_| Known::default()),
            window: Window::default(),
            calm: 0,
            contradictions: 0,
        }
    }

    /// Attempts that may be in flight, at least one.
    pub(super) fn width(&self) -> usize {
        self.at.map_or(usize::MAX, width)
    }

    pub(super) fn ended(&mut self, report: &Report) {
        if self.window.draining > 0 {
            self.window.draining -= 1;
            return;
        }
        if report.ending == Ending::Other {
            return;
        }
        self.window.count(report);
        let Some(at) = self.at else { return self.look_around(report) };
        if self.window.is_a_collapse() {
            self.fall(at, report.running);
        } else if self.window.is_full(at) {
            self.learn(at);
            self.go(self.next(), report.running);
        }
    }

    /// Attempts that began before there was a gate are not counted: the first to pass it would be taken for all there are.
    fn look_around(&mut self, report: &Report) {
        self.most = self.most.max(report.running);
        if self.window.ends >= WINDOW && self.window.conflicts > 0 {
            self.home = rung_within(self.most);
            self.go(self.home, 0);
        }
    }

    fn go(&mut self, rung: usize, running: usize) {
        let draining = if self.at == Some(rung) { 0 } else { running };
        self.at = Some(rung);
        self.window = Window { draining, ..Window::default() };
    }

    fn fall(&mut self, at: usize, running: usize) {
        let useful = (1.0 - self.window.share_wasted()).max(FLOOR);
        self.forget();
        self.known[at].learn(&self.window, at);
        self.calm = 0;
        self.home = rung_within(whole(float(width(at).min(running)) * useful));
        self.go(self.home, running);
    }

    fn learn(&mut self, at: usize) {
        for known in &mut self.known {
            known.fade();
        }
        self.calm = if self.window.conflicts > 0 { 0 } else { self.calm.saturating_add(1) };
        if self.is_a_hiccup(at) {
            return;
        }
        self.keep_pace(at);
        self.known[at].learn(&self.window, at);
        if at != self.home && self.known[at].at_least(at) > self.goodput(self.home) {
            self.home = at;
            self.contradictions = 0;
        }
    }

    /// Whether the window says nothing. What it contradicts otherwise is forgotten.
    fn is_a_hiccup(&mut self, at: usize) -> bool {
        match (at == self.home, self.known[at].contradicts(&self.window, at)) {
            (true, true) if self.contradictions + 1 < LASTING => {
                self.contradictions += 1;
                return true;
            }
            (true, true) => self.forget(),
            (true, false) => self.contradictions = 0,
            // A cliff, and not the weather: it is not visited again to make sure.
            (false, true) => self.known[at] = Known::default(),
            (false, false) => {}
        }
        false
    }

    fn forget(&mut self) {
        self.known = array::from_fn(|_| Known::default());
        self.contradictions = 0;
    }

    /// Brings all that is known up to what the machine gives now. A factor kept beside it would drift (in the model by ten in a
    /// minute) and in some hours be nothing any more.
    fn keep_pace(&mut self, at: usize) {
        let known = self.known[at];
        let Some(expected) = known.goodput(at) else { return };
        let share = FOLLOW * known.successes / (known.successes + KNOWN_WELL);
        let faster = (self.window.goodput(at) / expected).powf(share);
        for known in &mut self.known {
            known.spent /= faster;
        }
    }

    /// The rung for the next window.
    fn next(&self) -> usize {
        let (home, above) = (self.home, (self.home + 1).min(RUNGS - 1));
        let wanted = self.window.waited > 0;
        if wanted && self.calm > 0 && self.known[above].age >= HOPEFUL {
            return above;
        }
        let best = self.goodput(home);
        if home > 0 && self.calm < STALE && self.hope(home - 1) > best {
            return home - 1;
        }
        if wanted && self.hope(above) > best { above } else { home }
    }

    fn goodput(&self, rung: usize) -> f64 {
        self.known[rung].goodput(rung).unwrap_or(0.0)
    }

    /// What it may give at best.
    fn hope(&self, rung: usize) -> f64 {
        let known = self.known[rung];
        match known.goodput(rung) {
            Some(goodput) if known.age < STALE => goodput * (1.0 + 1.0 / known.successes.sqrt()),
            Some(_) | None => f64::INFINITY,
        }
    }
}

impl Known {
    fn fade(&mut self) {
        self.spent *= KEEP;
        self.successes *= KEEP;
        self.age = self.age.saturating_add(1);
    }

    fn learn(&mut self, window: &Window, rung: usize) {
        if self.age > STALE {
            *self = Self::default();
        }
        self.spent += window.spent_at(rung);
        self.successes += f64::from(window.successes).max(f64::MIN_POSITIVE);
        self.age = 0;
    }

    fn goodput(&self, rung: usize) -> Option<f64> {
        (self.spent > 0.0).then(|| float(width(rung)) * self.successes / self.spent)
    }

    /// What it gives, less some of what may be chance.
    fn at_least(&self, rung: usize) -> f64 {
        self.goodput(rung).map_or(0.0, |goodput| goodput * (1.0 - DOUBT / self.successes.sqrt()))
    }

    fn contradicts(&self, window: &Window, rung: usize) -> bool {
        let Some(before) = self.goodput(rung).filter(|_| self.successes > ENOUGH) else { return false };
        let now = window.goodput(rung);
        now * ANOTHER_TIME < before || now > before * ANOTHER_TIME
    }
}

impl Window {
    fn count(&mut self, report: &Report) {
        let took = report.took.as_secs_f64();
        self.ends += 1;
        self.spent += took;
        self.running += float(report.running);
        self.waited += u32::from(report.waiting > 0);
        match report.ending {
            Ending::Success => self.successes += 1,
            Ending::Conflict => {
                self.conflicts += 1;
                self.wasted += took;
            }
            Ending::Other => {}
        }
    }

    fn share_wasted(&self) -> f64 {
        if self.spent > 0.0 { self.wasted / self.spent } else { 0.0 }
    }

    fn is_full(&self, rung: usize) -> bool {
        self.ends.saturating_sub(WINDOW) as usize >= width(rung) && self.seconds() >= MOMENT
    }

    /// How long it has lasted: what was spent, by how many at once.
    fn seconds(&self) -> f64 {
        self.spent * f64::from(self.ends) / self.running
    }

    fn is_a_collapse(&self) -> bool {
        self.ends >= COLLAPSED && self.share_wasted() > COLLAPSE
    }

    /// Successes per second at full width, with at least one.
    fn goodput(&self, rung: usize) -> f64 {
        float(width(rung)) * f64::from(self.successes.max(1)) / self.spent_at(rung)
    }

    /// Seconds in flight as if the width had been used to the full.
    fn spent_at(&self, rung: usize) -> f64 {
        (self.spent * float(width(rung)) * f64::from(self.ends) / self.running).max(f64::MIN_POSITIVE)
    }
}

/// 1, 2, 3, 4, 6, 8, 12, 16, 24, …
fn width(rung: usize) -> usize {
    match rung {
        0..3 => rung + 1,
        _ => (4 + 2 * ((rung - 3) % 2)) << ((rung - 3) / 2),
    }
}

/// The highest rung that is not wider.
fn rung_within(attempts: usize) -> usize {
    (0..RUNGS).take_while(|rung| width(*rung) <= attempts).last().unwrap_or(0)
}

#[allow(clippy::cast_precision_loss, reason = "a count of threads")]
fn float(count: usize) -> f64 {
    count as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of threads")]
fn whole(width: f64) -> usize {
    width as usize
}
