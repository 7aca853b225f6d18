//! Who must have come before whom, and the cycles in that: anomalies that no single transaction shows. Decides only what a cycle
//! is called; the edges follow from the order of the lists.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::check::{Anomaly, Found, Lists, appends, external_reads};
use super::history::{Fate, Transaction, shown};

/// Steps that the search for the right name of a cycle may take in one component. A component beyond that has the name of the
/// weakest anomaly, which it has in any case.
const BUDGET: u64 = 30_000_000;

/// Why one transaction comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Why {
    /// The other wrote the next element.
    Ww,
    /// The other read what it wrote.
    Wr,
    /// The other wrote what it had not seen.
    Rw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    to: usize,
    why: Why,
}

type Graph = Vec<Vec<Edge>>;

/// Notes one anomaly for each set of transactions that cannot be put in any order, the worst that it has.
pub(crate) fn cycles(history: &[Transaction], lists: &Lists<'_>, found: &mut Found) {
    let graph = graph(history, lists);
    let mut named = HashSet::new();
    for names in NAMES {
        for component in components(&only(&graph, names[0].path)) {
            if component.iter().any(|member| named.contains(member)) {
                continue;
            }
            let (anomaly, cycle) = Search::of(&graph, &component).name(names);
            found.note(anomaly, || describe(&cycle, component.len(), history));
            named.extend(component);
        }
    }
}

/// A kind of cycle: it begins with one edge, and then takes others.
#[derive(Debug)]
struct Name {
    anomaly: Anomaly,
    first: Why,
    /// The kinds of edges that it consists of.
    path: &'static [Why],
    /// Which of its other edges may be [`Why::Rw`].
    rw: Rw,
}

/// Which edges after the first may be [`Why::Rw`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rw {
    /// None.
    None,
    /// Any that follows another kind.
    Apart,
    /// Any.
    Any,
}

impl Name {
    const fn new(anomaly: Anomaly, first: Why, path: &'static [Why], rw: Rw) -> Self {
        Self { anomaly, first, path, rw }
    }

    /// Whether this edge may follow one that is, or is not, a [`Why::Rw`].
    fn allows(&self, why: Why, after_rw: bool) -> bool {
        let rw = match self.rw {
            Rw::None => false,
            Rw::Apart => !after_rw,
            Rw::Any => true,
        };
        self.path.contains(&why) && (why != Why::Rw || rw)
    }

    /// Whether its first edge may come after the last.
    fn closes(&self, after_rw: bool) -> bool {
        self.rw != Rw::Apart || !after_rw
    }
}

/// From the worst anomaly to the weakest; those in one list are looked for in the same components.
const NAMES: [&[Name]; 3] = [
    &[Name::new(Anomaly::G0, Why::Ww, &[Why::Ww], Rw::None)],
    &[Name::new(Anomaly::G1c, Why::Wr, &[Why::Ww, Why::Wr], Rw::None)],
    &[
        Name::new(Anomaly::GSingle, Why::Rw, &[Why::Ww, Why::Wr, Why::Rw], Rw::None),
        Name::new(Anomaly::GNonadjacent, Why::Rw, &[Why::Ww, Why::Wr, Why::Rw], Rw::Apart),
        Name::new(Anomaly::G2Item, Why::Rw, &[Why::Ww, Why::Wr, Why::Rw], Rw::Any),
    ],
];

/// The graph with only some kinds of edges.
fn only(graph: &Graph, kinds: &[Why]) -> Graph {
    graph.iter().map(|edges| edges.iter().copied().filter(|edge| kinds.contains(&edge.why)).collect()).collect()
}

fn describe(cycle: &[(usize, Edge)], size: usize, history: &[Transaction]) -> String {
    let steps = cycle.iter().map(|(from, edge)| format!("T{from} {} -{:?}-> ", shown(&history[*from].ops), edge.why));
    let back = cycle.first().map_or(0, |(from, _)| *from);
    format!("{}T{back} (of {size} transactions that have no order)", steps.collect::<String>())
}

fn graph(history: &[Transaction], lists: &Lists<'_>) -> Graph {
    let mut graph: Graph = vec![Vec::new(); history.len()];
    let seen: HashSet<usize> =
        lists.orders().flat_map(|(key, order)| order.iter().filter_map(move |e| lists.writer(key, *e))).collect();
    // One that nobody knows of happened if somebody saw what it wrote.
    let happened = |who: usize| match history[who].fate {
        Fate::Ok => true,
        Fate::Info => seen.contains(&who),
        Fate::Fail => false,
    };
    let mut add = |from: Option<usize>, to: Option<usize>, why: Why| {
        if let (Some(from), Some(to)) = (from, to)
            && from != to
            && happened(from)
            && happened(to)
        {
            graph[from].push(Edge { to, why });
        }
    };
    for (key, order) in lists.orders() {
        for pair in order.windows(2) {
            add(lists.writer(key, pair[0]), lists.writer(key, pair[1]), Why::Ww);
        }
    }
    let only = only_appends(history);
    for (number, transaction) in history.iter().enumerate().filter(|(_, transaction)| transaction.fate == Fate::Ok) {
        for (key, read) in external_reads(transaction) {
            if let Some(last) = read.last() {
                add(lists.writer(key, *last), Some(number), Why::Wr);
            }
            let next = lists.order(key).get(read.len());
            let next = next.and_then(|element| lists.writer(key, *element));
            // A list of which only the empty beginning was ever read has its first element from the one who appends to it.
            add(
                Some(number),
                next.or_else(|| only.get(&key).copied().filter(|_| lists.order(key).is_empty())),
                Why::Rw,
            );
        }
    }
    for edges in &mut graph {
        edges.sort_unstable();
        edges.dedup();
    }
    graph
}

/// The lists that were appended to once, by a transaction that happened, and by whom.
fn only_appends(history: &[Transaction]) -> HashMap<u64, usize> {
    let mut by: HashMap<u64, Vec<usize>> = HashMap::new();
    for (number, transaction) in history.iter().enumerate() {
        for (key, _) in appends(transaction) {
            by.entry(key).or_default().push(number);
        }
    }
    let single = by.into_iter().filter_map(|(key, who)| Some((key, *who.first().filter(|_| who.len() == 1)?)));
    single.filter(|(_, who)| history[*who].fate == Fate::Ok).collect()
}

/// The sets of more than one transaction that all lead to each other: Tarjan's algorithm, without recursion, because such sets
/// can be as long as the history.
fn components(graph: &Graph) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let (mut index, mut low, mut on_stack) = (vec![NEW; graph.len()], vec![NEW; graph.len()], vec![false; graph.len()]);
    let (mut next, mut stack, mut components) = (0, Vec::new(), Vec::new());
    for root in 0..graph.len() {
        let mut calls = if index[root] == NEW { vec![(root, 0)] } else { Vec::new() };
        while let Some((node, edge)) = calls.pop() {
            if edge == 0 {
                (index[node], low[node], on_stack[node]) = (next, next, true);
                next += 1;
                stack.push(node);
            } else {
                low[node] = low[node].min(low[graph[node][edge - 1].to]);
            }
            // Edges whose other end is known already need no visit.
            let open = graph[node].iter().enumerate().skip(edge).find(|(_, edge)| {
                if index[edge.to] != NEW && on_stack[edge.to] {
                    low[node] = low[node].min(index[edge.to]);
                }
                index[edge.to] == NEW
            });
            if let Some((at, edge)) = open {
                calls.push((node, at + 1));
                calls.push((edge.to, 0));
            } else if low[node] == index[node] {
                let from = stack.iter().rposition(|other| *other == node).expect("it was put there");
                let component = stack.split_off(from);
                for member in &component {
                    on_stack[*member] = false;
                }
                if component.len() > 1 {
                    components.push(component);
                }
            }
        }
    }
    components
}

/// A cycle: each transaction with the edge to the next, the last one's to the first.
type Cycle = Vec<(usize, Edge)>;

/// The search for the worst name of a component's cycles.
struct Search<'g> {
    graph: &'g Graph,
    members: BTreeSet<usize>,
    steps: u64,
}

impl<'g> Search<'g> {
    fn of(graph: &'g Graph, component: &[usize]) -> Self {
        Self { graph, members: component.iter().copied().collect(), steps: 0 }
    }

    /// The first name that a cycle has, and that cycle; without it when the budget was spent before.
    fn name(mut self, names: &[Name]) -> (Anomaly, Cycle) {
        for name in names {
            if let Some(cycle) = self.cycle(name) {
                return (name.anomaly, cycle);
            }
        }
        (names.last().expect("there is a name").anomaly, Cycle::new())
    }

    fn cycle(&mut self, name: &Name) -> Option<Cycle> {
        let graph = self.graph;
        let members: Vec<_> = self.members.iter().copied().collect();
        let begins = members.iter().flat_map(|from| graph[*from].iter().map(move |edge| (*from, *edge)));
        begins.filter(|(_, edge)| edge.why == name.first).find_map(|(from, edge)| self.way_back(from, edge, name))
    }

    /// The shortest way from the end of an edge back to where it begins: breadth-first, over (transaction, whether it was reached
    /// by a [`Why::Rw`]).
    fn way_back(&mut self, from: usize, first: Edge, name: &Name) -> Option<Cycle> {
        let start = (first.to, first.why == Why::Rw);
        let mut came = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(state) = queue.pop_front() {
            for edge in &self.graph[state.0] {
                self.steps += 1;
                if self.steps > BUDGET {
                    return None;
                }
                let next = (edge.to, edge.why == Why::Rw);
                if !self.members.contains(&edge.to) || !name.allows(edge.why, state.1) {
                    continue;
                }
                if edge.to == from {
                    if name.closes(next.1) {
                        return Some(trace((from, first), &came, (state, *edge)));
                    }
                } else if next != start && !came.contains_key(&next) {
                    came.insert(next, (state, *edge));
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

/// A transaction, and whether it was reached by a [`Why::Rw`].
type State = (usize, bool);

/// The way from the first edge to the last, over where each state came from.
fn trace(first: (usize, Edge), came: &HashMap<State, (State, Edge)>, (mut at, last): (State, Edge)) -> Cycle {
    let mut cycle = vec![(at.0, last)];
    while let Some((before, edge)) = came.get(&at) {
        cycle.push((before.0, *edge));
        at = *before;
    }
    cycle.push(first);
    cycle.reverse();
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(graph: &[(usize, usize)], nodes: usize) -> Graph {
        let mut edges = vec![Vec::new(); nodes];
        for (from, to) in graph {
            edges[*from].push(Edge { to: *to, why: Why::Ww });
        }
        edges
    }

    fn sorted(graph: &Graph) -> Vec<Vec<usize>> {
        let mut components = components(graph);
        for component in &mut components {
            component.sort_unstable();
        }
        components.sort();
        components
    }

    #[test]
    fn components_are_the_sets_that_lead_to_each_other() {
        let graph = edges(&[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 4), (6, 6)], 8);
        assert_eq!(sorted(&graph), [vec![0, 1, 2], vec![4, 5]]);
    }

    #[test]
    fn a_component_of_a_hundred_thousand_needs_no_deep_stack() {
        let nodes = 100_000;
        let circle: Vec<_> = (0..nodes).map(|node| (node, (node + 1) % nodes)).collect();
        assert_eq!(sorted(&edges(&circle, nodes)), [(0..nodes).collect::<Vec<_>>()]);
    }

    #[test]
    fn random_graphs_have_the_components_that_reachability_says() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let nodes = random.usize(1..12);
            let pairs: Vec<_> =
                (0..random.usize(0..30)).map(|_| (random.usize(0..nodes), random.usize(0..nodes))).collect();
            let graph = edges(&pairs, nodes);
            let mut reach = vec![vec![false; nodes]; nodes];
            for (from, to) in &pairs {
                reach[*from][*to] = true;
            }
            for by in 0..nodes {
                for from in 0..nodes {
                    for to in 0..nodes {
                        reach[from][to] |= reach[from][by] && reach[by][to];
                    }
                }
            }
            let together =
                |a: usize| (0..nodes).filter(|b| a == *b || reach[a][*b] && reach[*b][a]).collect::<Vec<_>>();
            let mut expected: Vec<_> = (0..nodes).map(together).filter(|set| set.len() > 1).collect();
            expected.sort();
            expected.dedup();
            assert_eq!(sorted(&graph), expected, "seed {seed}");
        }
    }
}
