//! The growth as a picture: time and memory over the number of hosts, both on logarithmic scales.

use std::fmt::Write as _;

use super::Measured;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 56.0;

/// Two diagrams side by side.
pub fn svg(all: &[Measured], strategy: &str) -> String {
    let title = format!("A simulated fleet, strategy {strategy}");
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{}\" y=\"20\" \
         text-anchor=\"middle\" font-size=\"14\">{title}</text>\n",
        WIDTH * 2.0,
        HEIGHT + 24.0,
        WIDTH
    );
    let times: Vec<(f64, f64)> = all.iter().map(|m| (m.hosts as f64, m.seconds)).collect();
    let memory: Vec<(f64, f64)> = all.iter().map(|m| (m.hosts as f64, m.most)).collect();
    out += &diagram(0.0, "time of the run, s", &times, None);
    let goal: Vec<(f64, f64)> = all.iter().map(|m| (m.hosts as f64, 30.0 + 0.5 * m.hosts as f64)).collect();
    out += &diagram(WIDTH, "memory of the controller, MiB", &memory, Some(("30 + 0.5 a host", &goal)));
    out + "</svg>\n"
}

fn diagram(left: f64, title: &str, points: &[(f64, f64)], goal: Option<(&str, &[(f64, f64)])>) -> String {
    let all: Vec<(f64, f64)> =
        points.iter().chain(goal.iter().flat_map(|(_, g)| g.iter())).copied().collect();
    let (x, y) = (Scale::of(all.iter().map(|p| p.0)), Scale::of(all.iter().map(|p| p.1)));
    let at = |(hosts, value): (f64, f64)| {
        let across = left + MARGIN + x.part(hosts) * (WIDTH - MARGIN - 20.0);
        let down = HEIGHT - 20.0 - y.part(value) * (HEIGHT - MARGIN - 30.0);
        (across, down)
    };
    let line = |points: &[(f64, f64)], style: &str| {
        let mut text = String::from("<polyline fill=\"none\" ");
        let _ = write!(text, "{style} points=\"");
        for point in points {
            let (x, y) = at(*point);
            let _ = write!(text, "{x:.1},{y:.1} ");
        }
        text + "\"/>\n"
    };
    let mut out = format!("<text x=\"{}\" y=\"46\">{title}</text>\n", left + MARGIN);
    for power in x.low..=x.high {
        let value = 10f64.powi(power);
        let ((from_x, from_y), (_, to_y)) = (at((value, y.bottom())), at((value, y.top())));
        let _ = writeln!(
            out,
            "<path d=\"M{from_x:.1} {from_y:.1}V{to_y:.1}\" stroke=\"#ddd\"/><text x=\"{from_x:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{value}</text>",
            from_y + 16.0
        );
    }
    for power in y.low..=y.high {
        let value = 10f64.powi(power);
        let ((from_x, from_y), (to_x, _)) = (at((x.bottom(), value)), at((x.top(), value)));
        let _ = writeln!(
            out,
            "<path d=\"M{from_x:.1} {from_y:.1}H{to_x:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{value}</text>",
            from_x - 6.0,
            from_y + 4.0
        );
    }
    let (end_x, end_y) = at((x.top(), y.bottom()));
    let _ =
        writeln!(out, "<text x=\"{end_x:.1}\" y=\"{:.1}\" text-anchor=\"end\">hosts</text>", end_y + 32.0);
    if let Some((name, goal)) = goal {
        out += &line(goal, "stroke=\"#c60\" stroke-dasharray=\"2 3\"");
        if let Some((x, y)) = goal.first().map(|p| at(*p)) {
            let _ =
                writeln!(out, "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"#c60\">goal: {name}</text>", y - 8.0);
        }
    }
    out += &line(points, "stroke=\"#06c\" stroke-width=\"2\"");
    for point in points {
        let (x, y) = at(*point);
        let value = if point.1 < 10.0 { format!("{:.1}", point.1) } else { format!("{:.0}", point.1) };
        let _ = writeln!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#06c\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             fill=\"#06c\">{value}</text>",
            x + 6.0,
            y + 14.0
        );
    }
    out
}

/// From one power of ten to another.
struct Scale {
    low: i32,
    high: i32,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min).max(1e-3).log10().floor() as i32;
        let high = values.fold(1e-3, f64::max).log10().ceil() as i32;
        Self { low, high: high.max(low + 1) }
    }

    fn bottom(&self) -> f64 {
        10f64.powi(self.low)
    }

    fn top(&self) -> f64 {
        10f64.powi(self.high)
    }

    /// How far along the scale, from 0 to 1.
    fn part(&self, value: f64) -> f64 {
        (value.max(1e-9).log10() - f64::from(self.low)) / f64::from(self.high - self.low)
    }
}
