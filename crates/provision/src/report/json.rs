//! `--output json`: one document for the whole run, with the keys of Ansible's `json` callback.

use std::io::Write;

use engine::event::{Event, HostStats, Reporter, Status, TaskInfo, TaskResult};
use serde_json::{Map, Value, json};

/// Collects a run and writes it when it is over.
pub struct Json<O: Write, E: Write> {
    out: O,
    err: E,
    plays: Vec<Play>,
    warnings: Vec<String>,
}

struct Play {
    name: String,
    start: String,
    tasks: Vec<Task>,
}

struct Task {
    id: u64,
    name: String,
    path: String,
    start: String,
    end: String,
    hosts: Map<String, Value>,
}

impl<O: Write, E: Write> Json<O, E> {
    pub fn new(out: O, err: E) -> Self {
        Self { out, err, plays: Vec::new(), warnings: Vec::new() }
    }

    fn task(&mut self, info: &TaskInfo) -> Option<&mut Task> {
        let play = self.plays.last_mut()?;
        if !play.tasks.iter().any(|t| t.id == info.id) {
            play.tasks.push(Task {
                id: info.id,
                name: info.title.clone(),
                path: info.path.clone(),
                start: now(),
                end: now(),
                hosts: Map::new(),
            });
        }
        play.tasks.iter_mut().find(|t| t.id == info.id)
    }

    fn result(&mut self, result: &TaskResult) {
        let mut shown = match lang::Value::map(result.result.clone()).to_json() {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        shown.retain(|k, _| !k.starts_with("_ansible_"));
        shown.insert("action".into(), result.task.action.clone().into());
        // A loop that failed may have changed something before.
        shown.entry("changed").or_insert((result.status == Status::Changed).into());
        if result.ignored {
            shown.insert("ignored".into(), true.into());
        }
        match result.status {
            Status::Failed => drop(shown.insert("failed".into(), true.into())),
            Status::Skipped => drop(shown.insert("skipped".into(), true.into())),
            Status::Unreachable => drop(shown.insert("unreachable".into(), true.into())),
            Status::Ok | Status::Changed => {}
        }
        let host = result.host.clone();
        if let Some(task) = self.task(&result.task.clone()) {
            task.end = now();
            task.hosts.insert(host, Value::Object(shown));
        }
    }

    fn document(
        &self,
        hosts: &[(String, HostStats)],
        custom: &lang::Map,
        per_host: &[(String, lang::Map)],
    ) -> Value {
        let plays: Vec<Value> = self
            .plays
            .iter()
            .map(|play| {
                let tasks: Vec<Value> = play
                    .tasks
                    .iter()
                    .map(|task| {
                        json!({
                            "hosts": task.hosts,
                            "task": {
                                "duration": {"start": task.start, "end": task.end},
                                "id": task.id,
                                "name": task.name,
                                "path": task.path,
                            },
                        })
                    })
                    .collect();
                json!({"play": {"duration": {"start": play.start}, "name": play.name}, "tasks": tasks})
            })
            .collect();
        let stats: Map<String, Value> = hosts
            .iter()
            .map(|(host, s)| {
                let numbers = json!({
                    "ok": s.ok, "changed": s.changed, "unreachable": s.unreachable, "failures": s.failed,
                    "skipped": s.skipped, "rescued": s.rescued, "ignored": s.ignored,
                });
                (host.clone(), numbers)
            })
            .collect();
        let custom_stats: Map<String, Value> =
            per_host.iter().map(|(h, m)| (h.clone(), lang::Value::map(m.clone()).to_json())).collect();
        json!({
            "custom_stats": custom_stats,
            "global_custom_stats": lang::Value::map(custom.clone()).to_json(),
            "plays": plays,
            "stats": stats,
            "warnings": self.warnings,
        })
    }
}

fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

impl<O: Write, E: Write> Reporter for Json<O, E> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStart { name, .. } => {
                self.plays.push(Play { name: name.clone(), start: now(), tasks: Vec::new() });
            }
            Event::TaskStart { task } | Event::HandlerStart { task } => drop(self.task(task)),
            Event::HostResult(result) => self.result(result),
            Event::Warning { text } => self.warnings.push(text.clone()),
            Event::Error { text } => drop(writeln!(self.err, "[ERROR]: {text}")),
            Event::Stats { hosts, custom, custom_per_host, profile } => {
                let mut document = self.document(hosts, custom, custom_per_host);
                if let Some(profile) = profile {
                    document["profile"] = super::profile::document(profile);
                }
                if let Ok(text) = serde_json::to_string_pretty(&document) {
                    let _ = writeln!(self.out, "{text}");
                }
            }
            _ => {}
        }
    }
}
