use super::{heading, label, reasons};
use crate::graph::{Graph, Kind};

/// For Graphviz.
pub fn dot(graphs: &[Graph]) -> String {
    let mut out = String::from("digraph playbook {\n  rankdir=TB;\n  node [shape=box];\n");
    for (number, graph) in graphs.iter().enumerate() {
        out.push_str(&format!("  subgraph cluster_{number} {{\n    label={};\n", quoted(&heading(graph))));
        for index in graph.edges.node_indices() {
            let node = &graph.edges[index];
            let shape = match node.kind {
                Kind::Task => "",
                Kind::Handler => ", style=rounded",
                Kind::Flush => ", shape=diamond",
            };
            let colour = if node.critical { ", color=red" } else { "" };
            let name = format!("p{number}n{}", index.index());
            out.push_str(&format!("    {name} [label={}{shape}{colour}];\n", quoted(&label(node))));
        }
        for edge in graph.edges.edge_indices() {
            let Some((from, to)) = graph.edges.edge_endpoints(edge) else { continue };
            let colour = if graph.is_critical(from, to) { ", color=red" } else { "" };
            let label = quoted(&reasons(&graph.edges[edge]));
            let (from, to) = (from.index(), to.index());
            out.push_str(&format!("    p{number}n{from} -> p{number}n{to} [label={label}{colour}];\n"));
        }
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
    format!("\"{text}\"")
}
