use layout::backends::svg::SVGWriter;
use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::{heading, label, reasons};
use crate::graph::{Graph, Kind};

/// Size of the letters.
const FONT: usize = 14;

/// A picture.
pub fn svg(graphs: &[Graph]) -> String {
    let mut picture = VisualGraph::new(Orientation::TopToBottom);
    let node = |picture: &mut VisualGraph, text: &str, kind: Kind, critical: bool| {
        let text = wrapped(text);
        let lines = text.lines().count().max(1);
        let columns = text.lines().map(|line| line.chars().count()).max().unwrap_or(1);
        let size = Point::new((columns * FONT) as f64 * 0.62 + 20.0, (lines * FONT) as f64 * 1.3 + 14.0);
        let shape = if kind == Kind::Task { ShapeKind::new_box(&text) } else { ShapeKind::new_circle(&text) };
        let style = StyleAttr { fill_color: Some(Color::fast("white")), ..line(critical) };
        picture.add_node(Element::create(shape, style, Orientation::TopToBottom, size))
    };
    if graphs.is_empty() {
        node(&mut picture, "no plays", Kind::Flush, false);
    }
    for graph in graphs {
        let head = node(&mut picture, &heading(graph), Kind::Flush, false);
        let mut handles = Vec::new();
        for index in graph.edges.node_indices() {
            let task = &graph.edges[index];
            handles.push(node(&mut picture, &label(task), task.kind, task.critical));
        }
        for index in graph.edges.externals(petgraph::Direction::Incoming) {
            picture.add_edge(Arrow::simple(""), head, handles[index.index()]);
        }
        for edge in graph.edges.edge_indices() {
            let Some((from, to)) = graph.edges.edge_endpoints(edge) else { continue };
            let mut arrow = Arrow::simple(&wrapped(&reasons(&graph.edges[edge])));
            arrow.look = line(graph.is_critical(from, to));
            picture.add_edge(arrow, handles[from.index()], handles[to.index()]);
        }
    }
    let mut writer = SVGWriter::new();
    picture.do_it(false, false, false, &mut writer);
    writer.finalize()
}

fn line(critical: bool) -> StyleAttr {
    let colour = Color::fast(if critical { "red" } else { "black" });
    StyleAttr::new(colour, if critical { 3 } else { 1 }, None, 0, FONT)
}

/// Text in lines of a few words.
fn wrapped(text: &str) -> String {
    const COLUMNS: usize = 32;
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > COLUMNS {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}
