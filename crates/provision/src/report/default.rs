//! Ansible's default output, to the letter.

use std::collections::HashSet;
use std::io::Write;

use engine::event::{Event, HostStats, Reporter, Status, TaskInfo, TaskResult};
use engine::results::ResultMap;
use lang::Value;

use super::dump::{Dump, dump, json};
use super::{Colour, Columns, Style, describe, diff};

/// The options of the default callback and what the command says about output.
#[derive(Clone, Debug)]
pub struct DefaultOptions {
    pub verbosity: u8,
    /// `DEFAULT_DEBUG`
    pub debug: bool,
    pub style: Style,
    pub columns: Columns,
    pub display_skipped_hosts: bool,
    pub display_ok_hosts: bool,
    pub display_failed_stderr: bool,
    pub show_custom_stats: bool,
    pub check_mode_markers: bool,
    /// `--check`: a run with markers says so at its beginning and end.
    pub check: bool,
    pub show_per_host_start: bool,
    pub show_task_path_on_failure: bool,
    /// `display_args_to_stdout`
    pub display_args: bool,
    /// `result_format: yaml`
    pub yaml: bool,
    /// `pretty_results`: `None` follows the format.
    pub pretty: Option<bool>,
    pub deprecation_warnings: bool,
}

/// Prints events as Ansible's default callback does.
pub struct Default_<O: Write, E: Write> {
    pub(super) options: DefaultOptions,
    out: O,
    err: E,
    /// Task whose banner was printed last.
    last_banner: Option<u64>,
    /// Banners wait for a result that is shown.
    lazy: bool,
    strategy: String,
    check_mode: bool,
    errors: HashSet<String>,
    /// It was said how to get rid of deprecation warnings.
    deprecation_explained: bool,
}

/// Said once, before the first deprecation.
pub const EXPLANATION: &str =
    "Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg.";

impl<O: Write, E: Write> Default_<O, E> {
    pub fn new(options: DefaultOptions, out: O, err: E) -> Self {
        Self {
            options,
            out,
            err,
            last_banner: None,
            lazy: false,
            strategy: String::new(),
            check_mode: false,
            errors: HashSet::new(),
            deprecation_explained: false,
        }
    }

    pub(super) fn say(&mut self, text: &str, colour: Colour) {
        // Whoever closed the pipe does not want to read on.
        let _ = writeln!(self.out, "{}", self.options.style.paint(text, colour));
        let _ = self.out.flush();
    }

    pub(super) fn complain(&mut self, text: &str, colour: Colour) {
        let _ = self.out.flush();
        // Line ends of another system are line ends.
        let text = text.replace("\r\n", "\n");
        let _ = writeln!(self.err, "{}", self.options.style.paint(&text, colour));
        let _ = self.err.flush();
    }

    /// To where failures go.
    fn say_failure(&mut self, text: &str, colour: Colour) {
        if self.options.display_failed_stderr { self.complain(text, colour) } else { self.say(text, colour) }
    }

    fn banner(&mut self, text: &str) {
        let banner = self.options.columns.banner(text);
        let _ = writeln!(self.out, "{banner}");
        let _ = self.out.flush();
    }

    fn task_banner(&mut self, task: &TaskInfo) {
        let prefix = if task.is_handler { "RUNNING HANDLER" } else { "TASK" };
        let mut args = String::new();
        if self.options.display_args && !task.no_log {
            let shown: Vec<String> =
                task.args.iter().map(|(k, v)| format!("{k}={}", engine::settings::text_of(v))).collect();
            args = format!(" {}", shown.join(", "));
        }
        let mark = if task.check_mode && self.options.check_mode_markers { " [CHECK MODE]" } else { "" };
        self.banner(&format!("{prefix} [{}{args}]{mark}", task.title.trim()));
        if self.options.verbosity >= 2 {
            self.say(&format!("task path: {}", task.path), Colour::Debug);
        }
        self.last_banner = Some(task.id);
    }

    fn need_banner(&mut self, task: &TaskInfo) {
        if self.last_banner != Some(task.id) {
            self.task_banner(task);
        }
    }

    fn start(&mut self, task: &TaskInfo) {
        self.lazy = !(self.options.display_skipped_hosts && self.options.display_ok_hosts)
            || matches!(
                self.strategy.strip_prefix("ansible.builtin.").unwrap_or(&self.strategy),
                "free" | "host_pinned" | "mitogen_free" | "mitogen_host_pinned"
            );
        if !self.lazy {
            self.task_banner(task);
        }
    }

    fn is_verbose(&self, result: &TaskResult) -> bool {
        (self.options.verbosity > 0 || result.verbose_always) && !result.verbose_override
    }

    fn dump(&self, result: &TaskResult) -> String {
        let mut shown = result.result.clone();
        if result.task.resolved == "ansible.builtin.debug" {
            clean_debug(&mut shown);
        }
        let everything = self.options.verbosity > 2;
        if self.options.yaml {
            return super::yaml(&shown, everything, self.options.pretty.unwrap_or(true));
        }
        let indent = match self.options.pretty {
            Some(true) => Some(4),
            Some(false) => None,
            None => (result.verbose_always || everything).then_some(4),
        };
        dump(&shown, Dump { indent, everything })
    }

    fn item(&self, result: &TaskResult) -> String {
        match &result.item_label {
            Some(label) => format!(" => (item={})", engine::settings::text_of(label)),
            None => String::new(),
        }
    }

    fn host_result(&mut self, result: &TaskResult) {
        let host = host_label(result);
        match result.status {
            Status::Ok | Status::Changed => {
                if result.is_loop {
                    self.show_diffs(result);
                    return;
                }
                self.show_diffs(result);
                let changed = result.status == Status::Changed;
                if !changed && !self.options.display_ok_hosts {
                    return;
                }
                self.need_banner(&result.task);
                let mut line = format!("{}: [{host}]", if changed { "changed" } else { "ok" });
                if self.is_verbose(result) {
                    line.push_str(&format!(" => {}", self.dump(result)));
                }
                self.say(&line, if changed { Colour::Changed } else { Colour::Ok });
            }
            Status::Skipped => {
                if !self.options.display_skipped_hosts {
                    return;
                }
                self.need_banner(&result.task);
                let mut line = format!("skipping: [{host}]");
                if self.is_verbose(result) {
                    let mut shown = result.clone();
                    shown.result.shift_remove("results");
                    line.push_str(&format!(" => {}", self.dump(&shown)));
                }
                self.say(&line, Colour::Skip);
            }
            Status::Failed => {
                self.show_error(result);
                // What remains of a debug task has no results of items.
                let is_debug = result.task.resolved == "ansible.builtin.debug";
                let has_items = !is_debug && result.result.contains_key("results");
                if !result.is_loop || !(has_items || result.result.contains_key("censored")) {
                    self.show_diffs(result);
                    self.need_banner(&result.task);
                    self.path_on_failure(result);
                    let line = format!("fatal: [{host}]: FAILED! => {}", self.dump(result));
                    self.say_failure(&line, Colour::Error);
                }
                if result.ignored {
                    self.say("...ignoring", Colour::Skip);
                }
            }
            Status::Unreachable => {
                self.show_error(result);
                self.need_banner(&result.task);
                let line = format!("fatal: [{host}]: UNREACHABLE! => {}", self.dump(result));
                self.say_failure(&line, Colour::Unreachable);
                if result.ignored {
                    self.say("...ignoring", Colour::Skip);
                }
            }
        }
    }

    fn path_on_failure(&mut self, result: &TaskResult) {
        if self.options.show_task_path_on_failure {
            self.say_failure(&format!("task path: {}", result.task.path), Colour::Error);
        }
    }

    fn item_result(&mut self, result: &TaskResult) {
        let host = host_label(result);
        let item = self.item(result);
        match result.status {
            Status::Ok | Status::Changed => {
                self.show_diffs(result);
                let changed = result.status == Status::Changed;
                if !changed && !self.options.display_ok_hosts {
                    return;
                }
                self.need_banner(&result.task);
                let mut line = format!("{}: [{host}]{item}", if changed { "changed" } else { "ok" });
                if self.is_verbose(result) {
                    line.push_str(&format!(" => {}", self.dump(result)));
                }
                self.say(&line, if changed { Colour::Changed } else { Colour::Ok });
            }
            Status::Skipped => {
                if !self.options.display_skipped_hosts {
                    return;
                }
                self.need_banner(&result.task);
                let mut line = format!("skipping: [{host}]{item} ");
                if self.is_verbose(result) {
                    line.push_str(&format!(" => {}", self.dump(result)));
                }
                self.say(&line, Colour::Skip);
            }
            Status::Failed | Status::Unreachable => {
                self.show_diffs(result);
                self.show_error(result);
                self.need_banner(&result.task);
                let item = item.strip_prefix(" =>").unwrap_or(&item);
                let word = if result.status == Status::Failed { "failed" } else { "fatal" };
                let line = format!("{word}: [{host}]{item} => {}", self.dump(result));
                self.say_failure(&line, Colour::Error);
            }
        }
    }

    /// The error behind a failure, with the lines it is about: once, however many hosts have it.
    fn show_error(&mut self, result: &TaskResult) {
        let Some(error) = &result.error else { return };
        if result.task.no_log && result.result.contains_key("censored") && error.cause().is_some() {
            return;
        }
        let text = format!("[ERROR]: {}\n", describe(error));
        if self.errors.insert(text.clone()) {
            self.need_banner(&result.task);
            self.say_failure(&text, Colour::Error);
        }
    }

    fn show_diffs(&mut self, result: &TaskResult) {
        if result.diff.is_empty() || !result.task.diff || !result.result.flag("changed") {
            return;
        }
        let text = diff::render(&result.diff, self.options.style);
        if text.is_empty() {
            return;
        }
        self.need_banner(&result.task);
        let _ = write!(self.out, "{text}");
        if !text.ends_with('\n') {
            let _ = writeln!(self.out);
        }
    }

    fn dry_run(&mut self) {
        if self.options.check && self.options.check_mode_markers {
            self.banner("DRY RUN");
        }
    }

    fn recap(&mut self, hosts: &[(String, HostStats)]) {
        self.banner("PLAY RECAP");
        for (host, stats) in hosts {
            let colour = if stats.failed > 0 || stats.unreachable > 0 {
                Colour::Error
            } else if stats.changed > 0 {
                Colour::Changed
            } else {
                Colour::Ok
            };
            let style = self.options.style;
            let name = if style.colours {
                format!("{:<37}", style.paint(host, colour))
            } else {
                format!("{host:<26}")
            };
            let part = |word: &str, count: u32, colour: Colour| {
                let text = format!("{word}={count:<4}");
                if count == 0 { text } else { style.paint(&text, colour) }
            };
            let line = format!(
                "{name} : {} {} {} {} {} {} {}",
                part("ok", stats.ok, Colour::Ok),
                part("changed", stats.changed, Colour::Changed),
                part("unreachable", stats.unreachable, Colour::Unreachable),
                part("failed", stats.failed, Colour::Error),
                part("skipped", stats.skipped, Colour::Skip),
                part("rescued", stats.rescued, Colour::Ok),
                part("ignored", stats.ignored, Colour::Warn),
            );
            let _ = writeln!(self.out, "{line}");
        }
        let _ = writeln!(self.out);
        let _ = self.out.flush();
    }

    fn retry(&mut self, result: &TaskResult, retries: u32, attempts: u32) {
        let left = (retries + 1).saturating_sub(attempts);
        let mut line = format!(
            "FAILED - RETRYING: [{}]: {} ({left} retries left).",
            host_label(result),
            result.task.title
        );
        if self.options.verbosity > 2 || (result.verbose_always && !result.verbose_override) {
            line.push_str(&format!("Result was: {}", self.dump(result)));
        }
        self.say(&line, Colour::Debug);
    }
}

impl<O: Write, E: Write> Reporter for Default_<O, E> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlaybookStart { path, plays } => {
                if self.options.verbosity > 1 {
                    let name = path.rsplit('/').next().unwrap_or(path);
                    self.banner(&format!("PLAYBOOK: {name}"));
                    self.say(&format!("{plays} plays in {path}"), Colour::Verbose);
                }
                self.dry_run();
            }
            Event::PlayStart { name, strategy, check_mode, .. } => {
                self.strategy = strategy.clone();
                self.check_mode = *check_mode;
                self.last_banner = None;
                let mark = if *check_mode && self.options.check_mode_markers { " [CHECK MODE]" } else { "" };
                let name = name.trim();
                if name.is_empty() {
                    self.banner(&format!("PLAY{mark}"));
                } else {
                    self.banner(&format!("PLAY [{name}]{mark}"));
                }
            }
            Event::NoHostsMatched => self.say("skipping: no hosts matched", Colour::Skip),
            Event::NoHostsRemaining => self.banner("NO MORE HOSTS LEFT"),
            Event::TaskStart { task } | Event::HandlerStart { task } => self.start(task),
            Event::HostStart { task, host } => {
                if self.options.show_per_host_start {
                    self.say(&format!(" [started {} on {host}]", task.title), Colour::Ok);
                }
            }
            Event::ItemResult(result) => self.item_result(result),
            Event::HostResult(result) => self.host_result(result),
            Event::Retry { result, retries, attempts } => self.retry(result, *retries, *attempts),
            Event::AsyncPoll { result, .. } => {
                let jid = result.result.get("ansible_job_id").and_then(Value::as_str).unwrap_or_default();
                let flag = |name: &str| match result.result.get(name) {
                    Some(Value::Bool(b)) => i64::from(*b),
                    Some(Value::Int(i)) => *i,
                    _ => 0,
                };
                let line = format!(
                    "ASYNC POLL on {}: jid={jid} started={} finished={}",
                    result.host,
                    flag("started"),
                    flag("finished")
                );
                self.say(&line, Colour::Debug);
            }
            Event::AsyncOk(result) | Event::AsyncFailed(result) => {
                let jid = result.result.get("ansible_job_id").and_then(Value::as_str).unwrap_or_default();
                let ok = matches!(event, Event::AsyncOk(_));
                let word = if ok { "OK" } else { "FAILED" };
                self.say(&format!("ASYNC {word} on {}: jid={jid}", result.host), Colour::Debug);
            }
            Event::Included { file, hosts, item_label, task } => {
                self.need_banner(task);
                let mut line = format!("included: {file} for {}", hosts.join(", "));
                if let Some(label) = item_label {
                    line.push_str(&format!(" => (item={})", engine::settings::text_of(label)));
                }
                self.say(&line, Colour::Included);
            }
            Event::NotificationSaved { handler } => {
                if self.options.verbosity > 1 {
                    self.say(&format!("Notification for handler {handler} has been saved."), Colour::Verbose);
                }
            }
            Event::Notified { handler, host } => {
                if self.options.verbosity > 1 {
                    self.say(&format!("NOTIFIED HANDLER {handler} for {host}"), Colour::Verbose);
                }
            }
            Event::Meta { text, implicit } => {
                let shown = if *implicit { self.options.debug } else { self.options.verbosity > 1 };
                if shown {
                    self.say(&format!("META: {text}"), Colour::Verbose);
                }
            }
            Event::Connected { host, elapsed, agent_uploaded } => {
                if self.options.verbosity > 2 {
                    let how = if *agent_uploaded { ", agent uploaded" } else { "" };
                    self.say(
                        &format!("<{host}> connected in {} ms{how}", elapsed.as_millis()),
                        Colour::Verbose,
                    );
                }
            }
            Event::Warning { text } => {
                // What shows lines of a file has an empty line behind it.
                let end = if text.contains("\nOrigin: ") && !text.ends_with('\n') { "\n" } else { "" };
                let line = format!("[WARNING]: {text}{end}");
                self.complain(&line, Colour::Warn);
            }
            Event::Deprecated { text } => {
                if self.options.deprecation_warnings {
                    if !std::mem::replace(&mut self.deprecation_explained, true) {
                        self.complain(&format!("[WARNING]: {EXPLANATION}"), Colour::Warn);
                    }
                    self.complain(&format!("[DEPRECATION WARNING]: {text}"), Colour::Deprecate);
                }
            }
            Event::Error { text } => self.complain(&format!("[ERROR]: {text}"), Colour::Error),
            Event::Message { text, verbosity } => {
                if *verbosity <= self.options.verbosity {
                    self.say(text, Colour::Verbose);
                }
            }
            Event::Stats { hosts, custom, custom_per_host, profile } => {
                self.recap(hosts);
                let any = !custom.is_empty() || !custom_per_host.is_empty();
                if self.options.show_custom_stats && any {
                    self.banner("CUSTOM STATS: ");
                    for (host, stats) in custom_per_host {
                        let line = json(&Value::map(stats.clone()), None);
                        self.say(&format!("\t{host}: {line}"), Colour::None);
                    }
                    if !custom.is_empty() {
                        let line = json(&Value::map(custom.clone()), None);
                        self.say(&format!("\tRUN: {line}"), Colour::None);
                    }
                    self.say("", Colour::None);
                }
                self.dry_run();
                if let Some(profile) = profile {
                    self.banner("PROFILE");
                    self.say(&super::profile::text(profile), Colour::None);
                }
            }
        }
    }
}

/// `host`, or `host -> delegate`.
pub(super) fn host_label(result: &TaskResult) -> String {
    match &result.delegated_to {
        Some(to) if *to != result.host => format!("{} -> {to}", result.host),
        _ => result.host.clone(),
    }
}

/// A debug task shows what it was asked for and nothing else.
pub(super) fn clean_debug(result: &mut lang::Map) {
    if result.contains_key("msg") {
        result.retain(|k, _| matches!(k.as_str(), Some("msg" | "exception" | "deprecations" | "warnings")));
        return;
    }
    for key in ["changed", "failed", "skipped", "invocation", "skip_reason"] {
        result.shift_remove(key);
    }
    result.shift_remove("ansible_loop_var");
}
