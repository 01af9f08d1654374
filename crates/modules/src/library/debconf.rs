//! `debconf`: answers to the questions of packages.

use serde_json::Value;

use crate::args::{Raw, python_text};
use crate::system::program::{self, process};
use crate::{Applied, Diff, Effects, Host, Map, Module, Plan, Resource, Result, args, fail, json, result};

args! {
    pub struct DebconfArgs {
        /// The package.
        name: String = required(), aliases(&["pkg"]);
        /// The question.
        question: Option<String> = aliases(&["selection", "setting"]);
        /// Type of the answer.
        vtype: Option<String> = choices(&["boolean", "error", "multiselect", "note", "password", "seen", "select", "string", "text", "title"]);
        /// The answer.
        value: Option<Raw> = aliases(&["answer"]);
        /// Leave the question unseen, so that it is asked.
        unseen: bool = default("no");
    }
    checks { required_together(&["question", "vtype", "value"]) }
}

pub struct Debconf;

impl Module for Debconf {
    type Args = DebconfArgs;
    const NAME: &'static str = "debconf";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Answer the questions of packages beforehand.";

    fn effects(args: &DebconfArgs) -> Effects {
        Effects::writes([Resource::Named("debconf", args.name.clone())])
    }

    fn plan(args: DebconfArgs, host: &Host) -> Result<Plan> {
        let mut known = answers(&args.name, host)?;
        let (Some(question), Some(vtype), Some(value)) = (args.question, args.vtype, args.value) else {
            return Ok(Plan::unchanged(result! {"msg": "", "current": known}));
        };
        let wanted = Answer::new(&vtype, &value.0)?;
        let now = match vtype.as_str() {
            "password" => secret(&args.name, &question, host)?,
            _ => known.get(&question).and_then(Value::as_str).map(str::to_owned),
        };
        if now.as_deref().is_some_and(|now| wanted.is(&vtype, now)) {
            return Ok(Plan::unchanged(result! {"msg": "", "current": known}));
        }
        let before = now.filter(|_| vtype != "password").unwrap_or_default();
        // A question that is new stands among the others.
        let previous = match known.get(&question).cloned() {
            Some(answer) => Map::from_iter([(question.clone(), answer)]),
            None => {
                known.insert(question.clone(), "".into());
                known
            }
        };
        let mut result = result! {"msg": "", "previous": previous};
        let current = |value: Value| -> Value { Map::from_iter([(question.clone(), value)]).into() };
        let mut check = result.clone();
        check.insert("current".into(), current(wanted.shown.clone()));
        check.insert("changed".into(), true.into());
        result.insert("current".into(), current(wanted.text.clone().into()));
        let diff = host.diff().then(|| {
            let side = |value: Value| Some(json!(current(value)));
            Diff { before: side(before.into()), after: side(wanted.text.clone().into()), ..Diff::default() }
        });
        let line = format!("{} {question} {vtype} {}\n", args.name, wanted.text);
        let mut plan = Plan::change(result, move |host| {
            let mut set = process(host, "debconf-set-selections")?.stdin(line);
            if args.unseen {
                set = set.arg("-u");
            }
            set.check(host)?;
            Applied::done()
        });
        plan.check = Some(check);
        plan.diff.extend(diff);
        Ok(plan)
    }
}

/// An answer as debconf keeps it, and as the user wrote it.
struct Answer {
    text: String,
    shown: Value,
}

impl Answer {
    fn new(vtype: &str, value: &Value) -> Result<Self> {
        if let ("multiselect", Value::Array(items)) = (vtype, value) {
            check_options(items)?;
        }
        let text = match value {
            Value::Array(items) => items.iter().map(python_text).collect::<Vec<_>>().join(", "),
            other => python_text(other),
        };
        let text = if vtype == "boolean" { text.to_lowercase() } else { text };
        if text.contains(['\n', '\r']) {
            return Err(fail!("value has more than one line, which debconf-set-selections does not take"));
        }
        let shown = if value.is_array() { value.clone() } else { text.clone().into() };
        Ok(Self { text, shown })
    }

    fn is(&self, vtype: &str, now: &str) -> bool {
        let parts = |text: &str| {
            let mut parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
            parts.sort();
            parts
        };
        match vtype {
            "boolean" => now.to_lowercase() == self.text,
            // A list may come in any order; text is what debconf keeps, letter by letter.
            "multiselect" if self.shown.is_array() => parts(now) == parts(&self.text),
            _ => now == self.text,
        }
    }
}

/// The chosen options have to be texts, since Ansible sorts and joins them.
fn check_options(items: &[Value]) -> Result<()> {
    let kind = |value: &Value| match value {
        Value::String(_) => "str",
        Value::Number(_) | Value::Bool(_) => "int",
        Value::Array(_) => "list",
        _ => "dict",
    };
    let mut kinds = items.iter().map(kind);
    let first = kinds.next().unwrap_or("str");
    if let Some(other) = kinds.find(|kind| *kind != first) {
        let why = format!("'<' not supported between instances of '{other}' and '{first}'");
        return Err(fail!("Invalid value provided for 'multiselect': {why}"));
    }
    if first != "str" && !items.is_empty() {
        let why = format!("sequence item 0: expected str instance, {first} found");
        return Err(fail!("Invalid value provided for 'multiselect': {why}"));
    }
    Ok(())
}

/// Every question of the package with its answer.
fn answers(name: &str, host: &Host) -> Result<Map> {
    let said = program::run(host, &process(host, "debconf-show")?.arg(name))?;
    if !said.success() {
        return Err(fail!("{}", said.err()));
    }
    let out = said.out();
    let lines = out.lines().filter_map(|line| line.trim_start_matches(['*', ' ']).split_once(':'));
    Ok(lines.map(|(question, answer)| (question.trim().to_owned(), answer.trim().into())).collect())
}

/// A password, which debconf-show does not tell.
fn secret(name: &str, question: &str, host: &Host) -> Result<Option<String>> {
    let asked = process(host, "debconf-communicate")?.arg(name).stdin(format!("GET {question}\n"));
    let said = program::run(host, &asked)?.out();
    let answer = said.trim_end_matches('\n').strip_prefix('0');
    Ok(answer.map(|answer| answer.strip_prefix(' ').unwrap_or(answer).to_owned()))
}
