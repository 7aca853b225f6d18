//! Processor time of a slice, this process's and the server's, by the kernel's clocks. Per unit it is a much quieter figure than units per
//! second, because it does not ask who else ran meanwhile. What is made of it is the reports' business.

use std::time::Duration;

use ephemeral_mysql::Server;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::Failure;

/// Reads both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    server: ClockId,
}

/// Processor time, all threads together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    client: Duration,
    server: Duration,
}

/// Processor time of one unit in microseconds, failed attempts and whatever the server does beside it included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PerUnit {
    pub(crate) client_us: f64,
    pub(crate) server_us: f64,
}

impl Meter {
    /// `server` must not be restarted.
    pub(crate) fn of(server: &Server) -> Result<Self, Failure> {
        Ok(Self { server: clock_getcpuclockid(Pid::from_raw(i32::try_from(server.pid())?))? })
    }

    /// Since the processes began.
    pub(crate) fn read(self) -> Result<Spent, Failure> {
        let client = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into();
        Ok(Spent { client, server: clock_gettime(self.server)?.into() })
    }
}

impl Spent {
    /// What each of `units` took, if this was spent at their end and `before` at their begin.
    pub(crate) fn per_unit(self, before: Self, units: u32) -> PerUnit {
        let each = |now: Duration, before| now.saturating_sub(before).as_secs_f64() * 1e6 / f64::from(units.max(1));
        PerUnit { client_us: each(self.client, before.client), server_us: each(self.server, before.server) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_here_is_told_from_work_there() {
        let server = ephemeral_mysql::shared();
        let meter = Meter::of(server).expect("the server runs");
        let before = meter.read().expect("there are clocks");
        let _: Option<u8> = unit_of_work::mysql::prelude::Queryable::query_first(
            &mut server.conn().expect("the server takes a connection"),
            "SELECT BENCHMARK(3000000, MD5('work'))",
        )
        .expect("the server reckons");
        let spent = meter.read().expect("there are clocks").per_unit(before, 2);
        assert!(spent.server_us > 10.0 * spent.client_us && spent.client_us > 0.0, "{spent:?}");
    }
}
