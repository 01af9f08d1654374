//! Working ahead must not be seen: random plays on a scripted fleet, once in lockstep and once working ahead. Every
//! result, every change, and the order of changes between hosts have to be the same.

mod support;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use engine::Options;
use support::dice::Dice;
use support::fleet::Fleet;
use support::{Ran, by_host, in_rounds, run};

impl Dice {
    fn host(&mut self) -> String {
        format!("h{}", 1 + self.roll(4))
    }
}

/// A play as text, and what it has used so far.
struct Play {
    dice: Dice,
    text: String,
    /// Results and facts that later tasks may ask for.
    results: Vec<String>,
    facts: Vec<String>,
    number: u64,
    /// Hosts go on by themselves: nothing may look at another host.
    free: bool,
}

impl Play {
    fn new(seed: u64) -> Self {
        let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678);
        let mut play = Self {
            dice,
            text: String::new(),
            results: Vec::new(),
            facts: Vec::new(),
            number: 0,
            free: false,
        };
        play.free = play.dice.one_in(6);
        play.write();
        play
    }

    fn write(&mut self) {
        self.text.push_str("- hosts: h1,h2,h3,h4\n  gather_facts: false\n");
        if self.free {
            self.text.push_str("  strategy: free\n");
        } else {
            match self.dice.roll(8) {
                0 => self.text.push_str("  serial: 1\n"),
                1 => self.text.push_str("  serial: 2\n"),
                2 => self.text.push_str("  max_fail_percentage: 30\n"),
                3 => self.text.push_str("  any_errors_fatal: true\n"),
                4 => self.text.push_str("  serial: 3\n  max_fail_percentage: 50\n"),
                _ => {}
            }
        }
        if self.dice.one_in(4) {
            self.text.push_str("  force_handlers: true\n");
        }
        self.text.push_str("  handlers:\n");
        for name in ["one", "two", "three"] {
            let fails = self.dice.one_in(8);
            let notify = (name == "one" && self.dice.one_in(2)).then_some("three");
            self.file(2, name, fails, notify);
        }
        self.text.push_str("  tasks:\n");
        let tasks = 4 + self.dice.roll(10);
        self.tasks(2, tasks, 2);
    }

    fn tasks(&mut self, indent: usize, count: u64, depth: u32) {
        for _ in 0..count {
            match self.dice.roll(14) {
                0 | 1 if depth > 0 => self.block(indent, depth),
                2 => self.line(indent, "- meta: flush_handlers"),
                3 => self.ask(indent),
                4 => self.set_fact(indent),
                5 | 6 => self.command(indent),
                _ => {
                    let fails = self.dice.one_in(7);
                    let notify = match self.dice.roll(6) {
                        0 => Some("one"),
                        1 => Some("two"),
                        _ => None,
                    };
                    self.file(indent, "", fails, notify);
                }
            }
        }
    }

    fn block(&mut self, indent: usize, depth: u32) {
        self.line(indent, "- block:");
        let count = 1 + self.dice.roll(4);
        self.tasks(indent + 2, count, depth - 1);
        let rescue = self.dice.one_in(2);
        if rescue {
            self.line(indent, "  rescue:");
            let count = 1 + self.dice.roll(2);
            self.tasks(indent + 2, count, depth - 1);
        }
        if !rescue || self.dice.one_in(2) {
            self.line(indent, "  always:");
            let count = 1 + self.dice.roll(2);
            self.tasks(indent + 2, count, depth - 1);
        }
        if self.dice.one_in(4) {
            let when = self.condition();
            self.line(indent, &format!("  when: {when}"));
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        writeln!(self.text, "{:indent$}{text}", "").expect("text takes text");
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// A condition on the host, on a result, or on another host's result.
    fn condition(&mut self) -> String {
        let host = self.dice.host();
        if self.results.is_empty() || self.dice.one_in(2) {
            return format!("\"inventory_hostname != '{host}'\"");
        }
        let result = &self.results[self.dice.roll(self.results.len() as u64) as usize];
        match self.dice.roll(4) {
            0 => format!("\"{result} is defined and {result} is changed\""),
            1 => format!("\"not ({result} is defined and {result} is failed)\""),
            2 if !self.free => format!("\"hostvars['{host}'].{result}.changed | default(true)\""),
            _ => format!("\"({result} | default({{}})).number | default(9) > 2\""),
        }
    }

    fn file(&mut self, indent: usize, name: &str, fails: bool, notify: Option<&str>) {
        let number = self.next();
        let name = if name.is_empty() { format!("t{number}") } else { name.to_owned() };
        self.line(indent, &format!("- name: {name}"));
        let is_handler = matches!(name.as_str(), "one" | "two" | "three");
        let delegate = (!self.free && !is_handler && self.dice.one_in(9)).then(|| self.dice.host());
        let mut path = format!("/{number}/x");
        if fails {
            let host = self.dice.host();
            path.push_str(&format!("{{{{ 'fails' if inventory_hostname == '{host}' else '' }}}}"));
        }
        if delegate.is_some() {
            path.push_str("{{ inventory_hostname }}");
        }
        let looped = self.dice.one_in(8);
        if looped {
            path.push_str("{{ item }}");
        }
        self.line(indent, &format!("  file: {{path: \"{path}\", state: directory}}"));
        if looped {
            self.line(indent, "  loop: [1, 2]");
        }
        if let Some(host) = delegate {
            self.line(indent, &format!("  delegate_to: {host}"));
        } else if !self.free && !is_handler && self.dice.one_in(10) {
            self.line(indent, "  run_once: true");
        }
        if let Some(handler) = notify {
            self.line(indent, &format!("  notify: {handler}"));
        }
        self.ending(indent, number, is_handler);
    }

    fn command(&mut self, indent: usize) {
        let number = self.next();
        let what = if self.dice.one_in(4) { "false" } else { "true" };
        self.line(indent, &format!("- name: t{number}"));
        self.line(indent, &format!("  command: /bin/{what} /{number}/"));
        if self.dice.one_in(3) {
            self.line(indent, "  changed_when: false");
        }
        if self.dice.one_in(4) {
            self.line(indent, "  notify: two");
        }
        self.ending(indent, number, false);
    }

    /// What most tasks may have: a condition, a name for the result, a verdict of their own.
    fn ending(&mut self, indent: usize, number: u64, is_handler: bool) {
        if self.dice.one_in(4) {
            let when = self.condition();
            self.line(indent, &format!("  when: {when}"));
        }
        if self.dice.one_in(5) {
            self.line(indent, "  ignore_errors: true");
        }
        let registered = !is_handler && self.dice.one_in(2);
        if registered {
            self.line(indent, &format!("  register: r{number}"));
        }
        if registered && self.dice.one_in(5) {
            let host = self.dice.host();
            let when = format!("r{number} is changed and inventory_hostname == '{host}'");
            self.line(indent, &format!("  failed_when: \"{when}\""));
        }
        if registered {
            self.results.push(format!("r{number}"));
        }
    }

    fn ask(&mut self, indent: usize) {
        let number = self.next();
        let mut asked: Vec<String> = Vec::new();
        for result in &self.results {
            asked.push(format!("{{{{ ({result} | default({{}})).changed | default('-') }}}}"));
        }
        for fact in &self.facts {
            asked.push(format!("{{{{ {fact} | default('-') }}}}"));
        }
        self.line(indent, &format!("- name: t{number}"));
        self.line(indent, &format!("  debug: {{msg: \"{}\"}}", asked.join(" ")));
    }

    fn set_fact(&mut self, indent: usize) {
        let number = self.next();
        let value = match self.results.last() {
            Some(result) => format!("{{{{ {result} is defined and {result} is changed }}}}"),
            None => "{{ inventory_hostname }}".to_owned(),
        };
        self.line(indent, &format!("- name: t{number}"));
        self.line(indent, &format!("  set_fact: {{f{number}: \"{value}\"}}"));
        self.facts.push(format!("f{number}"));
    }

    /// Files that are there before: of most hosts, most.
    fn present(&mut self) -> HashSet<(String, String)> {
        let mut present = HashSet::new();
        let converged = self.dice.roll(10);
        for number in 1..=self.number {
            for host in ["h1", "h2", "h3", "h4"] {
                for end in ["x", "x1", "x2"] {
                    if self.dice.roll(10) < converged {
                        present.insert((host.to_owned(), format!("/{number}/{end}")));
                    }
                }
            }
        }
        present
    }
}

/// The journal with the changes of one task in the order of the hosts: which of them is first is no matter.
fn changes(ran: &Ran, free: bool) -> Vec<String> {
    let journal = ran.fleet.journal.borrow();
    let task = |what: &str| what.split('/').find(|w| w.parse::<u64>().is_ok()).map(str::to_owned);
    let mut entries: Vec<(String, String)> = journal.clone();
    if free {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let mut out = Vec::new();
    for round in entries.chunk_by(|a, b| task(&a.1) == task(&b.1)) {
        let mut round = round.to_vec();
        round.sort();
        out.extend(round.into_iter().map(|(host, what)| format!("{host} {what}")));
    }
    out
}

fn play_once(play: &Play, present: &HashSet<(String, String)>, ahead: bool, seed: u64) -> Ran {
    let files = BTreeMap::from([
        ("site.yml".to_owned(), play.text.clone()),
        ("hosts".to_owned(), "h1\nh2\nh3\nh4\n".to_owned()),
    ]);
    let fleet = Fleet { present: present.clone(), seed, ..Fleet::default() };
    run(&files, Options { work_ahead: ahead, ..Options::default() }, fleet)
}

#[test]
fn working_ahead_is_not_seen() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(100),
    };
    let (mut lockstep_exchanges, mut ahead_exchanges) = (0, 0);
    let mut wrong = Vec::new();
    for seed in seeds {
        let mut play = Play::new(seed);
        let present = play.present();
        let lockstep = play_once(&play, &present, false, 0);
        let ahead = play_once(&play, &present, true, seed + 1);
        lockstep_exchanges += lockstep.fleet.exchanges.get();
        ahead_exchanges += ahead.fleet.exchanges.get();
        let order = if play.free { by_host } else { in_rounds };
        let (expected, got) = (order(&lockstep.lines), order(&ahead.lines));
        let (expected_changes, got_changes) = (changes(&lockstep, play.free), changes(&ahead, play.free));
        if expected != got || expected_changes != got_changes || lockstep.code != ahead.code {
            let diff = |a: &[String], b: &[String]| {
                similar::TextDiff::from_lines(a.join("\n"), b.join("\n")).unified_diff().to_string()
            };
            wrong.push(format!(
                "=== seed {seed}\n{}\n{}\nchanges:\n{}",
                play.text,
                diff(&expected, &got),
                diff(&expected_changes, &got_changes)
            ));
        }
    }
    // The shortest is the easiest to understand.
    wrong.sort_by_key(String::len);
    assert!(wrong.is_empty(), "{} plays differ, one of them:\n{}", wrong.len(), wrong[0]);
    assert!(
        ahead_exchanges < lockstep_exchanges,
        "nothing was sent ahead: {ahead_exchanges} exchanges, {lockstep_exchanges} in lockstep"
    );
}
