//! A durable server is killed with SIGKILL again and again while threads write, and started again. Decides when; who writes is
//! `crew`, what is true afterwards `audit`.

use std::fmt;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use unit_of_work::{Database, Retry};

use crate::answers::Counts;
use crate::arena::Arena;
use crate::audit::Audit;
use crate::crew::Crew;
use crate::failure::Failure;
use crate::mode::{Mode, undecided};
use crate::report::{Report, Spread, progress};
use crate::work::{Movement, Resolved, Work};

/// Enough for writers to meet now and then, and not all the time.
const ACCOUNTS: u32 = 64;
/// A server that has a lot to recover may be away for longer than units retry by default.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Plan {
    /// How often the server is killed.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Threads that write.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) writers: u32,
    /// Units between a start and the next kill: at random up to this many for each writer.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) units: u32,
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub(crate) exactly_once: bool,
    pub(crate) rounds: u32,
    pub(crate) writers: u32,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    #[serde(flatten)]
    pub(crate) resolved: Resolved,
    #[serde(flatten)]
    pub(crate) audit: Audit,
    /// Runs of a body beyond each unit's first.
    pub(crate) retries: u64,
    /// From a kill to an answering server.
    pub(crate) recovery_ms: Spread,
    /// From a kill to the next unit that was acknowledged after the server had come up again.
    pub(crate) resume_ms: Spread,
}

/// Every mode on a server of its own.
pub(crate) fn run_all(plan: &Plan) -> Result<Vec<Findings>, Failure> {
    let progress = progress(u64::from(plan.rounds) * Mode::ALL.len() as u64);
    let findings = Mode::ALL.iter().map(|mode| run(plan, *mode, &progress)).collect();
    progress.finish_and_clear();
    findings
}

pub(crate) fn run(plan: &Plan, mode: Mode, progress: &ProgressBar) -> Result<Findings, Failure> {
    let arena = Arena::durable(ACCOUNTS)?;
    let db = Database::builder()
        .url(arena.url())
        .retry(Retry::DEFAULT.within(PATIENCE))
        .acquire_timeout(PATIENCE)
        .connect()?;
    let work = Work::new(db, mode)?;
    let crew = Crew::new(&work, Movement::deposit, ACCOUNTS);
    let (times, answers) =
        crew.while_running(plan.writers, |crew| kill_again_and_again(plan, &arena, crew, progress))?;
    let units = answers.iter().count() as u64;
    let (recovery, resume): (Vec<_>, Vec<_>) = times.into_iter().unzip();
    Ok(Findings {
        exactly_once: mode.is_exactly_once(),
        rounds: plan.rounds,
        writers: plan.writers,
        counts: answers.counts(),
        resolved: work.resolved(),
        audit: arena.audit(&answers)?,
        retries: work.runs().saturating_sub(units),
        recovery_ms: Spread::of(&recovery),
        resume_ms: Spread::of(&resume),
    })
}

/// The times from each kill to an answering server, and to the next acknowledged unit.
fn kill_again_and_again(
    plan: &Plan,
    arena: &Arena,
    crew: &Crew<'_>,
    progress: &ProgressBar,
) -> Result<Vec<(Duration, Duration)>, Failure> {
    let most = u64::from(plan.units) * u64::from(plan.writers);
    let rounds = 0..plan.rounds;
    let times = rounds.map(|round| {
        progress.set_message(format!("kill {} of {}", round + 1, plan.rounds));
        crew.until(crew.acknowledged(), fastrand::u64(1..=most), "while nothing was disturbed")?;
        let killed = Instant::now();
        arena.server.kill();
        arena.server.restart()?;
        let recovery = killed.elapsed();
        crew.until(crew.acknowledged(), 1, "after the server had come up again")?;
        progress.inc(1);
        Ok((recovery, killed.elapsed()))
    });
    times.collect()
}

impl Report for Findings {
    fn broken(&self) -> Vec<String> {
        self.audit.broken().into_iter().chain(undecided(self.exactly_once, self.counts)).collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exactly_once, rounds, writers, counts, resolved, audit, retries, recovery_ms, resume_ms } = self;
        writeln!(f, "{rounds} × kill -9 under {writers} writers, exactly_once = {exactly_once}")?;
        writeln!(f, "  {counts}; {retries} attempts run again")?;
        writeln!(f, "  {resolved}")?;
        writeln!(f, "  {audit}")?;
        writeln!(f, "  the server answered again after {recovery_ms}, the next unit was acknowledged after {resume_ms}")
    }
}
