//! `--profile`: where the run's time went, as text and as JSON.

use std::time::Duration;

use engine::profile::{HostProfile, Leg, Parts, Profile, TaskProfile};
use serde_json::{Map, Value, json};

/// Lines of a table; what is left out is said.
const ROWS: usize = 20;

/// What people read: the parts of the time, the critical path, tasks and hosts, each from the most to the least.
pub fn text(profile: &Profile) -> String {
    let mut out = format!("The run took {}:\n", seconds(profile.total));
    let mut parts = vec![("loading", profile.loading)];
    parts.extend(profile.parts.named());
    for (name, took) in parts {
        let percent = 100.0 * took.as_secs_f64() / profile.total.as_secs_f64().max(1e-9);
        out += &format!("  {:<46}{:>9} {percent:>5.1} %\n", explained(name), seconds(took));
    }

    let mut path: Vec<&Leg> = profile.path.iter().collect();
    path.sort_by_key(|leg| std::cmp::Reverse(leg.parts.total()));
    let rows = path.iter().map(|leg| {
        let what = main_parts(&leg.parts);
        (format!("{} ({})", leg.task.title.trim(), leg.host), vec![seconds(leg.parts.total()), what])
    });
    out += &table("What it waited for", &["time", "of which"], rows.collect());

    let mut tasks: Vec<&TaskProfile> = profile.tasks.iter().collect();
    tasks.sort_by_key(|task| std::cmp::Reverse((task.critical, task.modules)));
    let rows = tasks.iter().map(|task| {
        let slowest = format!("{} {}", seconds(task.slowest), task.slowest_host);
        let numbers = [task.critical, task.modules, task.evaluation].map(seconds);
        (task.task.title.trim().to_owned(), [&numbers[..], &[slowest]].concat())
    });
    out += &table("Tasks", &["waited for", "modules", "evaluation", "slowest host"], rows.collect());

    let mut hosts: Vec<&HostProfile> = profile.hosts.iter().collect();
    hosts.sort_by_key(|host| std::cmp::Reverse((host.critical, host.modules)));
    let rows = hosts.iter().map(|host| {
        let times = [host.critical, host.connecting, host.modules, host.evaluation, host.finished];
        (host.host.clone(), times.map(seconds).to_vec())
    });
    let heads = ["waited for", "connecting", "modules", "evaluation", "done at"];
    out += &table("Hosts", &heads, rows.collect());
    out
}

/// What programs read, in seconds.
pub fn document(profile: &Profile) -> Value {
    let number = |time: Duration| Value::from(time.as_micros() as f64 / 1e6);
    let parts = |parts: &Parts| -> Map<String, Value> {
        parts.named().into_iter().map(|(name, took)| (name.to_owned(), number(took))).collect()
    };
    let mut total = parts(&profile.parts);
    total.insert("loading".into(), number(profile.loading));
    let leg = |leg: &Leg| {
        json!({
            "task": leg.task.title, "task_id": leg.task.id, "host": leg.host, "start": number(leg.start),
            "duration": number(leg.parts.total()), "parts": parts(&leg.parts),
        })
    };
    let task = |task: &TaskProfile| {
        json!({
            "task": task.task.title, "task_id": task.task.id, "path": task.task.path, "hosts": task.hosts,
            "critical": number(task.critical), "modules": number(task.modules),
            "slowest": number(task.slowest), "slowest_host": task.slowest_host,
            "evaluation": number(task.evaluation),
        })
    };
    let host = |host: &HostProfile| {
        let times = json!({
            "tasks": host.tasks, "critical": number(host.critical), "connecting": number(host.connecting),
            "modules": number(host.modules), "evaluation": number(host.evaluation),
            "finished": number(host.finished),
        });
        (host.host.clone(), times)
    };
    json!({
        "duration": number(profile.total),
        "parts": total,
        "critical_path": profile.path.iter().map(leg).collect::<Vec<_>>(),
        "tasks": profile.tasks.iter().map(task).collect::<Vec<_>>(),
        "hosts": profile.hosts.iter().map(host).collect::<Map<_, _>>(),
    })
}

fn explained(name: &str) -> &str {
    match name {
        "loading" => "reading configuration, inventory, playbooks",
        "connecting" => "connecting",
        "waiting" => "waiting for the network, retries and pauses",
        "modules" => "modules on the hosts",
        "evaluation" => "templates and conditions, on the controller",
        "dispatch" => "other work of the controller",
        "output" => "output",
        other => other,
    }
}

/// The parts that matter, from the largest.
fn main_parts(parts: &Parts) -> String {
    let mut named: Vec<_> = parts
        .named()
        .into_iter()
        .filter(|(_, took)| *took * 20 >= parts.total() && !took.is_zero())
        .collect();
    named.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    named.iter().map(|(name, took)| format!("{name} {}", seconds(*took))).collect::<Vec<_>>().join(", ")
}

fn table(title: &str, heads: &[&str], rows: Vec<(String, Vec<String>)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let left_out = rows.len().saturating_sub(ROWS);
    let mut out = format!("\n{title:<48}");
    let last = heads.len() - 1;
    let cell = |index: usize, text: &str| {
        // The last column is text of any length where the others are numbers.
        if index == last { format!("  {text}") } else { format!("{text:>12}") }
    };
    heads.iter().enumerate().for_each(|(index, head)| out += &cell(index, head));
    out.push('\n');
    for (name, cells) in rows.into_iter().take(ROWS) {
        out += &format!("  {:<46}", shortened(&name));
        cells.iter().enumerate().for_each(|(index, text)| out += &cell(index, text));
        out.push('\n');
    }
    if left_out > 0 {
        out += &format!("  and {left_out} more\n");
    }
    out
}

fn shortened(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if name.chars().count() <= 46 {
        return name;
    }
    name.chars().take(45).chain(['…']).collect()
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::event::TaskInfo;

    use super::*;

    fn profile() -> Profile {
        let ms = Duration::from_millis;
        let info = Arc::new(TaskInfo { id: 7, title: "web : Configure\tit".into(), ..TaskInfo::default() });
        let parts = Parts { connecting: ms(300), modules: ms(600), waiting: ms(90), ..Parts::default() };
        Profile {
            total: ms(1000),
            loading: ms(10),
            parts,
            tasks: vec![TaskProfile {
                task: info.clone(),
                hosts: 2,
                critical: ms(990),
                modules: ms(1100),
                slowest: ms(600),
                slowest_host: "web1".into(),
                evaluation: ms(1),
            }],
            hosts: (1..=25)
                .map(|n| HostProfile {
                    host: format!("web{n}"),
                    tasks: 1,
                    critical: if n == 1 { ms(990) } else { ms(0) },
                    connecting: ms(300),
                    modules: ms(600),
                    evaluation: ms(1),
                    finished: ms(990),
                })
                .collect(),
            path: vec![Leg { task: info, host: "web1".into(), start: ms(0), parts }],
        }
    }

    #[test]
    fn the_text_says_what_the_time_went_to() {
        let text = text(&profile());
        let line = |part: &str| {
            let found = text.lines().find(|line| line.contains(part));
            found.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("The run took"), "The run took 1.000 s:");
        assert_eq!(line("modules on the hosts"), "modules on the hosts 0.600 s 60.0 %");
        assert_eq!(
            line("(web1)"),
            "web : Configure it (web1) 0.990 s modules 0.600 s, connecting 0.300 s, waiting 0.090 s"
        );
        assert!(text.contains("and 5 more"), "{text}");
    }

    #[test]
    fn the_document_has_seconds() {
        let document = document(&profile());
        assert_eq!(document["duration"], 1.0);
        assert_eq!(document["parts"]["connecting"], 0.3);
        assert_eq!(document["parts"]["loading"], 0.01);
        assert_eq!(document["critical_path"][0]["duration"], 0.99);
        assert_eq!(document["tasks"][0]["slowest_host"], "web1");
        assert_eq!(document["hosts"]["web25"]["modules"], 0.6);
    }
}
