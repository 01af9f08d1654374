use serde_json::{Value, json};

use crate::graph::{Graph, Kind, Reason};

/// For programs. Tasks are numbered from 1 in an order in which they can run.
pub fn json(graphs: &[Graph]) -> Value {
    graphs.iter().map(play).collect()
}

fn play(graph: &Graph) -> Value {
    let tasks: Value = graph
        .edges
        .node_indices()
        .map(|index| {
            let node = &graph.edges[index];
            let kind = match node.kind {
                Kind::Task => "task",
                Kind::Handler => "handler",
                Kind::Flush => "flush",
            };
            json!({
                "number": index.index() + 1,
                "kind": kind,
                "title": node.title,
                "file": node.pos.as_ref().map(|pos| pos.file.to_string_lossy()),
                "line": node.pos.as_ref().map(|pos| pos.line),
                "column": node.pos.as_ref().map(|pos| pos.column),
                "seconds": node.seconds,
                "critical": node.critical,
            })
        })
        .collect();
    let edges: Value = graph
        .edges
        .edge_indices()
        .filter_map(|edge| {
            let (from, to) = graph.edges.edge_endpoints(edge)?;
            let reasons: Value = graph.edges[edge].iter().map(reason).collect();
            Some(json!({"from": from.index() + 1, "to": to.index() + 1, "reasons": reasons}))
        })
        .collect();
    json!({
        "play": graph.name, "host": graph.host, "strategy": graph.strategy, "tasks": tasks, "edges": edges,
    })
}

fn reason(reason: &Reason) -> Value {
    let about = match reason {
        Reason::Data(name) => name.clone(),
        Reason::Order(_) | Reason::Resource(_) | Reason::Transaction(_) => reason.to_string(),
        Reason::Notify | Reason::Needs => return json!({"kind": reason.word()}),
    };
    json!({"kind": reason.word(), "about": about})
}
