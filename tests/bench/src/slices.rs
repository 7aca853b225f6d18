//! Who runs when: players that live for the whole run, and slices in which all of them run one variant. A round gives every
//! variant one slice, each round in another order, so that what changes on the machine meanwhile meets all of them alike. What a
//! variant does is its player's business, what is made of the figures that of `tally` and `statistics`.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::processor::Meter;
use crate::tally::{Taken, Tally};

/// How much is to be run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) threads: u32,
    pub(crate) rounds: u32,
    pub(crate) slice: Duration,
    /// What is run before each slice and not counted: caches, and the queue that the variant before has left.
    pub(crate) warm_up: Duration,
}

/// How long something is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    pub(crate) rounds: u32,
    pub(crate) slice: Duration,
}

/// One slice, the same for all players.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    /// Which of the run's variants.
    pub(crate) variant: usize,
    /// When the warm-up begins.
    pub(crate) begin: Instant,
    /// The counted time.
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

/// How a unit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Committed,
    /// Given up, because the slice is over, or because the variant's own limit was reached.
    Abandoned,
}

/// What became of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) retries: u32,
}

impl Done {
    pub(crate) fn committed(retries: u32) -> Self {
        Self { outcome: Outcome::Committed, retries }
    }

    pub(crate) fn abandoned(retries: u32) -> Self {
        Self { outcome: Outcome::Abandoned, retries }
    }
}

/// One thread, or one process of several threads.
pub(crate) trait Player {
    /// Plays one slice to its end.
    fn play(&mut self, slice: &Slice) -> Result<Tally, Failure>;
}

/// Makes a player on the thread that it will live on: connections belong to the thread that uses them.
pub(crate) type Invitation<'s> = Box<dyn FnOnce() -> Result<Box<dyn Player + 's>, Failure> + Send + 's>;

/// Runs all slices of so many variants; the result is in their order.
pub(crate) fn run(
    plan: &Plan,
    variants: usize,
    players: Vec<Invitation<'_>>,
    meter: Meter,
) -> Result<Vec<Taken>, Failure> {
    thread::scope(|scope| {
        let crew = Crew::start(scope, players);
        for variant in 0..variants {
            crew.play(&plan.next(variant))?;
        }
        let mut taken: Vec<_> = (0..variants).map(|_| Taken::default()).collect();
        for round in 0..plan.rounds {
            for variant in order(round, variants) {
                let before = meter.read()?;
                let tally = crew.play(&plan.next(variant))?;
                taken[variant].add(&tally, plan.slice, meter.read()?.per_unit(before, tally.units()));
            }
        }
        Ok(taken)
    })
}

/// How long before a slice the players are told, so that the last of them is told in time.
const NOTICE: Duration = Duration::from_millis(5);

/// How long after the end of a slice its units are waited for. What takes longer is given up: at once or with backoff, a unit over
/// few rows takes seconds.
const GRACE: Duration = Duration::from_millis(50);

impl Plan {
    fn next(&self, variant: usize) -> Slice {
        let begin = Instant::now() + NOTICE;
        let start = begin + self.warm_up;
        Slice { variant, begin, start, end: start + self.slice }
    }
}

impl Slice {
    /// When a unit that is still going on is given up.
    pub(crate) fn give_up(&self) -> Instant {
        self.end + GRACE
    }

    /// Runs `unit` again and again for the length of the slice. It is told how far into the counted time it begins.
    pub(crate) fn fill(&self, mut unit: impl FnMut(Duration) -> Result<Done, Failure>) -> Result<Tally, Failure> {
        let mut tally = Tally::of_one_thread();
        thread::sleep(self.begin.saturating_duration_since(Instant::now()));
        let mut now = Instant::now();
        while now < self.end {
            let began = now;
            let done = unit(began.saturating_duration_since(self.start))?;
            now = Instant::now();
            tally.record(self, began, now, done);
        }
        Ok(tally)
    }
}

/// Who comes when in a round. What a storm leaves behind meets whoever comes next, so each variant is in each place equally often and
/// comes behind each other one equally often: Williams' squares (Australian Journal of Scientific Research A 2, 1949, page 149).
fn order(round: u32, variants: usize) -> Vec<usize> {
    let round = usize::try_from(round).expect("nobody runs so many rounds");
    let zigzag = (0..variants).map(|place| if place % 2 == 1 { place.div_ceil(2) } else { variants - place / 2 });
    let mut order: Vec<_> = zigzag.map(|variant| (variant + round) % variants).collect();
    // An odd number of variants needs the mirrored square as well.
    if round / variants % 2 == 1 {
        order.reverse();
    }
    order
}

/// All players, each on a thread of its own.
pub(crate) struct Crew(Vec<Seat>);

/// A thread that waits for slices. It ends when its sender is dropped, or after a failure, which is its last tally.
struct Seat {
    slices: Sender<Slice>,
    tallies: Receiver<Result<Tally, Failure>>,
}

impl Crew {
    pub(crate) fn start<'s, 'e>(scope: &'s Scope<'s, 'e>, players: Vec<Invitation<'e>>) -> Self {
        Self(players.into_iter().map(|player| Seat::start(scope, player)).collect())
    }

    /// Has all players play `slice`, and waits for the last of them.
    pub(crate) fn play(&self, slice: &Slice) -> Result<Tally, Failure> {
        for seat in &self.0 {
            // A player that is gone says so below, with its reason.
            let _gone = seat.slices.send(*slice);
        }
        let mut all = Tally::default();
        for seat in &self.0 {
            all.join(seat.tallies.recv().map_err(|_| "a thread of the benchmark panicked")??);
        }
        Ok(all)
    }
}

impl Seat {
    fn start<'s, 'e>(scope: &'s Scope<'s, 'e>, player: Invitation<'e>) -> Self {
        let (slices, to_play) = channel();
        let (done, tallies) = channel();
        scope.spawn(move || {
            if let Err(failure) = sit(player, &to_play, &done) {
                // Nobody listens any more when the run has failed elsewhere.
                let _unheard = done.send(Err(failure));
            }
        });
        Self { slices, tallies }
    }
}

fn sit(player: Invitation<'_>, slices: &Receiver<Slice>, done: &Sender<Result<Tally, Failure>>) -> Result<(), Failure> {
    let mut player = player()?;
    for slice in slices {
        done.send(Ok(player.play(&slice)?))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_is_in_every_place_equally_often() {
        for variants in 1..=9 {
            for place in 0..variants {
                let rounds = u32::try_from(2 * variants).expect("small");
                let mut there: Vec<_> = (0..rounds).map(|round| order(round, variants)[place]).collect();
                there.sort_unstable();
                let twice: Vec<_> = (0..variants).flat_map(|variant| [variant, variant]).collect();
                assert_eq!(there, twice, "place {place} of {variants}");
            }
            let mut behind = vec![vec![0; variants]; variants];
            for round in 0..u32::try_from(2 * variants).expect("small") {
                order(round, variants).windows(2).for_each(|pair| behind[pair[0]][pair[1]] += 1);
            }
            for (before, after) in (0..variants).flat_map(|one| (0..variants).map(move |other| (one, other))) {
                assert_eq!(behind[before][after], if before == after { 0 } else { 2 }, "{after} behind {before}");
            }
        }
    }
}
