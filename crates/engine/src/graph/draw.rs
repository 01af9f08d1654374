//! Graphs as text, DOT, Mermaid, SVG and JSON.

mod dot;
mod json;
mod mermaid;
mod svg;
mod text;

pub use dot::dot;
pub use json::json;
pub use mermaid::mermaid;
pub use svg::svg;
pub use text::text;

use super::{Graph, Node, Reason};

/// What is said of a play.
fn heading(graph: &Graph) -> String {
    let host = graph.host.as_ref().map_or(String::new(), |host| format!(" as {host} meets it"));
    format!("{}{host}", graph.name)
}

/// Reasons in one line, each once.
fn reasons(reasons: &[Reason]) -> String {
    let mut texts: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    texts.dedup();
    texts.join(", ")
}

/// A node's title with its time.
fn label(node: &Node) -> String {
    match node.seconds {
        Some(seconds) => format!("{} ({})", node.title, time(seconds)),
        None => node.title.clone(),
    }
}

fn time(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Spec, Touches};

    fn graph() -> Graph {
        let spec = |id, title: &str, path: &str| {
            let args = serde_json::json!({"path": path, "state": "touch"});
            let touches = Touches::of("file", args.as_object().expect("an object"), None);
            Spec { id, title: title.into(), touches, ..Spec::default() }
        };
        let specs = [spec(1, "first \"<one>\"", "/a"), spec(2, "second", "/b"), spec(3, "third", "/a")];
        let mut graph = Graph::build(&specs).expect("a graph");
        graph.name = "Pages".into();
        graph.host = Some("web1".into());
        graph.strategy = "graph".into();
        graph.mark_critical(|node| Some(node.id as f64));
        graph
    }

    #[test]
    fn as_text() {
        let expected = "\
Pages as web1 meets it (strategy graph)
  * 1 first \"<one>\" (1.0 s)
    2 second (2.0 s)
  * 3 third (3.0 s)
        after 1: path /a
  * critical path of the last run: 4.0 s of 6.0 s
";
        assert_eq!(text(&[graph()], std::path::Path::new("/")), expected);
    }

    #[test]
    fn as_dot() {
        let dot = dot(&[graph()]);
        assert!(dot.contains("p0n0 [label=\"first \\\"<one>\\\" (1.0 s)\""), "{dot}");
        assert!(dot.contains("p0n0 -> p0n2 [label=\"path /a\", color=red"), "{dot}");
        assert!(!dot.contains("p0n1 ->"), "{dot}");
    }

    #[test]
    fn as_mermaid() {
        let mermaid = mermaid(&[graph()]);
        assert!(mermaid.contains("p0n0[\"first &quot;&lt;one&gt;&quot; (1.0 s)\"]"), "{mermaid}");
        assert!(mermaid.contains("p0n0 -->|\"path /a\"| p0n2"), "{mermaid}");
    }

    #[test]
    fn as_svg() {
        let svg = svg(&[graph()]);
        assert!(svg.starts_with("<?xml"), "{svg}");
        assert!(svg.contains("first &quot;&lt;one&gt;&quot;"), "{svg}");
        assert!(svg.contains("path /a") && svg.trim_end().ends_with("</svg>"), "{svg}");
        // A play without tasks is no reason to fail.
        assert!(super::svg(&[Graph::default()]).contains("</svg>"));
        assert!(super::svg(&[]).contains("</svg>"));
    }

    #[test]
    fn as_json() {
        let json = json(&[graph()]);
        assert_eq!(json[0]["tasks"][2]["title"], "third");
        assert_eq!(json[0]["tasks"][2]["critical"], true);
        let edge =
            serde_json::json!({"from": 1, "to": 3, "reasons": [{"kind": "resource", "about": "path /a"}]});
        assert_eq!(json[0]["edges"], serde_json::json!([edge]));
    }
}
