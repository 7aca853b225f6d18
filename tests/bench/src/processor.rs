//! Processor time of a slice, this process's and the server's, by the kernel's clocks. Per unit it is a much quieter figure than
//! units per second, because it does not ask who else ran meanwhile. What is made of it is the reports' business.

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
    use std::time::Instant;

    use unit_of_work::mysql::prelude::Queryable;

    use super::*;
    use crate::server::Commit;

    fn spent_by(meter: Meter, work: impl FnOnce()) -> PerUnit {
        let before = meter.read().expect("there are clocks");
        work();
        meter.read().expect("there are clocks").per_unit(before, 1)
    }

    /// Other tests run in this process meanwhile, so that nothing is said of how little it spends.
    #[test]
    fn work_here_is_told_from_work_there() {
        let server = crate::server::start(Commit::Written).expect("a server of its own, at which nobody works").server;
        let meter = Meter::of(&server).expect("the server runs");
        let here = spent_by(meter, || {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(300) {
                std::hint::spin_loop();
            }
        });
        assert!(here.client_us > 2.0 * here.server_us, "{here:?}");
        let mut conn = server.conn().expect("the server takes a connection");
        let there = spent_by(meter, || {
            let sql = "SELECT BENCHMARK(3000000, MD5('work'))";
            conn.query_drop(sql).expect("the server reckons");
        });
        assert!(there.server_us > 50_000.0, "{there:?}");
    }
}
