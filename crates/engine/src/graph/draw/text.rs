use std::path::Path;

use petgraph::Direction::Incoming;

use super::{heading, label, reasons, time};
use crate::graph::Graph;

/// For a terminal: each task with the numbers of those it waits for. Files below `base` are shown relative to it.
pub fn text(graphs: &[Graph], base: &Path) -> String {
    let mut out = String::new();
    for (number, graph) in graphs.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        out.push_str(&format!("{} (strategy {})\n", heading(graph), graph.strategy));
        let width = graph.edges.node_count().to_string().len();
        for index in graph.edges.node_indices() {
            let node = &graph.edges[index];
            let mark = if node.critical { '*' } else { ' ' };
            let place = node.pos.as_ref().map_or(String::new(), |pos| {
                let file = pos.file.strip_prefix(base).unwrap_or(&pos.file);
                format!("  {}:{}", file.display(), pos.line)
            });
            out.push_str(&format!("  {mark} {:>width$} {}{place}\n", index.index() + 1, label(node)));
            let mut before: Vec<_> = graph.edges.neighbors_directed(index, Incoming).collect();
            before.sort();
            for from in before {
                let edge = graph.edges.find_edge(from, index).map(|edge| reasons(&graph.edges[edge]));
                let indent = " ".repeat(width + 7);
                out.push_str(&format!("{indent}after {}: {}\n", from.index() + 1, edge.unwrap_or_default()));
            }
        }
        if let Some((critical, all)) = graph.seconds() {
            let (critical, all) = (time(critical), time(all));
            out.push_str(&format!("  * critical path of the last run: {critical} of {all}\n"));
        }
    }
    out
}
