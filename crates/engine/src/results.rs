//! Results of tasks as dictionaries with Ansible's keys.

use lang::{Key, Map, Value};
use protocol::Diff;

/// Warnings of a result with the places they are about, as they are shown. Not part of what is registered.
pub const SHOWN_WARNINGS: &str = "_ansible_shown_warnings";

/// Convenient access to results.
pub trait ResultMap {
    /// Is the flag set (true, or a text that says so)?
    fn flag(&self, key: &str) -> bool;
    fn text(&self, key: &str) -> Option<&str>;
    fn put(&mut self, key: &str, value: impl Into<Value>);
}

impl ResultMap for Map {
    fn flag(&self, key: &str) -> bool {
        match self.get(key) {
            Some(Value::Str(text)) => modules::args::parse_bool(text.as_str()).unwrap_or(false),
            Some(value) => value.is_truthy(),
            None => false,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.insert(Key::from(key), value.into());
    }
}

/// A result in a few words: `map! {"changed": false, "msg": text}`.
#[macro_export]
macro_rules! map {
    ($($key:literal : $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut map = ::lang::Map::new();
        $(map.insert(::lang::Key::from($key), ::lang::Value::from($value));)*
        map
    }};
}

/// A failure with a message.
pub fn failure(msg: impl Into<String>) -> Map {
    map! {"failed": true, "msg": msg.into()}
}

/// What an agent reported, as the rest of the run sees it: text only, never templates; with the lists of lines that
/// Ansible adds.
pub fn from_outcome(result: &protocol::Map) -> Map {
    let mut map: Map = result.iter().map(|(k, v)| (Key::from(k.as_str()), Value::from_json(v))).collect();
    for stream in ["stdout", "stderr"] {
        let lines = format!("{stream}_lines");
        if let Some(text) = map.text(stream)
            && !map.contains_key(lines.as_str())
        {
            let value = lines_of(text);
            map.put(&lines, value);
        }
    }
    map
}

/// `diff` as a module's result has it: one dictionary, or a list of them from the modules that may have several.
pub fn diff_value(module: &str, diff: &[Diff]) -> Value {
    const LISTS: &[&str] = &["copy", "template", "lineinfile", "blockinfile"];
    let one = |diff: &Diff| {
        let mut map = diff.notes.clone();
        let entries = [
            ("before", diff.before.clone()),
            ("after", diff.after.clone()),
            ("before_header", diff.before_header.clone().map(Into::into)),
            ("after_header", diff.after_header.clone().map(Into::into)),
            ("prepared", diff.prepared.clone().map(Into::into)),
        ];
        map.extend(entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        Value::from_json(&map.into())
    };
    match diff {
        [single] if !LISTS.contains(&module) => one(single),
        several => Value::list(several.iter().map(one).collect()),
    }
}

/// Python's `splitlines`, as a list.
pub fn lines_of(text: &str) -> Value {
    let mut lines = Vec::new();
    let mut rest = text;
    let breaks: &[char] =
        &['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    while let Some(at) = rest.find(breaks) {
        lines.push(Value::from(&rest[..at]));
        let width = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(1, char::len_utf8)
        };
        rest = &rest[at + width..];
    }
    if !rest.is_empty() {
        lines.push(Value::from(rest));
    }
    lines.into()
}

/// The result of a whole loop from those of its items.
///
/// Their warnings and deprecations move to it.
pub fn of_loop(mut items: Vec<Map>) -> Map {
    let mut gathered = |key: &str| {
        let lists: Vec<Value> = items.iter_mut().filter_map(|item| item.shift_remove(key)).collect();
        let entries = lists.iter().filter_map(|list| match list {
            Value::List(entries) => Some(entries.iter().cloned()),
            _ => None,
        });
        entries.flatten().collect::<Vec<Value>>()
    };
    let said = ["warnings", "deprecations"].map(|key| (key, gathered(key)));
    let any = |key: &str| items.iter().any(|r| r.flag(key));
    let changed = any("changed");
    let failed = any("failed");
    let all_skipped = !items.is_empty() && items.iter().all(|r| r.flag("skipped"));
    let unreachable = any("unreachable");
    let mut result = Map::new();
    result.put("changed", changed);
    let msg = if failed {
        result.put("failed", true);
        "One or more items failed"
    } else if all_skipped {
        result.put("skipped", true);
        "All items skipped"
    } else {
        result.put("skipped", false);
        "All items completed"
    };
    if unreachable {
        result.put("unreachable", true);
    }
    result.put("msg", msg);
    for (key, list) in said.into_iter().filter(|(_, list)| !list.is_empty()) {
        result.put(key, list);
    }
    result.put("results", items.into_iter().map(Value::map).collect::<Vec<_>>());
    result
}

/// Does a result count as a failure? `failed_when` has the last word, also where no attempt of `until` was good and
/// `failed` says so.
pub fn is_failure(result: &Map) -> bool {
    if let Some(Value::List(items)) = result.get("results") {
        let items: Vec<&Map> = items.iter().filter_map(Value::as_map).collect();
        if items.iter().any(|item| item.contains_key(FAILED_WHEN_RESULT)) {
            return items.into_iter().any(is_failure);
        }
    }
    match result.get(FAILED_WHEN_RESULT) {
        Some(Value::Bool(failed)) => *failed,
        // The condition could not be evaluated.
        Some(_) => true,
        None => result.flag("failed"),
    }
}

/// What `failed_when` came to.
const FAILED_WHEN_RESULT: &str = "failed_when_result";
