use super::{heading, label, reasons};
use crate::graph::{Graph, Kind};

/// For pages that draw Mermaid.
pub fn mermaid(graphs: &[Graph]) -> String {
    let mut out = String::from("flowchart TD\n");
    for (number, graph) in graphs.iter().enumerate() {
        out.push_str(&format!("  subgraph p{number}[\"{}\"]\n", escaped(&heading(graph))));
        for index in graph.edges.node_indices() {
            let node = &graph.edges[index];
            let (open, close) = match node.kind {
                Kind::Task => ("[", "]"),
                Kind::Handler => ("(", ")"),
                Kind::Flush => ("{", "}"),
            };
            let name = format!("p{number}n{}", index.index());
            out.push_str(&format!("    {name}{open}\"{}\"{close}\n", escaped(&label(node))));
            if node.critical {
                out.push_str(&format!("    style {name} stroke:red\n"));
            }
        }
        for edge in graph.edges.edge_indices() {
            let Some((from, to)) = graph.edges.edge_endpoints(edge) else { continue };
            let label = escaped(&reasons(&graph.edges[edge]));
            let (from, to) = (from.index(), to.index());
            out.push_str(&format!("    p{number}n{from} -->|\"{label}\"| p{number}n{to}\n"));
        }
        out.push_str("  end\n");
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\n', " ")
}
