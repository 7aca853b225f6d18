//! A COMMIT that is late or lost, or whose answer is; and then whatever is sent to find out what became of it is cut as well, one
//! round trip after the other. Every caller has to be told the truth. What the truth is, the rows say.

use std::fmt;
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use proxy::{Cut, Ending, Packet, Proxy, Side};
use serde::Serialize;
use unit_of_work::Database;

use crate::answers::{Answer, Answers, Counts};
use crate::arena::Arena;
use crate::audit::Audit;
use crate::failure::Failure;
use crate::mode::Mode;
use crate::report::{Report, progress};
use crate::work::{Movement, Number, Resolved, Work};

/// How late a late COMMIT is.
const LATE: Duration = Duration::from_secs(2);
/// When a caller gives up on an answer: before it comes late.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(1);

/// What happens to COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum First {
    CommitLate,
    AnswerLate,
    CommitLost,
    AnswerLost,
    /// The connection ends for the client alone, before or after the server has seen COMMIT.
    HalfOpenBefore,
    HalfOpenAfter,
}

impl First {
    pub(crate) const ALL: [Self; 6] = [
        Self::CommitLate,
        Self::AnswerLate,
        Self::CommitLost,
        Self::AnswerLost,
        Self::HalfOpenBefore,
        Self::HalfOpenAfter,
    ];

    /// What is tried after it: a cut where it would not replace the first.
    fn seconds(self) -> &'static [Second] {
        match self {
            Self::CommitLate => &[Second::Nothing, Second::NoKill],
            Self::CommitLost | Self::AnswerLost => {
                &[Second::Nothing, Second::Cuts(Side::BeforeServer), Second::Cuts(Side::AfterServer)]
            }
            Self::AnswerLate | Self::HalfOpenBefore | Self::HalfOpenAfter => &[Second::Nothing],
        }
    }

    fn plan(self, proxy: &Proxy, commit: &str) {
        let at = Packet::Text(commit);
        match self {
            Self::CommitLate => proxy.hold_for(at, Side::BeforeServer, LATE),
            Self::AnswerLate => proxy.hold_for(at, Side::AfterServer, LATE),
            Self::CommitLost => proxy.lose(at, Side::BeforeServer),
            Self::AnswerLost => proxy.lose(at, Side::AfterServer),
            Self::HalfOpenBefore => proxy.cut_by(Cut { at, side: Side::BeforeServer }, Ending::HalfOpen),
            Self::HalfOpenAfter => proxy.cut_by(Cut { at, side: Side::AfterServer }, Ending::HalfOpen),
        }
    }
}

/// What happens afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    Nothing,
    /// The old connection is not ended, so that a late COMMIT arrives: the server is too young for that.
    NoKill,
    /// The first round trip after COMMIT is cut, in another unit the second, and so on, until there is none.
    Cuts(Side),
}

impl Second {
    /// For a unit of this many round trips, COMMIT included. Says in words what is planned.
    fn plan(self, proxy: &Proxy, length: u64, cut: u64) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::NoKill => "nothing is killed".to_owned(),
            Self::Cuts(side) => {
                proxy.cut(Cut { at: Packet::Command(length + cut), side });
                format!("round trip {cut} cut {side:?}")
            }
        }
    }
}

/// One unit.
#[derive(Debug, Serialize)]
pub(crate) struct Case {
    pub(crate) commit: First,
    pub(crate) then: String,
    pub(crate) told: Answer,
    #[serde(flatten)]
    pub(crate) resolved: Resolved,
    pub(crate) ms: u64,
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub(crate) exactly_once: bool,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    #[serde(flatten)]
    pub(crate) audit: Audit,
    pub(crate) cases: Vec<Case>,
}

/// Every mode on a server of its own.
pub(crate) fn run_all() -> Result<Vec<Findings>, Failure> {
    let series: usize = First::ALL.iter().map(|first| first.seconds().len()).sum();
    let progress = progress((series * Mode::ALL.len()) as u64);
    let findings = Mode::ALL.iter().map(|mode| run(&First::ALL, *mode, &progress)).collect();
    progress.finish_and_clear();
    findings
}

pub(crate) fn run(firsts: &[First], mode: Mode, progress: &ProgressBar) -> Result<Findings, Failure> {
    let all: Vec<_> = firsts.iter().flat_map(|first| first.seconds().iter().map(|second| (*first, *second))).collect();
    // Two accounts for each unit, so that none waits for another: all series run at once, because most of the time they wait.
    let accounts = 2 * Series::SPACE * u32::try_from(all.len()).expect("a few");
    let grown = Arena::durable(accounts)?;
    grown.grow_up()?;
    let young = Arena::durable(accounts)?;
    let series = (0..).zip(all).map(|(place, (first, second))| {
        let arena = if second == Second::NoKill { &young } else { &grown };
        Series { arena, mode, first, second, place }
    });
    let told = thread::scope(|scope| {
        let threads: Vec<_> = series.map(|series| scope.spawn(move || series.run())).collect();
        let told = threads.into_iter().map(|thread| {
            progress.inc(1);
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        told.collect::<Result<Vec<_>, Failure>>()
    })?;
    let (mut cases, mut answers) = (Vec::new(), Answers::default());
    for Told { unit, answer, case } in told.into_iter().flatten() {
        answers.note(unit, answer);
        cases.extend(case);
    }
    let audit = Audit::of(&answers, &grown.rows()?.with(young.rows()?));
    Ok(Findings { exactly_once: mode.is_exactly_once(), counts: answers.counts(), audit, cases })
}

/// Units with one fault at COMMIT and one kind of fault after it.
#[derive(Debug, Clone, Copy)]
struct Series<'a> {
    arena: &'a Arena,
    mode: Mode,
    first: First,
    second: Second,
    place: u32,
}

/// A unit, what its caller was told, and what had happened to it, if anything had.
struct Told {
    unit: Number,
    answer: Answer,
    case: Option<Case>,
}

impl Series<'_> {
    /// More units than a series has.
    const SPACE: u32 = 200;

    fn run(self) -> Result<Vec<Told>, Failure> {
        let mut told = Vec::new();
        for cut in 1.. {
            if !self.disturb(cut, &mut told)? {
                break;
            }
        }
        Ok(told)
    }

    /// Runs a unit whose `cut`-th round trip after COMMIT is cut, if that is what happens. Whether there may be a next.
    fn disturb(self, cut: u64, told: &mut Vec<Told>) -> Result<bool, Failure> {
        let proxy = Proxy::start(("127.0.0.1", self.arena.server.port()))?;
        let db = Database::builder().url(self.arena.url_through(&proxy)).network_timeout(NETWORK_TIMEOUT).connect()?;
        let work = Work::new(db, self.mode)?;
        // The first prepares the statements, the second shows how many round trips a unit then makes.
        self.run_unit(&work, told, None);
        let before = proxy.round_trips();
        self.run_unit(&work, told, None);
        let length = proxy.round_trips() - before;
        self.first.plan(&proxy, self.mode.commit());
        let then = self.second.plan(&proxy, length, cut);
        let begun = Instant::now();
        self.run_unit(&work, told, Some(then));
        match self.first {
            // What is late has to find its way open.
            First::CommitLate | First::AnswerLate => thread::sleep((2 * LATE).saturating_sub(begun.elapsed())),
            First::CommitLost | First::AnswerLost | First::HalfOpenBefore | First::HalfOpenAfter => {}
        }
        let Second::Cuts(_) = self.second else { return Ok(false) };
        let cut = !proxy.cut_planned();
        if !cut && let Some(last) = told.last_mut() {
            // There was no such round trip any more: it is as if nothing had been planned.
            last.case = None;
        }
        Ok(cut)
    }

    fn run_unit(self, work: &Work, told: &mut Vec<Told>, then: Option<String>) {
        let sequence = u32::try_from(told.len()).expect("a few");
        assert!(sequence < Self::SPACE, "{self:?} does not end");
        let account = 2 * (self.place * Self::SPACE + sequence) + 1;
        let (unit, begun) = (Number::new(self.place, sequence), Instant::now());
        let answer = Answer::of(&work.run(unit, Movement { source: account, target: account + 1, amount: 1 }));
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let case = then.map(|then| Case { commit: self.first, then, told: answer, resolved: work.resolved(), ms });
        told.push(Told { unit, answer, case });
    }
}

impl Report for Findings {
    fn broken(&self) -> Vec<String> {
        let undecided = self.cases.iter().filter(|case| self.exactly_once && case.told != Answer::Committed);
        let undecided = undecided.map(|case| format!("a unit that is exactly_once was not committed: {case:?}"));
        self.audit.broken().into_iter().chain(undecided).collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exactly_once, counts, audit, cases } = self;
        writeln!(f, "{} units with a COMMIT that was late or lost, exactly_once = {exactly_once}", cases.len())?;
        writeln!(f, "  with the undisturbed units: {counts}")?;
        writeln!(f, "  {audit}")?;
        cases.iter().try_for_each(|Case { commit, then, told, resolved, ms }| {
            writeln!(f, "    {:16} {then:30} {ms:>5} ms  {:10} {resolved}", format!("{commit:?}"), format!("{told:?}"))
        })
    }
}
