//! One transfer after another, each cut at another packet: every packet of it, both directions, before, within and after the
//! packet, with every ending. Which packets there are is found out by cutting until no packet is left.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use proxy::{Direction, Ending, FrameCut, Part, Proxy};
use serde::Serialize;
use unit_of_work::Database;

use crate::answers::{Answer, Answers, Counts};
use crate::arena::Arena;
use crate::audit::Audit;
use crate::failure::Failure;
use crate::mode::{Mode, undecided};
use crate::report::{Report, progress};
use crate::work::{Movement, Number, Work};

/// Threads that do so: most of the time they wait for what does not come.
const SHOOTERS: usize = 8;
/// After this long without an answer the library gives a connection up: what a silent cut costs.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(1);

/// Which cuts are tried at each packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) parts: &'static [Part],
    pub(crate) endings: &'static [Ending],
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        parts: &[Part::Nothing, Part::Half, Part::All],
        endings: &[Ending::Close, Ending::Reset, Ending::HalfOpen, Ending::Silent],
    };
}

/// Whether the session has run such a transfer before: its statements are prepared then, which saves packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Session {
    Cold,
    Warm,
}

/// All transfers of one kind; they differ in the number of the packet.
#[derive(Debug, Clone, Copy)]
struct Series {
    session: Session,
    direction: Direction,
    part: Part,
    ending: Ending,
}

impl Series {
    fn all(plan: Plan) -> impl Iterator<Item = Self> {
        let sessions = [Session::Cold, Session::Warm].into_iter();
        let ways = sessions.flat_map(|session| {
            [Direction::ToServer, Direction::ToClient].into_iter().map(move |direction| (session, direction))
        });
        ways.flat_map(move |(session, direction)| {
            let parts = plan.parts.iter();
            parts.flat_map(move |&part| {
                plan.endings.iter().map(move |&ending| Self { session, direction, part, ending })
            })
        })
    }
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub(crate) exactly_once: bool,
    /// Transfers that were cut.
    pub(crate) cases: u64,
    /// Those whose caller was told what the rows say, or that nobody knows.
    pub(crate) agreed: u64,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    #[serde(flatten)]
    pub(crate) audit: Audit,
    /// Runs of a body beyond each unit's first.
    pub(crate) retries: u64,
}

/// Every mode on a server of its own.
pub(crate) fn run_all() -> Result<Vec<Findings>, Failure> {
    let series = Series::all(Plan::FULL).count() * Mode::ALL.len();
    let progress = progress(series as u64);
    let findings = Mode::ALL.iter().map(|mode| run(Plan::FULL, *mode, &progress)).collect();
    progress.finish_and_clear();
    findings
}

pub(crate) fn run(plan: Plan, mode: Mode, progress: &ProgressBar) -> Result<Findings, Failure> {
    let all: Vec<_> = Series::all(plan).collect();
    // Two accounts for each series, so that none waits for what another one's cut connection still holds.
    let arena = Arena::durable(2 * u32::try_from(all.len()).expect("a few"))?;
    arena.grow_up()?;
    let queue = Mutex::new((0..).zip(all));
    let ranges = thread::scope(|scope| {
        let shooters: Vec<_> = (0..SHOOTERS).map(|_| scope.spawn(|| shoot(&arena, mode, &queue, progress))).collect();
        let ranges = shooters.into_iter().map(|shooter| shooter.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ranges.collect::<Result<Vec<_>, Failure>>()
    })?;
    let (mut cases, mut attempts, mut answers) = (0, 0, Answers::default());
    for range in ranges.into_iter().flatten() {
        cases += range.cut;
        attempts += range.attempts;
        answers.extend(range.answers);
    }
    let audit = arena.audit(&answers)?;
    Ok(Findings {
        exactly_once: mode.is_exactly_once(),
        cases,
        agreed: cases.saturating_sub(audit.lost + audit.doubled + audit.phantom),
        counts: answers.counts(),
        retries: attempts.saturating_sub(cases),
        audit,
    })
}

/// Works off one series after another, until there is none.
fn shoot<'a>(
    arena: &'a Arena,
    mode: Mode,
    queue: &Mutex<impl Iterator<Item = (u32, Series)>>,
    progress: &ProgressBar,
) -> Result<Vec<Range<'a>>, Failure> {
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let shot = std::iter::from_fn(next).map(|(place, series)| {
        progress.set_message(format!("{series:?}"));
        let mut range = Range { arena, mode, place, cut: 0, answers: Answers::default(), attempts: 0 };
        range.shoot(series)?;
        progress.inc(1);
        Ok(range)
    });
    shot.collect()
}

/// Where transfers of one series are cut, and what their callers were told.
struct Range<'a> {
    arena: &'a Arena,
    mode: Mode,
    place: u32,
    cut: u64,
    answers: Answers,
    attempts: u64,
}

impl Range<'_> {
    /// Cuts a transfer at its first packet, another at its second, and so on until one has no such packet.
    fn shoot(&mut self, series: Series) -> Result<(), Failure> {
        for packet in 1.. {
            if !self.is_cut_at(series, packet)? {
                break;
            }
        }
        Ok(())
    }

    /// Whether there was such a packet.
    fn is_cut_at(&mut self, Series { session, direction, part, ending }: Series, number: u64) -> Result<bool, Failure> {
        let proxy = Proxy::start(("127.0.0.1", self.arena.server.port()))?;
        let db = Database::builder().url(self.arena.url_through(&proxy)).network_timeout(NETWORK_TIMEOUT).connect()?;
        let work = Work::new(db, self.mode)?;
        if session == Session::Warm {
            self.transfer(&work)?;
        }
        let before = work.runs();
        proxy.cut_frame(FrameCut { direction, number, part, ending });
        let told = self.transfer(&work);
        let cut = !proxy.cut_planned();
        if cut {
            self.cut += 1;
            self.attempts += work.runs() - before;
        } else {
            told?;
        }
        Ok(cut)
    }

    fn transfer(&mut self, work: &Work) -> Result<(), Failure> {
        let sequence = u32::try_from(self.answers.iter().count()).expect("there are not that many packets");
        let unit = Number::new(self.place, sequence);
        let source = 2 * self.place + 1;
        let told = work.run(unit, Movement { source, target: source + 1, amount: 1 });
        self.answers.note(unit, Answer::of(&told));
        Ok(told?)
    }
}

impl Report for Findings {
    fn broken(&self) -> Vec<String> {
        self.audit.broken().into_iter().chain(undecided(self.exactly_once, self.counts)).collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exactly_once, cases, agreed, counts, audit, retries } = self;
        writeln!(f, "{cases} transfers cut, one at each packet, exactly_once = {exactly_once}")?;
        writeln!(f, "  {agreed} answers agree with the rows; {retries} attempts run again")?;
        writeln!(f, "  with the undisturbed transfers: {counts}")?;
        writeln!(f, "  {audit}")
    }
}
