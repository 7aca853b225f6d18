//! The programs that lie beside this crate's manifest, and how all of a folder are gone through.

use std::ffi::OsStr;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The files of a folder with that extension, in order; their paths begin at this crate's manifest.
pub(crate) fn programs(folder: &str, extension: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(directory).expect("the folder stands beside this crate's manifest");
    let names = entries.map(|entry| PathBuf::from(entry.expect("the folder is readable").file_name()));
    let files = names.filter(|name| name.extension() == Some(OsStr::new(extension)));
    let mut files: Vec<PathBuf> = files.map(|name| Path::new(folder).join(name)).collect();
    files.sort();
    files
}

pub(crate) fn source(program: &Path) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(program);
    fs::read_to_string(file).expect("a program that was listed is readable")
}

/// What the check finds in the programs of a folder, as many at a time as there are processors.
pub(crate) fn each(folder: &str, check: impl Fn(&Path) -> Option<String> + Sync) -> Vec<String> {
    let programs = programs(folder, "rs");
    let next = AtomicUsize::new(0);
    let work = || {
        let claimed = std::iter::from_fn(|| programs.get(next.fetch_add(1, Ordering::Relaxed)));
        claimed.filter_map(|program| check(program)).collect::<Vec<_>>()
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut found: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("a check reports by its value")).collect()
    });
    found.sort();
    found
}
