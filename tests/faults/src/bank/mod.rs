//! Transfers between accounts while everything is disturbed that can be, in random order, one disturbance after another. Decides
//! the order; what each does is `disturbance`, what is true afterwards `audit`.

mod disturbance;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use proxy::Proxy;
use serde::Serialize;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Retry};

pub(crate) use self::disturbance::Disturbance;
use self::disturbance::Scene;
use crate::answers::Counts;
use crate::arena::Arena;
use crate::audit::Audit;
use crate::crew::Crew;
use crate::failure::Failure;
use crate::mode::{Mode, undecided};
use crate::report::{Report, Spread, progress};
use crate::work::{Movement, Resolved, Work};

const ACCOUNTS: u32 = 32;
/// Whoever may do everything is not stopped by `read_only`, so the units are somebody else's.
const USER: &str = "app";
/// Shorter than the longest time for which a server stands still, so that units give connections up.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(2);
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// The longest disturbance and a restart fit into it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much is run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Plan {
    /// How long.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) minutes: u64,
    /// Threads that transfer.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) writers: u32,
    /// Units between two disturbances: at random up to this many.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) calm: u64,
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub(crate) exactly_once: bool,
    pub(crate) writers: u32,
    pub(crate) seconds: u64,
    /// Units that were run.
    pub(crate) units: u64,
    pub(crate) faults: BTreeMap<Disturbance, u64>,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    #[serde(flatten)]
    pub(crate) resolved: Resolved,
    #[serde(flatten)]
    pub(crate) audit: Audit,
    /// Runs of a body beyond each unit's first.
    pub(crate) retries: u64,
    /// What units failed with, and how often.
    pub(crate) errors: BTreeMap<String, u64>,
    /// From the begin of a disturbance to the next unit that was acknowledged after its end.
    pub(crate) resume_ms: BTreeMap<Disturbance, Spread>,
}

/// Every mode on a server of its own.
pub(crate) fn run_all(plan: &Plan) -> Result<Vec<Findings>, Failure> {
    let time = Duration::from_secs(plan.minutes * 60);
    let progress = progress(time.as_secs() * Mode::ALL.len() as u64);
    let findings = Mode::ALL.iter().map(|mode| {
        let end = Instant::now() + time;
        let disturbances = std::iter::repeat_with(|| fastrand::choice(Disturbance::ALL).expect("there are some"));
        run(plan, *mode, disturbances.take_while(|_| Instant::now() < end), &progress)
    });
    let findings = findings.collect();
    progress.finish_and_clear();
    findings
}

pub(crate) fn run(
    plan: &Plan,
    mode: Mode,
    disturbances: impl Iterator<Item = Disturbance>,
    progress: &ProgressBar,
) -> Result<Findings, Failure> {
    let begun = Instant::now();
    let arena = Arena::durable(ACCOUNTS)?;
    arena.conn()?.query_drop(format!("CREATE USER {USER}"))?;
    arena.conn()?.query_drop(format!("GRANT ALL ON {}.* TO {USER}", arena.name()))?;
    let proxy = Proxy::start(("127.0.0.1", arena.server.port()))?;
    let work = Work::new(connect(&arena, &proxy)?, mode)?;
    let crew = Crew::new(&work, Movement::transfer, ACCOUNTS);
    let scene = Scene { server: &arena.server, proxy: &proxy, commit: mode.commit() };
    let (times, answers) =
        crew.while_running(plan.writers, |crew| disturb(&scene, crew, plan.calm, disturbances, progress))?;
    let units = answers.iter().count() as u64;
    Ok(Findings {
        exactly_once: mode.is_exactly_once(),
        writers: plan.writers,
        seconds: begun.elapsed().as_secs(),
        units,
        faults: times.iter().map(|(how, times)| (*how, times.len() as u64)).collect(),
        counts: answers.counts(),
        resolved: work.resolved(),
        audit: arena.audit(&answers)?,
        retries: work.runs().saturating_sub(units),
        errors: crew.errors(),
        resume_ms: times.iter().map(|(how, times)| (*how, Spread::of(times))).collect(),
    })
}

fn connect(arena: &Arena, proxy: &Proxy) -> Result<Database, Failure> {
    let db = Database::builder()
        .url(format!("mysql://{USER}@127.0.0.1:{}/{}", proxy.port(), arena.name()))
        .retry(Retry::DEFAULT.within(PATIENCE))
        .acquire_timeout(PATIENCE)
        .network_timeout(NETWORK_TIMEOUT)
        .connect_timeout(NETWORK_TIMEOUT)
        .lock_wait(LOCK_WAIT);
    Ok(db.connect()?)
}

/// How long it took after each disturbance until service went on.
type Times = BTreeMap<Disturbance, Vec<Duration>>;

fn disturb(
    scene: &Scene<'_>,
    crew: &Crew<'_>,
    calm: u64,
    disturbances: impl Iterator<Item = Disturbance>,
    progress: &ProgressBar,
) -> Result<Times, Failure> {
    let mut times = Times::new();
    for how in disturbances {
        progress.set_message(format!("{how:?}"));
        let begun = Instant::now();
        scene.disturb(how)?;
        crew.until(crew.acknowledged(), 1, "after a disturbance had ended")?;
        times.entry(how).or_default().push(begun.elapsed());
        crew.until(crew.acknowledged(), fastrand::u64(1..=calm), "between two disturbances")?;
        progress.inc(begun.elapsed().as_secs());
    }
    Ok(times)
}

impl Report for Findings {
    fn broken(&self) -> Vec<String> {
        self.audit.broken().into_iter().chain(undecided(self.exactly_once, self.counts)).collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exactly_once, writers, seconds, units, faults, counts, resolved, audit, retries, errors, resume_ms } =
            self;
        let disturbed: u64 = faults.values().sum();
        writeln!(f, "{units} transfers by {writers} writers in {seconds} s, exactly_once = {exactly_once}")?;
        writeln!(f, "  {counts}; {retries} attempts run again")?;
        writeln!(f, "  {resolved}")?;
        writeln!(f, "  {audit}")?;
        writeln!(f, "  {disturbed} disturbances; each with the time until the next unit was acknowledged after it:")?;
        for (how, count) in faults {
            let resumed = resume_ms.get(how).copied().unwrap_or_default();
            writeln!(f, "    {:16} {count:>5} ×  {resumed}", format!("{how:?}"))?;
        }
        writeln!(f, "  errors:")?;
        errors.iter().try_for_each(|(what, count)| writeln!(f, "    {count:>6} × {what}"))
    }
}
