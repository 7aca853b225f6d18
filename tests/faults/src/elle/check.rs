//! Finds anomalies in a history of appends to lists, as Elle does (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
//! Experimental Observations", VLDB 2020; <https://github.com/jepsen-io/elle>): a list tells in which order it was written, so what
//! each transaction saw says who came before whom. Here is what a single read shows, and the order of each list; what only
//! several transactions together show is `graph`.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::graph;
use super::history::{Element, Fate, Key, Op, Transaction, shown};

/// A way in which a history is not serializable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) enum Anomaly {
    /// An element is twice in a list.
    #[serde(rename = "duplicate")]
    Duplicate,
    /// Two reads of a list, neither of which continues the other.
    #[serde(rename = "incompatible-order")]
    IncompatibleOrder,
    /// A transaction does not see what it did itself, or sees a list change that it did not change.
    #[serde(rename = "internal")]
    Internal,
    /// Somebody read what a failed transaction wrote.
    G1a,
    /// Somebody read what another transaction wrote and then changed once more.
    G1b,
    /// Something was appended to what a failed transaction wrote.
    #[serde(rename = "dirty-update")]
    DirtyUpdate,
    /// A cycle of writes after writes.
    G0,
    /// A cycle with a read of what another wrote.
    G1c,
    /// A cycle with exactly one read of what another then overwrote: read skew, lost update.
    #[serde(rename = "G-single")]
    GSingle,
    /// A cycle with several of those, no two in a row.
    #[serde(rename = "G-nonadjacent")]
    GNonadjacent,
    /// A cycle with several of those: write skew.
    #[serde(rename = "G2-item")]
    G2Item,
}

/// What was found: how often, and an example each.
#[derive(Debug, Default)]
pub(crate) struct Found(BTreeMap<Anomaly, (u64, String)>);

impl Found {
    pub(crate) fn note(&mut self, anomaly: Anomaly, example: impl FnOnce() -> String) {
        self.0.entry(anomaly).or_insert_with(|| (0, example())).0 += 1;
    }

    pub(crate) fn counts(&self) -> BTreeMap<Anomaly, u64> {
        self.0.iter().map(|(anomaly, (count, _))| (*anomaly, *count)).collect()
    }

    pub(crate) fn examples(&self) -> BTreeMap<Anomaly, String> {
        self.0.iter().map(|(anomaly, (_, example))| (*anomaly, example.clone())).collect()
    }
}

/// Who wrote what, and in which order.
#[derive(Debug, Default)]
pub(crate) struct Lists<'h> {
    /// The transaction that appended an element.
    writers: HashMap<(Key, Element), usize>,
    /// The longest of what was read of each list.
    orders: HashMap<Key, &'h [Element]>,
}

impl<'h> Lists<'h> {
    pub(crate) fn writer(&self, key: Key, element: Element) -> Option<usize> {
        self.writers.get(&(key, element)).copied()
    }

    pub(crate) fn orders(&self) -> impl Iterator<Item = (Key, &'h [Element])> {
        self.orders.iter().map(|(key, order)| (*key, *order))
    }

    pub(crate) fn order(&self, key: Key) -> &'h [Element] {
        self.orders.get(&key).copied().unwrap_or_default()
    }
}

/// Everything that is wrong with a history.
pub(crate) fn check(history: &[Transaction]) -> Found {
    let mut found = Found::default();
    let lists = lists(history, &mut found);
    for (number, transaction) in history.iter().enumerate().filter(|(_, transaction)| transaction.fate == Fate::Ok) {
        internal(number, transaction, &mut found);
        for (key, read) in reads(transaction) {
            judge_read(number, key, read, history, &lists, &mut found);
        }
    }
    dirty_updates(history, &lists, &mut found);
    graph::cycles(history, &lists, &mut found);
    found
}

/// The reads of a transaction whose values are known.
fn reads(transaction: &Transaction) -> impl Iterator<Item = (Key, &[Element])> {
    transaction.ops.iter().filter_map(|op| match op {
        Op::Read(key, Some(elements)) => Some((*key, elements.as_slice())),
        Op::Read(_, None) | Op::Append(..) => None,
    })
}

pub(crate) fn appends(transaction: &Transaction) -> impl Iterator<Item = (Key, Element)> {
    transaction.ops.iter().filter_map(|op| match op {
        Op::Append(key, element) => Some((*key, *element)),
        Op::Read(..) => None,
    })
}

/// What a transaction read of lists that it had not appended to before: what it saw of others.
pub(crate) fn external_reads(transaction: &Transaction) -> Vec<(Key, &[Element])> {
    let mut known = HashSet::new();
    let mut external = Vec::new();
    for op in &transaction.ops {
        match op {
            Op::Read(key, Some(elements)) if known.insert(*key) => external.push((*key, elements.as_slice())),
            Op::Append(key, _) => drop(known.insert(*key)),
            Op::Read(..) => {}
        }
    }
    external
}

fn lists<'h>(history: &'h [Transaction], found: &mut Found) -> Lists<'h> {
    let mut lists = Lists::default();
    for (number, transaction) in history.iter().enumerate() {
        for (key, element) in appends(transaction) {
            if let Some(other) = lists.writers.insert((key, element), number) {
                found.note(Anomaly::Duplicate, || format!("{element} goes to list {key} by T{other} and T{number}"));
            }
        }
    }
    let ok = history.iter().filter(|transaction| transaction.fate == Fate::Ok);
    for (key, read) in ok.flat_map(reads) {
        let order = lists.orders.entry(key).or_insert(read);
        if read.len() > order.len() {
            *order = read;
        }
    }
    lists
}

/// What a transaction read must continue what it knows of the list already.
fn internal(number: usize, transaction: &Transaction, found: &mut Found) {
    // Of each list: what was read last, and what was appended since; or what was appended when nothing was read yet.
    let mut known: HashMap<Key, (Option<&[Element]>, Vec<Element>)> = HashMap::new();
    for op in &transaction.ops {
        match op {
            Op::Append(key, element) => known.entry(*key).or_default().1.push(*element),
            Op::Read(_, None) => {}
            Op::Read(key, Some(read)) => {
                let fits = known.get(key).is_none_or(|(before, own)| match before {
                    Some(before) => read.strip_prefix(*before) == Some(own.as_slice()),
                    None => read.ends_with(own),
                });
                if !fits {
                    found.note(Anomaly::Internal, || format!("T{number} {}", shown(&transaction.ops)));
                }
                known.insert(*key, (Some(read.as_slice()), Vec::new()));
            }
        }
    }
}

fn judge_read(
    number: usize,
    key: Key,
    read: &[Element],
    history: &[Transaction],
    lists: &Lists<'_>,
    found: &mut Found,
) {
    let shown = || format!("T{number} {}", Op::Read(key, Some(read.to_vec())));
    let mut seen = HashSet::new();
    if !read.iter().all(|element| seen.insert(element)) {
        found.note(Anomaly::Duplicate, shown);
    }
    if !lists.order(key).starts_with(read) {
        found.note(Anomaly::IncompatibleOrder, || {
            format!("{}, others {}", shown(), Op::Read(key, Some(lists.order(key).to_vec())))
        });
    }
    let failed = |element: &&Element| lists.writer(key, **element).is_none_or(|who| history[who].fate == Fate::Fail);
    if let Some(element) = read.iter().find(failed) {
        found.note(Anomaly::G1a, || format!("{}, where {element} is of nobody or of a failed one", shown()));
    }
    let Some((last, who)) = read.last().and_then(|last| Some((*last, lists.writer(key, *last)?))) else { return };
    let own_last = appends(&history[who]).filter(|(list, _)| *list == key).last();
    if who != number && own_last != Some((key, last)) {
        found.note(Anomaly::G1b, || format!("{}, of which T{who} went on to {own_last:?}", shown()));
    }
}

/// An element of a failed transaction with one of a successful transaction after it.
fn dirty_updates(history: &[Transaction], lists: &Lists<'_>, found: &mut Found) {
    for (key, order) in lists.orders() {
        let fate = |element: Element| lists.writer(key, element).map(|who| history[who].fate);
        for pair in order.windows(2).filter(|pair| fate(pair[0]) == Some(Fate::Fail) && fate(pair[1]) == Some(Fate::Ok))
        {
            found.note(Anomaly::DirtyUpdate, || format!("{} after {} in list {key}", pair[1], pair[0]));
        }
    }
}
