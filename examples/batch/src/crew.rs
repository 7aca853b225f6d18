//! Threads that post chunks until there are none left. What one of them cannot do stops them all: the rest is for the next run,
//! which posts nothing twice.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use indicatif::ProgressBar;
use unit_of_work::{Database, Error, ErrorKind};

use crate::payments::{Posted, post};
use crate::report::Run;
use crate::source::{Chunk, Source};
use crate::trouble::Trouble;

/// Posts everything; with what came of it up to the first trouble, if there was one.
pub(crate) fn post_all(
    db: &Database,
    source: Source,
    threads: usize,
    progress: &ProgressBar,
) -> (Run, Result<(), Trouble>) {
    let begun = Instant::now();
    let source = Mutex::new(Some(source));
    let results = thread::scope(|scope| {
        let crew: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(db, &source, progress))).collect();
        let joined = crew.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.collect::<Vec<_>>()
    });
    let mut run = Run::default();
    let mut ended = Ok(());
    for (share, end) in results {
        run.add(share);
        ended = ended.and(end);
    }
    run.finish(begun.elapsed());
    (run, ended)
}

fn work(db: &Database, source: &Mutex<Option<Source>>, progress: &ProgressBar) -> (Run, Result<(), Trouble>) {
    let _entered = db.enter();
    let mut run = Run::default();
    loop {
        match post_next(source, progress) {
            Ok(Some(posted)) => run.count(posted),
            Ok(None) => return (run, Ok(())),
            Err(trouble) => {
                call_off(source);
                return (run, Err(trouble));
            }
        }
    }
}

fn post_next(source: &Mutex<Option<Source>>, progress: &ProgressBar) -> Result<Option<Posted>, Trouble> {
    let Some(chunk) = next(source)? else { return Ok(None) };
    post_known(&chunk, progress).map(Some).map_err(Trouble::Stopped)
}

/// A payment has its number, so a chunk of which nobody knows whether it was committed can simply be posted again.
fn post_known(chunk: &Chunk, progress: &ProgressBar) -> Result<Posted, Error> {
    match post(chunk, progress) {
        Err(error) if error.kind() == ErrorKind::CommitUnknown => post(chunk, progress),
        known => known,
    }
}

fn next(source: &Mutex<Option<Source>>) -> Result<Option<Chunk>, Trouble> {
    match source.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        Some(source) => source.next_chunk(),
        None => Ok(None),
    }
}

fn call_off(source: &Mutex<Option<Source>>) {
    *source.lock().unwrap_or_else(PoisonError::into_inner) = None;
}
