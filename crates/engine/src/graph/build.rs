//! From tasks to edges.

use std::collections::HashSet;

use lang::Error;
use petgraph::graph::{DiGraph, NodeIndex};

use super::needs::{self, Needed};
use super::{Graph, Kind, Node, Reason, Spec};

impl Graph {
    /// The graph of tasks, which are in the order of the play. Names that nothing has and cycles are errors.
    pub fn build(specs: &[Spec]) -> Result<Self, Vec<Error>> {
        let mut errors = Vec::new();
        let needed = needs::resolve(specs, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let order = needs::sort(specs, &needed).map_err(|e| vec![e])?;
        let ranks = ranks(&order);
        contradictions(specs, &needed, &ranks, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut edges = DiGraph::new();
        for at in &order {
            let spec = &specs[*at];
            edges.add_node(Node {
                id: spec.id,
                title: spec.title.clone(),
                pos: spec.pos.clone(),
                kind: spec.kind,
                critical: false,
                seconds: None,
            });
        }
        let mut before: Vec<HashSet<usize>> = Vec::with_capacity(order.len());
        for (to, later) in order.iter().enumerate() {
            let mut reached: HashSet<usize> = HashSet::new();
            // From the nearest to the farthest: what those between bring along need not be said again.
            for (from, earlier) in order[..to].iter().enumerate().rev() {
                let mut reasons = between(&specs[*earlier], &specs[*later]);
                if needed[*later].iter().any(|(other, _)| other == earlier) {
                    reasons.iter_mut().for_each(Reason::keep_apart);
                    reasons.insert(0, Reason::Needs);
                }
                if reached.contains(&from) {
                    reasons.retain(|r| matches!(r, Reason::Needs | Reason::Data(_) | Reason::Notify));
                }
                if !reasons.is_empty() {
                    reached.insert(from);
                    reached.extend(&before[from]);
                    edges.add_edge(NodeIndex::new(from), NodeIndex::new(to), reasons);
                }
            }
            before.push(reached);
        }
        Ok(Self { edges, ..Self::default() })
    }

    /// The reasons of the edge between two nodes by their titles, for tests and tools.
    pub fn reasons(&self, from: &str, to: &str) -> Vec<String> {
        let find = |title: &str| self.edges.node_indices().find(|i| self.edges[*i].title == title);
        let edge = find(from).zip(find(to)).and_then(|(from, to)| self.edges.find_edge(from, to));
        edge.map(|edge| self.edges[edge].iter().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// Titles of the nodes, in an order in which they can run.
    pub fn titles(&self) -> Vec<&str> {
        self.edges.node_weights().map(|node| node.title.as_str()).collect()
    }

    /// Numbers of program nodes, in an order in which they can run.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        self.edges.node_weights().map(|node| node.id)
    }
}

fn ranks(order: &[usize]) -> Vec<usize> {
    let mut ranks = vec![0; order.len()];
    for (rank, at) in order.iter().enumerate() {
        ranks[*at] = rank;
    }
    ranks
}

/// Why `later` waits for `earlier`, which is written before it.
pub fn between(earlier: &Spec, later: &Spec) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if later.kind == Kind::Handler && earlier.notifies.iter().any(|name| later.names.contains(name)) {
        reasons.push(Reason::Notify);
    }
    let data = earlier.sets.iter().find(|name| later.uses.may_use(name));
    reasons.extend(data.map(|name| Reason::Data(name.clone())));
    match (&later.barrier, &earlier.barrier) {
        (Some(why), _) | (_, Some(why)) => {
            reasons.push(Reason::Order(why.clone()));
            return reasons;
        }
        _ => {}
    }
    match (&later.touches.unknown, &earlier.touches.unknown) {
        // What it waits for is said.
        (Some(_), _) | (_, Some(_)) if later.needs.is_some() => {}
        // Tasks that touch nothing are no matter to it.
        (Some(why), None) if !earlier.touches.is_nothing() => reasons.push(Reason::Order(why.clone())),
        (None, Some(why)) if !later.touches.is_nothing() => reasons.push(Reason::Order(why.clone())),
        (Some(why), Some(_)) => reasons.push(Reason::Order(why.clone())),
        _ => {}
    }
    let known = later.touches.unknown.is_none() && earlier.touches.unknown.is_none();
    if let Some(resource) = earlier.touches.conflict(&later.touches).filter(|_| known) {
        let together = reasons.is_empty() && earlier.touches.may_be_together(&later.touches);
        let reason = if together { Reason::Transaction } else { Reason::Resource };
        reasons.push(reason(resource.clone()));
    }
    reasons
}

/// What `needs` turns round must not have to be the other way.
fn contradictions(specs: &[Spec], needed: &Needed, ranks: &[usize], errors: &mut Vec<Error>) {
    for (first, earlier) in specs.iter().enumerate() {
        for (second, later) in specs.iter().enumerate().skip(first + 1) {
            if ranks[first] < ranks[second] {
                continue;
            }
            let reason = between(earlier, later).into_iter().find(|reason| match reason {
                // The user knows better than the lack of knowledge.
                Reason::Order(_) => {
                    earlier.barrier.is_some() || later.barrier.is_some() || !wants(needed, first, second)
                }
                _ => true,
            });
            let Some(reason) = reason else { continue };
            let pos = needed[first].first().map(|(_, pos)| pos).or(earlier.pos.as_ref());
            let text = format!(
                "tasks wait for each other: '{}' needs a task that comes after '{}', which itself comes after it ({reason})",
                earlier.title, later.title
            );
            let text = if wants(needed, first, second) {
                format!(
                    "tasks wait for each other: '{}' needs '{}', which itself comes after it ({reason})",
                    earlier.title, later.title
                )
            } else {
                text
            };
            errors.push(Error::new(text).at(pos));
        }
    }
}

/// Does the task itself need the other one?
fn wants(needed: &Needed, task: usize, other: usize) -> bool {
    needed[task].iter().any(|(at, _)| *at == other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Names, Touches};
    use lang::Pos;
    use serde_json::{Value, json};

    fn pos(line: u32) -> Pos {
        Pos { file: std::path::Path::new("site.yml").into(), line, column: 5 }
    }

    fn task(title: &str, module: &str, args: Value) -> Spec {
        Spec {
            title: title.to_owned(),
            names: vec![title.to_owned()],
            touches: Touches::of(module, args.as_object().expect("an object"), None),
            ..Spec::default()
        }
    }

    fn file(title: &str, path: &str) -> Spec {
        task(title, "file", json!({"path": path, "state": "touch"}))
    }

    fn command(title: &str) -> Spec {
        task(title, "command", json!({"cmd": "true"}))
    }

    fn needing(mut spec: Spec, names: &[&str], line: u32) -> Spec {
        spec.needs = Some(names.iter().map(|name| ((*name).to_owned(), pos(line))).collect());
        spec
    }

    fn errors(specs: &[Spec]) -> Vec<String> {
        let errors = Graph::build(specs).err().unwrap_or_default();
        errors
            .iter()
            .map(|e| format!("{} {}", e.pos().map(ToString::to_string).unwrap_or_default(), e.message()))
            .collect()
    }

    #[test]
    fn packages_one_behind_the_other_may_be_one_transaction() {
        let apt = |title: &str, name: &str| task(title, "apt", json!({"name": name}));
        let needed = needing(apt("d", "w"), &["c"], 7);
        let specs = [apt("a", "x"), apt("b", "y"), file("between", "/etc/z"), apt("c", "z"), needed];
        let graph = Graph::build(&specs).expect("a graph");
        assert_eq!(graph.reasons("a", "b"), ["package x, or in one transaction"]);
        assert_eq!(graph.reasons("between", "c"), ["package z"]);
        assert_eq!(graph.reasons("c", "d"), ["needs", "package z"]);
    }

    #[test]
    fn tasks_that_share_nothing_do_not_wait() {
        let graph =
            Graph::build(&[file("a", "/srv/a"), file("b", "/srv/b"), file("c", "/srv/a")]).expect("a graph");
        assert_eq!(graph.reasons("a", "b"), [""; 0]);
        assert_eq!(graph.reasons("a", "c"), ["path /srv/a"]);
        assert_eq!(graph.edges.edge_count(), 1);
    }

    #[test]
    fn what_follows_from_other_edges_is_left_out() {
        let specs = [file("a", "/srv/a"), file("b", "/srv/a"), file("c", "/srv/a")];
        let graph = Graph::build(&specs).expect("a graph");
        assert_eq!(graph.edges.edge_count(), 2);
        assert_eq!(graph.reasons("a", "c"), [""; 0]);
    }

    #[test]
    fn unknown_effects_keep_their_order_against_everything() {
        let specs = [file("a", "/srv/a"), command("b"), file("c", "/srv/c")];
        let graph = Graph::build(&specs).expect("a graph");
        assert_eq!(graph.reasons("a", "b"), ["what command does is not known"]);
        assert_eq!(graph.reasons("b", "c"), ["what command does is not known"]);
    }

    #[test]
    fn unless_they_say_what_they_need() {
        let specs =
            [file("a", "/srv/a"), file("b", "/srv/b"), needing(command("c"), &["b"], 9), file("d", "/srv/d")];
        let graph = Graph::build(&specs).expect("a graph");
        assert_eq!(graph.reasons("a", "c"), [""; 0]);
        assert_eq!(graph.reasons("b", "c"), ["needs"]);
        // Those behind it have not said that they do without it.
        assert_eq!(graph.reasons("c", "d"), ["what command does is not known"]);
    }

    #[test]
    fn a_barrier_holds_whatever_is_said() {
        let mut stop = task("stop", "debug", json!({}));
        stop.barrier = Some("meta".into());
        let specs = [command("a"), stop, needing(command("b"), &[], 3)];
        let graph = Graph::build(&specs).expect("a graph");
        assert_eq!(graph.reasons("a", "stop"), ["meta"]);
        assert_eq!(graph.reasons("stop", "b"), ["meta"]);
    }

    #[test]
    fn variables_and_handlers_are_edges() {
        let mut set = task("set", "stat", json!({"path": "/etc/x"}));
        set.sets = vec!["found".into()];
        set.notifies = vec!["restart".into()];
        let mut uses = file("use", "/srv/b");
        uses.uses = Names { names: ["found".to_owned()].into(), anything: false };
        let mut handler = command("restart");
        handler.kind = Kind::Handler;
        let graph = Graph::build(&[set, uses, handler]).expect("a graph");
        assert_eq!(graph.reasons("set", "use"), ["variable found"]);
        assert_eq!(graph.reasons("set", "restart"), ["notify"]);
    }

    #[test]
    fn a_task_moves_behind_what_it_needs() {
        let specs = [needing(file("a", "/srv/a"), &["c"], 2), file("b", "/srv/b"), file("c", "/srv/c")];
        let graph = Graph::build(&specs).expect("a graph");
        assert_eq!(graph.titles(), ["b", "c", "a"]);
        assert_eq!(graph.reasons("c", "a"), ["needs"]);
    }

    #[test]
    fn unknown_names_and_cycles_are_errors_with_positions() {
        let specs = [needing(file("one", "/srv/a"), &["tow"], 2), file("two", "/srv/b")];
        assert_eq!(errors(&specs), ["site.yml:2:5 needs names a task that is not in the play: 'tow'"]);
        let specs = [needing(file("a", "/srv/a"), &["b"], 2), needing(file("b", "/srv/b"), &["a"], 7)];
        assert_eq!(errors(&specs), ["site.yml:2:5 tasks need each other: 'a' needs 'b' needs 'a'"]);
        let specs = [needing(file("a", "/srv/a"), &["a"], 2)];
        assert_eq!(errors(&specs), ["site.yml:2:5 the task 'a' cannot need itself"]);
    }

    #[test]
    fn what_is_needed_must_not_wait_for_the_task_in_other_ways() {
        let mut set = needing(task("set", "stat", json!({"path": "/etc/x"})), &["use"], 4);
        set.sets = vec!["found".into()];
        let mut uses = file("use", "/srv/b");
        uses.uses = Names { names: ["found".to_owned()].into(), anything: false };
        assert_eq!(
            errors(&[set, uses]),
            [
                "site.yml:4:5 tasks wait for each other: 'set' needs 'use', which itself comes after it (variable found)"
            ]
        );
        let specs = [needing(file("a", "/srv/a"), &["c"], 2), file("b", "/srv/a"), file("c", "/srv/c")];
        assert_eq!(
            errors(&specs),
            [
                "site.yml:2:5 tasks wait for each other: 'a' needs a task that comes after 'b', which itself comes after it (path /srv/a)"
            ]
        );
    }
}
