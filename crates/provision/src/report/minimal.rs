//! The output of ad hoc commands: a paragraph (or a line) for each host, as Ansible's callbacks `minimal` and
//! `oneline` print it.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use engine::event::{Event, Reporter, Status, TaskResult};
use lang::Value;

use super::default::{Default_, clean_debug, host_label};
use super::dump::{Dump, dump, json};
use super::{Colour, diff};

/// Prints events of one task.
pub struct Minimal<O: Write, E: Write> {
    /// Prints what is no result.
    inner: Default_<O, E>,
    oneline: bool,
    /// Directory with a file for each host's result (`-t`).
    tree: Option<PathBuf>,
    /// Where the task comes from, for errors.
    origin: String,
    errors: HashSet<String>,
}

/// Modules whose output is text rather than a result.
fn prints_text(result: &TaskResult) -> bool {
    let name = result.task.resolved.strip_prefix("ansible.builtin.").unwrap_or(&result.task.resolved);
    matches!(name, "command" | "shell" | "raw") && !result.result.contains_key("ansible_job_id")
}

fn text<'a>(result: &'a TaskResult, key: &str) -> &'a str {
    result.result.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl<O: Write, E: Write> Minimal<O, E> {
    pub fn new(inner: Default_<O, E>, oneline: bool, tree: Option<PathBuf>, origin: String) -> Self {
        Self { inner, oneline, tree, origin, errors: HashSet::new() }
    }

    fn dump(&self, result: &TaskResult) -> String {
        let everything = self.inner.options.verbosity > 2;
        let mut shown = result.result.clone();
        if self.oneline {
            let indent = Some(if result.verbose_always { 4 } else { 0 });
            return dump(&shown, Dump { indent, everything }).replace('\n', "");
        }
        if result.task.resolved == "ansible.builtin.debug" && result.status != Status::Failed {
            clean_debug(&mut shown);
        }
        if self.inner.options.yaml {
            return super::yaml(&shown, everything, self.inner.options.pretty.unwrap_or(true));
        }
        let indent = (self.inner.options.pretty != Some(false)).then_some(4);
        dump(&shown, Dump { indent, everything })
    }

    /// `host | STATE | rc=0 >>` and what the command printed.
    fn output(&self, result: &TaskResult, state: &str) -> String {
        let rc = result.result.get("rc").map_or("-1".to_owned(), engine::settings::text_of);
        let host = host_label(result);
        let (stdout, stderr) = (text(result, "stdout"), text(result, "stderr"));
        if self.oneline {
            let stdout = stdout.replace('\n', "\\n");
            let mut line = format!("{host} | {state} | rc={rc} | (stdout) {stdout}");
            if !stderr.is_empty() {
                line.push_str(&format!(" (stderr) {}", stderr.replace('\n', "\\n")));
            }
            return line;
        }
        format!("{host} | {state} | rc={rc} >>\n{stdout}{stderr}{}", text(result, "msg"))
    }

    fn show(&mut self, result: &TaskResult) {
        let host = host_label(result);
        if !result.diff.is_empty() && result.task.diff && !self.oneline {
            let text = diff::render(&result.diff, self.inner.options.style);
            if !text.is_empty() {
                self.inner.say(text.strip_suffix('\n').unwrap_or(&text), Colour::None);
            }
        }
        if let Some(error) = result.error.as_ref().filter(|_| !self.oneline) {
            let text = format!("[ERROR]: {error}\n{}\n", self.origin);
            if self.errors.insert(text.clone()) {
                self.inner.complain(&text, Colour::Error);
            }
        }
        match result.status {
            Status::Ok | Status::Changed => {
                let (state, colour) = match result.status {
                    Status::Changed => ("CHANGED", Colour::Changed),
                    _ => ("SUCCESS", Colour::Ok),
                };
                let text = if prints_text(result) {
                    self.output(result, state)
                } else {
                    format!("{host} | {state} => {}", self.dump(result))
                };
                self.inner.say(&text, colour);
            }
            Status::Skipped => self.inner.say(&format!("{host} | SKIPPED"), Colour::Skip),
            Status::Failed => {
                if prints_text(result) {
                    let text = self.output(result, "FAILED");
                    self.inner.say(&text, Colour::Error);
                }
                if self.oneline || !prints_text(result) {
                    let text = format!("{host} | FAILED! => {}", self.dump(result));
                    self.inner.say(&text, Colour::Error);
                }
            }
            Status::Unreachable => {
                let text = if self.oneline {
                    format!("{host} | UNREACHABLE!: {}", text(result, "msg"))
                } else {
                    format!("{host} | UNREACHABLE! => {}", self.dump(result))
                };
                self.inner.say(&text, Colour::Unreachable);
            }
        }
        self.keep(result);
    }

    fn keep(&mut self, result: &TaskResult) {
        let Some(directory) = &self.tree else { return };
        let shown = dump(&result.result, Dump { indent: None, everything: false });
        let written = std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(directory.join(&result.host), shown));
        if let Err(e) = written {
            let text = format!("[WARNING]: Unable to write to {}'s file: {e}", result.host);
            self.inner.complain(&text, Colour::Warn);
        }
    }
}

impl<O: Write, E: Write> Reporter for Minimal<O, E> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::HostResult(result) => self.show(result),
            Event::Included { item_label: None, task, hosts, .. } => {
                let args = json(&Value::map(task.args.clone()), None);
                for host in hosts {
                    self.inner.say(&format!("{host} | SUCCESS => {{\"include_args\": {args}}}"), Colour::Ok);
                }
            }
            Event::Warning { .. }
            | Event::Deprecated { .. }
            | Event::Error { .. }
            | Event::Message { .. } => {
                self.inner.event(event);
            }
            _ => {}
        }
    }
}
