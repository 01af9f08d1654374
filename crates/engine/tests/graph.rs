//! Strategy `graph` on a scripted fleet whose agents take steps out of order wherever they may: random plays have to
//! come to what they come to under `linear`.

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use engine::Options;
use support::dice::Dice;
use support::fleet::Fleet;
use support::{Ran, by_host, run};

/// Tasks of a play, without strategy. `fails`: some of them fail.
fn tasks(dice: &mut Dice, fails: bool) -> String {
    let mut text = String::from("  handlers:\n");
    for name in ["one", "two"] {
        write!(text, "    - name: {name}\n      file: {{path: /handler/{name}, state: touch}}\n").unwrap();
    }
    text.push_str("  tasks:\n");
    let mut results: Vec<String> = Vec::new();
    let mut facts: Vec<String> = Vec::new();
    let mut indent = "    ";
    let mut in_block = 0;
    for number in 0..4 + dice.roll(16) {
        if in_block > 0 {
            in_block -= 1;
            if in_block == 0 {
                text.push_str(
                    "      rescue:\n        - name: rescue\n          file: {path: /rescue, state: touch}\n",
                );
                indent = "    ";
            }
        } else if dice.one_in(12) {
            text.push_str("    - block:\n");
            indent = "        ";
            in_block = 1 + dice.roll(3);
        }
        let i = indent;
        writeln!(text, "{i}- name: t{number}").unwrap();
        let path = match dice.roll(4) {
            0 => "/srv".to_owned(),
            1 => format!("/srv/{}", dice.roll(3)),
            _ => format!("/etc/{}", dice.roll(12)),
        };
        let mut is_step = true;
        match dice.roll(16) {
            0 => writeln!(text, "{i}  command: /bin/true {number}").unwrap(),
            1 => {
                writeln!(text, "{i}  command: /bin/true {number}").unwrap();
                let needs = if number == 0 { 0 } else { dice.roll(number) };
                let needs = if number == 0 { String::new() } else { format!("t{needs}") };
                writeln!(text, "{i}  needs: [{needs}]").unwrap();
            }
            2 if fails => writeln!(text, "{i}  file: {{path: /fails/{number}, state: touch}}").unwrap(),
            3 if fails => {
                writeln!(
                    text,
                    "{i}  file: {{path: /fails/{number}, state: touch}}\n{i}  ignore_errors: true"
                )
                .unwrap();
            }
            4 => {
                is_step = false;
                writeln!(text, "{i}  set_fact: {{f{number}: {number}}}").unwrap();
                facts.push(format!("f{number}"));
            }
            5 if !facts.is_empty() => {
                let fact = &facts[dice.roll(facts.len() as u64) as usize];
                writeln!(text, "{i}  file: {{path: '/fact/{{{{ {fact} }}}}', state: touch}}").unwrap();
            }
            6 if !results.is_empty() => {
                let result = &results[dice.roll(results.len() as u64) as usize];
                writeln!(text, "{i}  file: {{path: '/result/{{{{ {result}.changed }}}}', state: touch}}")
                    .unwrap();
            }
            7 if !results.is_empty() => {
                let result = &results[dice.roll(results.len() as u64) as usize];
                writeln!(text, "{i}  file: {{path: {path}, state: touch}}\n{i}  when: {result} is changed")
                    .unwrap();
            }
            8 => {
                writeln!(
                    text,
                    "{i}  file: {{path: '{path}/{{{{ item }}}}', state: touch}}\n{i}  loop: [a, b, c]"
                )
                .unwrap();
            }
            9 => writeln!(text, "{i}  ping:\n{i}  run_once: true").unwrap(),
            10 => writeln!(text, "{i}  file: {{path: {path}, state: touch}}\n{i}  delegate_to: h1").unwrap(),
            11 => {
                is_step = false;
                writeln!(text, "{i}  assert: {{that: true}}").unwrap();
            }
            12 if in_block == 0 && indent.len() == 4 => {
                is_step = false;
                writeln!(text, "{i}  meta: flush_handlers").unwrap();
            }
            // Where failures leave things behind, every change has to be seen.
            13 if !fails => {
                writeln!(text, "{i}  file: {{path: {path}, state: touch}}\n{i}  changed_when: false")
                    .unwrap();
            }
            14 => {
                writeln!(text, "{i}  file: {{path: {path}, state: touch}}").unwrap();
                writeln!(text, "{i}  register: v{number}\n{i}  failed_when: v{number}.number > 100").unwrap();
                results.push(format!("v{number}"));
                is_step = false;
            }
            _ => writeln!(text, "{i}  file: {{path: {path}, state: touch}}").unwrap(),
        }
        if is_step && dice.one_in(4) {
            writeln!(text, "{i}  notify: {}", if dice.one_in(2) { "one" } else { "two" }).unwrap();
        }
        if is_step && indent.len() == 4 && dice.one_in(4) {
            writeln!(text, "{i}  register: r{number}").unwrap();
            results.push(format!("r{number}"));
        }
    }
    if in_block > 0 {
        text.push_str(
            "      rescue:\n        - name: rescue\n          file: {path: /rescue, state: touch}\n",
        );
    }
    text
}

fn play(strategy: &str, hosts: &str, force: bool, tasks: &str) -> BTreeMap<String, String> {
    let text = format!(
        "- hosts: {hosts}\n  gather_facts: false\n  strategy: {strategy}\n  force_handlers: {force}\n{tasks}"
    );
    let inventory = "h1\nh2\nh3\n".to_owned();
    [("site.yml".to_owned(), text), ("hosts".to_owned(), inventory)].into()
}

/// Results without headings and numbers, for each host, in any order, with the title of their task.
fn results(ran: &Ran) -> Vec<String> {
    let mut task = String::new();
    let mut found = Vec::new();
    for line in &ran.lines {
        let first = line.split(' ').next().unwrap_or_default();
        match first {
            "TASK" | "HANDLER" => task = line.clone(),
            "ok" | "changed" | "failed" | "skipped" | "item" => {
                let words: Vec<&str> = line.split(' ').filter(|word| !word.starts_with("task=")).collect();
                found.push(format!("{task}: {}", words.join(" ")));
            }
            _ => {}
        }
    }
    found.sort();
    found
}

fn stats(ran: &Ran) -> Vec<String> {
    by_host(&ran.lines).into_iter().filter(|line| line.starts_with("stats")).collect()
}

fn changes(ran: &Ran) -> BTreeSet<(String, String)> {
    ran.fleet.journal.borrow().iter().cloned().collect()
}

/// What each host had done before each command that may do anything.
fn before_commands(ran: &Ran, free: &BTreeSet<String>) -> HashMap<(String, String), BTreeSet<String>> {
    let mut done: HashMap<String, BTreeSet<String>> = HashMap::new();
    let mut before = HashMap::new();
    for (host, what) in ran.fleet.journal.borrow().iter() {
        let own = done.entry(host.clone()).or_default();
        if what.starts_with("/bin/") && !free.contains(what) {
            before.insert((host.clone(), what.clone()), own.clone());
        }
        if !free.contains(what) {
            own.insert(what.clone());
        }
    }
    before
}

/// Commands of tasks that say `needs`: their place is not fixed.
fn free_commands(tasks: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = tasks.lines().collect();
    lines
        .windows(2)
        .filter(|pair| pair[1].trim_start().starts_with("needs:"))
        .filter_map(|pair| pair[0].trim().strip_prefix("command: ").map(str::to_owned))
        .collect()
}

/// As many as the variable `SEEDS` says.
fn seeds() -> std::ops::RangeInclusive<u64> {
    1..=std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

fn fleet(seed: u64) -> Fleet {
    Fleet { seed, ..Fleet::default() }
}

#[test]
fn comes_to_the_same_as_linear() {
    for seed in seeds() {
        let mut dice = Dice(seed);
        let tasks = tasks(&mut dice, false);
        let hosts = if dice.one_in(2) { "h1" } else { "h1,h2,h3" };
        let force = dice.one_in(2);
        let linear = run(&play("linear", hosts, force, &tasks), Options::default(), fleet(0));
        let graph = run(&play("graph", hosts, force, &tasks), Options::default(), fleet(seed));
        let shown =
            format!("seed {seed} {hosts}\n{tasks}\n{}\n{}", linear.lines.join("\n"), graph.lines.join("\n"));
        assert_eq!(graph.error, linear.error, "{shown}");
        assert_eq!(results(&graph), results(&linear), "{shown}");
        assert_eq!(stats(&graph), stats(&linear), "{shown}");
        assert_eq!(changes(&graph), changes(&linear), "{shown}");
        let free = free_commands(&tasks);
        assert_eq!(before_commands(&graph, &free), before_commands(&linear, &free), "{shown}");
        assert_eq!(graph.code, linear.code, "{shown}");
    }
}

#[test]
fn a_failure_leaves_nothing_out_and_hides_nothing() {
    for seed in seeds() {
        let mut dice = Dice(seed ^ 0xabcd);
        let tasks = tasks(&mut dice, true);
        let hosts = if dice.one_in(2) { "h1" } else { "h1,h2,h3" };
        let force = dice.one_in(2);
        let linear = run(&play("linear", hosts, force, &tasks), Options::default(), fleet(0));
        let graph = run(&play("graph", hosts, force, &tasks), Options::default(), fleet(seed));
        let shown =
            format!("seed {seed} {hosts}\n{tasks}\n{}\n{}", linear.lines.join("\n"), graph.lines.join("\n"));
        assert_eq!(graph.error, linear.error, "{shown}");
        // What was begun behind a failure is there in addition.
        let all = results(&graph);
        for line in results(&linear) {
            assert!(all.contains(&line), "{line}\n{shown}");
        }
        assert!(changes(&graph).is_superset(&changes(&linear)), "{shown}");
        assert_eq!(reported_changes(&all), graph.fleet.journal.borrow().len(), "{shown}");
        assert_eq!(graph.code, linear.code, "{shown}");
    }
}

/// How many results say that they changed something; of loops their items.
fn reported_changes(results: &[String]) -> usize {
    let items: BTreeSet<&str> =
        results.iter().filter_map(|line| Some(line.split_once(": item ")?.0)).collect();
    let of_loop = |line: &String| line.split_once(": changed").is_some_and(|(task, _)| items.contains(task));
    let changed = |line: &&String| line.contains(": changed") || line.contains(": item changed");
    results.iter().filter(changed).filter(|line| !of_loop(line)).count()
}

#[test]
fn needs_moves_a_task_behind_what_it_needs() {
    let tasks = "  tasks:\n    - name: a\n      file: {path: /a, state: touch}\n      needs: [c]\n    - name: b\n      file: {path: /b, state: touch}\n    - name: c\n      file: {path: /c, state: touch}\n";
    let ran = run(&play("graph", "h1", false, tasks), Options::default(), fleet(0));
    assert_eq!(ran.error, None);
    let titles: Vec<&String> = ran.lines.iter().filter(|l| l.starts_with("TASK")).collect();
    assert_eq!(titles, ["TASK b", "TASK c", "TASK a"]);
    let journal: Vec<String> = ran.fleet.journal.borrow().iter().map(|(_, what)| what.clone()).collect();
    assert_eq!(journal, ["/b", "/c", "/a"]);
}

#[test]
fn needs_is_checked_whatever_the_strategy() {
    let with = |needs: &str| {
        format!(
            "  tasks:\n    - name: a\n      ping:\n      needs: [{needs}]\n    - name: b\n      ping:\n      needs: [a]\n"
        )
    };
    for (strategy, needs, expected) in [
        ("linear", "d", "needs names a task that is not in the play: 'd'"),
        ("graph", "d", "needs names a task that is not in the play: 'd'"),
        ("graph", "b", "tasks need each other: 'a' needs 'b' needs 'a'"),
    ] {
        let ran = run(&play(strategy, "h1", false, &with(needs)), Options::default(), fleet(0));
        assert_eq!(ran.error.as_deref(), Some(expected), "{strategy} {needs}");
    }
    let later = "  tasks:\n    - name: a\n      ping:\n      needs: [b]\n    - name: b\n      ping:\n";
    let ran = run(&play("linear", "h1", false, later), Options::default(), fleet(0));
    let error = ran.error.expect("an error");
    assert!(error.starts_with("'a' needs 'b', which comes later"), "{error}");
}

#[test]
fn a_play_without_changes_is_one_exchange() {
    let mut tasks = String::from("  tasks:\n");
    let mut present = std::collections::HashSet::new();
    for i in 0..50 {
        writeln!(tasks, "    - file: {{path: /f/{i}, state: touch}}").unwrap();
        present.insert(("h1".to_owned(), format!("/f/{i}")));
    }
    let fleet = Fleet { present, seed: 3, ..Fleet::default() };
    let ran = run(&play("graph", "h1", false, &tasks), Options::default(), fleet);
    assert_eq!(
        stats(&ran),
        ["stats h1 ok=50 changed=0 unreachable=0 failures=0 skipped=0 rescued=0 ignored=0"]
    );
    assert!(ran.fleet.exchanges.get() <= 2, "{}", ran.fleet.exchanges.get());
}

#[test]
fn a_step_that_was_dropped_does_not_wait_behind_what_is_sent_ahead() {
    // What the agent calls a change, after which a handler might come, is none; so what it dropped is sent again.
    let tasks = "  handlers:
    - name: one
      file: {path: /handler, state: touch}
  tasks:
    - name: changes
      file: {path: /a, state: touch}
      changed_when: false
      notify: one
    - meta: flush_handlers
    - name: found
      file: {path: /b, state: touch}
      register: found
    - name: again
      file: {path: /a, state: touch}
    - name: behind
      file: {path: '/{{ found.changed }}', state: touch}
";
    for strategy in ["linear", "graph"] {
        let ran = run(&play(strategy, "h1,h2", false, tasks), Options::default(), fleet(0));
        assert_eq!(ran.code, 0, "{strategy}\n{}", ran.lines.join("\n"));
        assert_eq!(ran.fleet.journal.borrow().len(), 6, "{strategy}");
    }
}

#[test]
fn a_failure_for_all_finds_nothing_done_behind_it() {
    let tasks = "  tasks:
    - name: first
      file: {path: /a, state: touch}
    - name: fatal
      file: {path: \"{{ '/fails' if inventory_hostname == 'h2' else '/b' }}\", state: touch}
      any_errors_fatal: true
    - name: behind
      file: {path: /c, state: touch}
";
    for seed in 0..20 {
        let ran = run(&play("graph", "h1,h2,h3", false, tasks), Options::default(), fleet(seed));
        let done: BTreeSet<String> = changes(&ran).into_iter().map(|(_, what)| what).collect();
        assert_eq!(done, ["/a".to_owned(), "/b".to_owned()].into(), "{}", ran.lines.join("\n"));
    }
}
