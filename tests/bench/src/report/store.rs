//! Where figures are kept: one file of JSON for each measurement, with what it was measured on, so that single ones can be measured
//! again and the page made of all.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::report::circumstances::Circumstances;

/// A directory with `figures/`, `plots/` and the page.
#[derive(Debug)]
pub(crate) struct Store(PathBuf);

/// What was found, and on what.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record<F> {
    pub(crate) circumstances: Circumstances,
    pub(crate) figures: F,
}

impl Store {
    pub(crate) fn at(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    pub(crate) fn keep<F: Serialize>(&self, key: &str, record: &Record<F>) -> Result<(), Failure> {
        self.write(&file(key), &(serde_json::to_string_pretty(record)? + "\n"))?;
        Ok(())
    }

    /// `None` when it was never measured.
    pub(crate) fn read<F: DeserializeOwned>(&self, key: &str) -> Result<Option<Record<F>>, Failure> {
        let path = self.0.join(file(key));
        if !path.exists() {
            return Ok(None);
        }
        let read = serde_json::from_str(&fs::read_to_string(&path)?);
        read.map(Some).map_err(|error| format!("{}: {error}; measure it again", path.display()).into())
    }

    /// Writes a file of the directory, given by its relative path, and returns its whole path.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.0))?;
        fs::write(&path, text)?;
        Ok(path)
    }
}

fn file(key: &str) -> String {
    format!("figures/{key}.json")
}
