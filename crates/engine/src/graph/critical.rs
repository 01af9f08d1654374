//! The critical path: the chain of tasks that decides how long the play takes.

use std::collections::HashMap;

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::NodeIndex;

use super::Graph;

impl Graph {
    /// Take the times of the last run, and mark the longest chain. Nothing is marked where nothing is known.
    pub fn mark_critical(&mut self, seconds: impl Fn(&super::Node) -> Option<f64>) {
        for node in self.edges.node_weights_mut() {
            node.seconds = seconds(node);
            node.critical = false;
        }
        if self.edges.node_weights().all(|node| node.seconds.is_none()) {
            return;
        }
        // Nodes are in an order in which they can run.
        let mut until: HashMap<NodeIndex, f64> = HashMap::new();
        for index in self.edges.node_indices() {
            let before =
                self.edges.neighbors_directed(index, Incoming).map(|i| until[&i]).fold(0.0, f64::max);
            until.insert(index, before + self.edges[index].seconds.unwrap_or(0.0));
        }
        let ends =
            self.edges.node_indices().filter(|i| self.edges.neighbors_directed(*i, Outgoing).count() == 0);
        let longest = |a: &NodeIndex, b: &NodeIndex| until[a].total_cmp(&until[b]).then(b.cmp(a));
        let mut at = ends.max_by(longest);
        while let Some(index) = at {
            self.edges[index].critical = true;
            at = self.edges.neighbors_directed(index, Incoming).max_by(longest);
        }
    }

    /// Does the edge belong to the critical path?
    pub fn is_critical(&self, from: NodeIndex, to: NodeIndex) -> bool {
        let critical = |at: usize| self.edges[NodeIndex::new(at)].critical;
        critical(from.index()) && critical(to.index()) && !(from.index() + 1..to.index()).any(critical)
    }

    /// Seconds along the critical path, and of all tasks together.
    pub fn seconds(&self) -> Option<(f64, f64)> {
        let nodes = || self.edges.node_weights();
        nodes().any(|n| n.seconds.is_some()).then(|| {
            let sum = |critical: bool| {
                nodes().filter(|n| n.critical || !critical).filter_map(|n| n.seconds).sum::<f64>()
            };
            (sum(true), sum(false))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{Graph, Spec, Touches};

    fn spec(id: u64, path: &str) -> Spec {
        let args = serde_json::json!({"path": path, "state": "touch"});
        let touches = Touches::of("file", args.as_object().expect("an object"), None);
        Spec { id, title: id.to_string(), touches, ..Spec::default() }
    }

    #[test]
    fn is_the_chain_that_takes_longest() {
        let specs = [spec(1, "/a"), spec(2, "/b"), spec(3, "/a"), spec(4, "/b"), spec(5, "/a")];
        let mut graph = Graph::build(&specs).expect("a graph");
        let times = [0.0, 1.0, 5.0, 1.0, 0.5, 2.0];
        graph.mark_critical(|node| Some(times[node.id as usize]));
        let critical: Vec<u64> = graph.edges.node_weights().filter(|n| n.critical).map(|n| n.id).collect();
        assert_eq!(critical, [2, 4]);
        assert!(graph.is_critical(1.into(), 3.into()));
        assert!(!graph.is_critical(0.into(), 2.into()));
        assert_eq!(graph.seconds(), Some((5.5, 9.5)));
    }

    #[test]
    fn has_no_shortcuts() {
        let mut specs = [spec(1, "/a"), spec(2, "/a"), spec(3, "/a")];
        specs[0].sets = vec!["x".into()];
        specs[2].uses.names.insert("x".into());
        let mut graph = Graph::build(&specs).expect("a graph");
        graph.mark_critical(|_| Some(1.0));
        assert!(graph.is_critical(0.into(), 1.into()) && graph.is_critical(1.into(), 2.into()));
        assert!(
            graph.edges.find_edge(0.into(), 2.into()).is_some() && !graph.is_critical(0.into(), 2.into())
        );
    }

    #[test]
    fn is_not_there_without_times() {
        let mut graph = Graph::build(&[spec(1, "/a"), spec(2, "/a")]).expect("a graph");
        graph.mark_critical(|_| None);
        assert!(graph.edges.node_weights().all(|n| !n.critical));
        assert_eq!(graph.seconds(), None);
    }
}
