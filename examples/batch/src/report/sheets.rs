//! The files of a report. They are made before anything is posted, so that who cannot write them learns so in time, and get their
//! names when they are whole: a report that is there already is replaced by a whole one or not at all.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use super::{Listed, Report, chart};
use crate::rules::Reject;
use crate::trouble::Trouble;

/// Room for the files of a report.
#[derive(Debug)]
pub(crate) struct Sheets<'p> {
    directory: &'p Path,
    text: NamedTempFile,
    rejects: NamedTempFile,
    chart: NamedTempFile,
}

impl<'p> Sheets<'p> {
    pub(crate) fn open(directory: &'p Path) -> Result<Self, Trouble> {
        let open = || {
            fs::create_dir_all(directory)?;
            Ok(Self { directory, text: sheet(directory)?, rejects: sheet(directory)?, chart: sheet(directory)? })
        };
        open().map_err(Trouble::output(&format!("the report in {}", directory.display())))
    }

    pub(crate) fn write(self, heading: &str, report: &Report) -> Result<(), Trouble> {
        let Self { directory, text, rejects, chart } = self;
        let drawn = chart::draw(report).map_err(Trouble::Chart)?;
        finish(text, directory, "report.txt", |file| file.write_all(report.text(heading, Listed::All).as_bytes()))?;
        finish(rejects, directory, "rejects.csv", |file| Ok(list(file, &report.rejects)?))?;
        finish(chart, directory, "chart.svg", |file| file.write_all(drawn.as_bytes()))
    }
}

/// Readable for whom the user's mask lets.
fn sheet(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".batch-").permissions(Permissions::from_mode(0o666)).tempfile_in(directory)
}

fn finish(
    mut file: NamedTempFile,
    directory: &Path,
    name: &str,
    write: impl FnOnce(&mut NamedTempFile) -> io::Result<()>,
) -> Result<(), Trouble> {
    let path = directory.join(name);
    let written = write(&mut file).and_then(|()| file.persist(&path).map_err(|failed| failed.error));
    written.map(drop).map_err(Trouble::output(&path.display()))
}

fn list(file: &mut NamedTempFile, rejects: &[Reject]) -> Result<(), csv::Error> {
    let mut sheet = csv::Writer::from_writer(file);
    sheet.write_record(["line", "text", "rule", "reason"])?;
    for Reject { line, text, rule, reason } in rejects {
        sheet.write_record([&line.to_string(), text, rule, reason])?;
    }
    Ok(sheet.flush()?)
}
