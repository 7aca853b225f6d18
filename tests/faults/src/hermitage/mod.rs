//! Which anomalies units of each level show, by the schedules of Hermitage. What they are is `schedules`, how they are played
//! `play`, what is to be seen `expected`; here is the order and the table. `picture` and `timeline` draw them for the guide.

mod expected;
#[cfg(test)]
pub(crate) mod picture;
mod play;
mod schedules;
mod timeline;

use std::fmt;

use clap::Args;
use ephemeral_mysql::{Profile, Server};
use indicatif::ProgressBar;
use serde::Serialize;
use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Isolation};

pub(crate) use self::expected::Setting;
use self::expected::expected;
use self::play::{Means, Story, play};
use self::schedules::{ALL, Schedule, TABLE};
use crate::failure::Failure;
use crate::report::{Report, progress};

const LEVELS: [Isolation; 4] =
    [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

/// One schedule at one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Cell {
    pub(crate) schedule: &'static str,
    pub(crate) level: String,
    /// Whether the anomaly happened.
    pub(crate) anomaly: bool,
    /// What kept it from happening: the number of an error, `wait`, or nothing.
    pub(crate) means: String,
    /// The same in one word: `x` where the anomaly is expected, else what is expected to keep it from happening.
    pub(crate) expected: &'static str,
    /// As it went, and the table in the end.
    pub(crate) timeline: String,
}

impl Cell {
    fn seen(&self) -> &str {
        if self.anomaly { "x" } else { &self.means }
    }
}

/// One server with one setting.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub(crate) server: String,
    /// Whether the setting `innodb_snapshot_isolation` was on.
    pub(crate) snapshot_isolation: bool,
    pub(crate) cells: Vec<Cell>,
}

/// Which servers.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Plan {
    /// On MySQL, too; it is fetched where none is installed.
    #[arg(long)]
    pub(crate) mysql: bool,
}

impl Plan {
    fn settings(self) -> &'static [Setting] {
        let all = &[Setting::MariaDb, Setting::MariaDbSnapshot, Setting::MySql];
        if self.mysql { all } else { &all[..2] }
    }
}

/// Each server with each setting.
pub(crate) fn run_all(plan: Plan) -> Result<Vec<Findings>, Failure> {
    let settings = plan.settings();
    let progress = progress((settings.len() * ALL.len() * LEVELS.len()) as u64);
    let findings = settings.iter().map(|setting| run(*setting, &progress)).collect();
    progress.finish_and_clear();
    findings
}

pub(crate) fn run(setting: Setting, progress: &ProgressBar) -> Result<Findings, Failure> {
    let mut stage = Stage::open(setting)?;
    let cases = LEVELS.iter().flat_map(|level| ALL.iter().map(|schedule| (*level, schedule)));
    let cells = cases.map(|(level, schedule)| {
        progress.set_message(format!("{} at {level}", schedule.name));
        progress.inc(1);
        stage.cell(schedule, level)
    });
    let cells = cells.collect::<Result<_, Failure>>()?;
    Ok(Findings {
        server: stage.server.version().to_owned(),
        snapshot_isolation: setting == Setting::MariaDbSnapshot,
        cells,
    })
}

/// A private server on which schedules are played.
pub(crate) struct Stage {
    setting: Setting,
    db: Database,
    conn: Conn,
    /// Dropped before its server.
    _home: ephemeral_mysql::Database,
    server: Server,
}

impl Stage {
    pub(crate) fn open(setting: Setting) -> Result<Self, Failure> {
        let server = Server::builder().flavour(setting.flavour()).profile(Profile::Durable).start()?;
        let home = server.database();
        let mut conn = home.conn();
        setting.sql().map_or(Ok(()), |sql| conn.query_drop(sql))?;
        // After the setting, which sessions take over when they are opened.
        let db = Database::connect(&home.url())?;
        Ok(Self { setting, db, conn, _home: home, server })
    }

    fn play(&mut self, schedule: &Schedule, level: Isolation) -> Result<Story, Failure> {
        TABLE.iter().try_for_each(|sql| self.conn.query_drop(sql))?;
        play(schedule, &self.db, level, &mut self.conn, self.setting.ask())
    }

    fn cell(&mut self, schedule: &Schedule, level: Isolation) -> Result<Cell, Failure> {
        let story = self.play(schedule, level)?;
        let means = match story.means() {
            Means::Error(code) => code.to_string(),
            Means::Wait => "wait".to_owned(),
            Means::View => String::new(),
        };
        let anomaly = (schedule.is_anomalous)(&story);
        let expected = expected(schedule.name, level, self.setting);
        let timeline = format!("{}In the end: {}\n", story.timeline, timeline::shown(&story.end));
        Ok(Cell { schedule: schedule.name, level: level.to_string(), anomaly, means, expected, timeline })
    }

    /// The schedule of this name as it went.
    #[cfg(test)]
    pub(crate) fn timeline(&mut self, name: &str, level: Isolation) -> Result<String, Failure> {
        let schedule = ALL.iter().find(|schedule| schedule.name == name).expect("a schedule's name");
        Ok(self.cell(schedule, level)?.timeline)
    }
}

impl Report for Findings {
    /// Cells that are not what the level promises; an anomaly too few is as wrong as one too many.
    fn broken(&self) -> Vec<String> {
        let wrong = self.cells.iter().filter(|cell| cell.seen() != cell.expected);
        wrong
            .map(|cell| {
                let Cell { schedule, level, expected, timeline, .. } = cell;
                format!("{schedule} at {level}: expected `{expected}`, seen `{}`:\n{timeline}", cell.seen())
            })
            .collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = if self.snapshot_isolation { "on" } else { "off" };
        writeln!(
            f,
            "{}, innodb_snapshot_isolation {snapshot} (x: the anomaly happens; else what keeps it away)",
            self.server
        )?;
        write!(f, "{:26}", "")?;
        LEVELS.iter().try_for_each(|level| write!(f, "{:18}", level.to_string()))?;
        writeln!(f)?;
        for (row, schedule) in ALL.iter().enumerate() {
            write!(f, "{:26}", schedule.name)?;
            let cells = self.cells.iter().skip(row).step_by(ALL.len());
            for cell in cells {
                let prevented = if cell.means.is_empty() { "ok".to_owned() } else { format!("ok {}", cell.means) };
                write!(f, "{:18}", if cell.anomaly { "x".to_owned() } else { prevented })?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
