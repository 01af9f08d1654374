//! The program of a play in the order that `needs` asks for.

use std::collections::HashMap;
use std::sync::Arc;

use lang::{Error, Result};

use super::{Graph, Reason};
use crate::program::{self, BlockNode, Node};

impl Graph {
    /// For each node that says `needs`, the nodes that it needs.
    pub fn needs(&self) -> HashMap<u64, Vec<u64>> {
        let mut needs: HashMap<u64, Vec<u64>> = HashMap::new();
        for edge in self.edges.edge_indices() {
            if let Some((from, to)) = self.edges.edge_endpoints(edge)
                && self.edges[edge].contains(&Reason::Needs)
            {
                needs.entry(self.edges[to].id).or_default().push(self.edges[from].id);
            }
        }
        needs
    }
}

/// The program with the tasks of each list in the order of the graph.
pub fn arrange(root: &Arc<BlockNode>, graph: &Graph) -> Arc<BlockNode> {
    let ranks: HashMap<u64, usize> = graph.ids().enumerate().map(|(rank, id)| (id, rank)).collect();
    let written = program::nodes_below(root);
    let known: Vec<usize> = written.iter().filter_map(|node| ranks.get(&node.id).copied()).collect();
    if known.is_sorted() { root.clone() } else { Arc::new(arranged(root, &ranks)) }
}

fn arranged(block: &BlockNode, ranks: &HashMap<u64, usize>) -> BlockNode {
    let part = |nodes: &[(u32, Node)]| {
        // What the graph has not (the mark at the end of a role) stays behind what it stood behind.
        let mut rank = 0;
        let mut ranked: Vec<(usize, Node)> = Vec::with_capacity(nodes.len());
        for (_, node) in nodes {
            let (own, node) = match node {
                Node::Task(task) => (ranks.get(&task.id).copied(), node.clone()),
                Node::Block(inner) => {
                    let own =
                        program::nodes_below(inner).iter().filter_map(|n| ranks.get(&n.id).copied()).min();
                    (own, Node::Block(Arc::new(arranged(inner, ranks))))
                }
            };
            rank = own.unwrap_or(rank);
            ranked.push((rank, node));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        program::number(ranked.into_iter().map(|(_, node)| node).collect())
    };
    block.with_parts(part)
}

/// What a task needs has to come before it: lists cannot be mixed, and other strategies keep the order of the play.
pub fn check_order(root: &BlockNode, graph: &Graph, needs: &HashMap<u64, Vec<u64>>) -> Result<()> {
    let order: HashMap<u64, usize> =
        program::nodes_below(root).iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    let node = |id: u64| graph.edges.node_weights().find(|node| node.id == id);
    for (task, needed) in needs {
        for other in needed {
            if order.get(task) < order.get(other)
                && let (Some(task), Some(other)) = (node(*task), node(*other))
            {
                let text = format!(
                    "'{}' needs '{}', which comes later: that is only possible within one list of tasks, with strategy graph",
                    task.title, other.title
                );
                return Err(Error::new(text).at(task.pos.as_ref()));
            }
        }
    }
    Ok(())
}
