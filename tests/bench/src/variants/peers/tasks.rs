//! Transfers as tasks of an asynchronous runtime: for each thread of the run one task, which the runtime moves between as many
//! threads as the machine has cores. The thread itself only waits, so asynchronous libraries pay for no thread of ours.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;

use super::super::Runner;
use super::super::jitter::{Jitter, Retryable};
use crate::Failure;
use crate::bank::{Bank, Transfer};
use crate::slices::{Done, Slice};
use crate::tally::Tally;

/// A library that runs a transfer as a future.
pub(super) trait Attempt: Clone + Send + Sync + 'static {
    type Error: Retryable + Into<Failure> + Send;

    fn attempt(&self, transfer: Transfer) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

#[derive(Debug)]
pub(super) struct Task<A> {
    pub(super) runtime: Arc<Runtime>,
    pub(super) library: A,
}

impl<A: Attempt> Runner for Task<A> {
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure> {
        let library = self.library.clone();
        self.runtime.block_on(self.runtime.spawn(async move { retried(&library, transfer).await }))?
    }

    fn play(&mut self, slice: &Slice, bank: &Arc<Bank>) -> Result<Tally, Failure> {
        let task = run(self.library.clone(), *slice, Arc::clone(bank));
        self.runtime.block_on(self.runtime.spawn(task))?
    }
}

/// The loop of [`Slice::fill`] again, in a task.
async fn run<A: Attempt>(library: A, slice: Slice, bank: Arc<Bank>) -> Result<Tally, Failure> {
    let mut tally = Tally::of_one_thread();
    tokio::time::sleep_until(slice.begin.into()).await;
    let mut now = Instant::now();
    while now < slice.end {
        let began = now;
        let retries = retried(&library, bank.draw()).await?;
        now = Instant::now();
        tally.record(&slice, began, now, Done::committed(retries));
    }
    Ok(tally)
}

async fn retried<A: Attempt>(library: &A, transfer: Transfer) -> Result<u32, Failure> {
    let mut jitter = Jitter::new();
    while let Err(error) = library.attempt(transfer).await {
        tokio::time::sleep(jitter.after(error).map_err(Into::into)?).await;
    }
    Ok(jitter.retries)
}
