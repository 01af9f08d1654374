//! Events as lines, the way `tests/record/engine/sequence.py` writes those of ansible-core.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use engine::event::{Event, Reporter, Status, TaskResult};
use serde_json::Value;

pub struct Sequence {
    lines: Rc<RefCell<Vec<String>>>,
    dir: PathBuf,
    linear: bool,
}

/// Keys of results that are compared.
fn shown_keys(action: &str) -> &'static [&'static str] {
    match action.rsplit('.').next().unwrap_or(action) {
        "debug" | "assert" | "fail" => &["msg"],
        "include_vars" => &["ansible_facts", "ansible_included_var_files", "message", "msg"],
        "validate_argument_spec" => &["argument_errors"],
        _ => &[],
    }
}

impl Sequence {
    pub fn new(lines: Rc<RefCell<Vec<String>>>, dir: PathBuf) -> Self {
        Self { lines, dir, linear: true }
    }

    fn line(&self, words: &[&str]) {
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
        let line = words.join(" ").replace(&self.dir.to_string_lossy().into_owned(), "$DIR");
        self.lines.borrow_mut().push(line);
    }

    fn of_task(&self, result: &TaskResult) -> String {
        if self.linear { String::new() } else { format!("task={}", result.task.title) }
    }

    fn result(&self, result: &TaskResult, before: &str) {
        let host = &result.host;
        let status = match result.status {
            Status::Ok => "ok",
            Status::Changed => "changed",
            Status::Failed => "failed",
            Status::Skipped if before.is_empty() => {
                return self.line(&[before, "skipped", host, &self.of_task(result)]);
            }
            Status::Skipped => "skipped",
            Status::Unreachable => return self.line(&[before, "unreachable", host, &self.of_task(result)]),
        };
        let mut shown = serde_json::Map::new();
        for key in shown_keys(&result.task.resolved) {
            if let Some(value) = result.result.get(*key) {
                shown.insert((*key).to_owned(), value.to_json());
            }
        }
        let shown = if shown.is_empty() { String::new() } else { sorted(&Value::Object(shown)).to_string() };
        let label = match &result.item_label {
            Some(label) if !result.is_loop => format!("item={}", label.to_json()),
            _ => String::new(),
        };
        let mark = if result.ignored && before.is_empty() { "ignored" } else { "" };
        self.line(&[before, status, host, mark, &label, &self.of_task(result), &shown]);
    }
}

impl Reporter for Sequence {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStart { name, strategy, .. } => {
                self.linear = strategy == "linear";
                self.line(&["PLAY", name]);
            }
            Event::TaskStart { task } => self.line(&["TASK", &task.title]),
            Event::HandlerStart { task } => self.line(&["HANDLER", &task.title]),
            Event::NoHostsMatched => self.line(&["no hosts matched"]),
            Event::NoHostsRemaining => self.line(&["no hosts remaining"]),
            Event::Included { file, hosts, .. } => {
                let name = file.rsplit('/').next().unwrap_or(file);
                self.line(&["included", name, &hosts.join(",")]);
            }
            Event::HostResult(result) => self.result(result, ""),
            Event::ItemResult(result) => self.result(result, "item"),
            Event::Retry { result, .. } => self.line(&["retry", &result.host, &self.of_task(result)]),
            Event::Stats { hosts, .. } => {
                for (host, stats) in hosts {
                    let numbers = format!(
                        "ok={} changed={} unreachable={} failures={} skipped={} rescued={} ignored={}",
                        stats.ok,
                        stats.changed,
                        stats.unreachable,
                        stats.failed,
                        stats.skipped,
                        stats.rescued,
                        stats.ignored
                    );
                    self.line(&["stats", host, &numbers]);
                }
            }
            _ => {}
        }
    }
}

/// Keys of dictionaries in alphabetical order, at every depth.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<&String, Value> = map.iter().map(|(k, v)| (k, sorted(v))).collect();
            Value::Object(map.into_iter().map(|(k, v)| (k.clone(), v)).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The same line whoever wrote its JSON.
fn plain(line: &str) -> String {
    match line.find(" {").map(|at| (&line[..at], serde_json::from_str::<Value>(&line[at + 1..]))) {
        Some((before, Ok(json))) => format!("{before} {}", sorted(&json)),
        _ => line.to_owned(),
    }
}

fn host_of(line: &str) -> &str {
    let mut words = line.split(' ').skip(1);
    let first = words.next().unwrap_or_default();
    match line.starts_with("item ") {
        true => words.next().unwrap_or_default(),
        false => first,
    }
}

fn is_heading(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    !matches!(first, "ok" | "changed" | "failed" | "skipped" | "unreachable" | "item" | "retry")
}

/// Lines of one task in the order of the hosts: which of them answers first is no matter.
pub fn in_rounds(lines: &[String]) -> Vec<String> {
    let lines: Vec<String> = lines.iter().map(|line| plain(line)).collect();
    let mut out = Vec::with_capacity(lines.len());
    for round in lines.chunk_by(|a, b| !is_heading(a) && !is_heading(b)) {
        let mut round = round.to_vec();
        round.sort_by(|a, b| host_of(a).cmp(host_of(b)));
        out.extend(round);
    }
    out
}

/// The lines of each host, without headings: where every host goes on as it can.
pub fn by_host(lines: &[String]) -> Vec<String> {
    let mut lines: Vec<String> =
        lines.iter().filter(|l| !is_heading(l) || l.starts_with("stats")).map(|line| plain(line)).collect();
    lines.sort_by(|a, b| host_of(a).cmp(host_of(b)));
    lines
}
