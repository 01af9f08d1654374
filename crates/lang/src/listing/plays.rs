use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::keywords::Keyword;
use crate::playbook::{Item, Loader, Play, Playbook, Task};
use crate::{Result, Value};

use super::TagSelection;

/// What to list of a playbook. Nothing at all is `--syntax-check`.
pub struct Listing<'a> {
    pub tasks: bool,
    pub tags: bool,
    /// The hosts that patterns match, for `--list-hosts`.
    pub hosts: Option<&'a dyn Fn(&[String]) -> Result<Vec<String>>>,
    pub selection: &'a TagSelection,
}

/// Find what is wrong with a playbook that its listing needs: as ansible-playbook, before anything is printed.
pub fn check(playbook: &Playbook, loader: &Loader) -> Result<()> {
    playbook.plays.iter().try_for_each(|play| loader.check_play(play))
}

/// The listing of a playbook, as ansible-playbook prints it; `name` is the playbook as the user named it. It is
/// written to `out` as far as it goes before an error.
pub fn list(
    playbook: &Playbook,
    name: &str,
    what: &Listing<'_>,
    loader: &Loader,
    out: &mut String,
) -> Result<()> {
    let _ = writeln!(out, "\nplaybook: {name}");
    if !what.tasks && !what.tags && what.hosts.is_none() {
        return Ok(());
    }
    for (i, play) in playbook.plays.iter().enumerate() {
        list_play(i + 1, play, what, loader, out)?;
    }
    Ok(())
}

fn list_play(
    number: usize,
    play: &Arc<Play>,
    what: &Listing<'_>,
    loader: &Loader,
    out: &mut String,
) -> Result<()> {
    let answers = play.prompt_defaults();
    let patterns = loader.play_hosts(play, &answers)?;
    let hosts = patterns.join(",");
    let name = loader.play_name(play, &answers)?;
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| match patterns.as_slice() {
        [] => "None".to_owned(),
        _ => hosts.clone(),
    });
    // As in ansible-core, templates in the tags of the play are listed as they are written, here and for each task.
    let mut play_tags = BTreeSet::new();
    play.keyword(Keyword::Tags).into_iter().for_each(|value| tag_names(value, &mut play_tags));
    let mut all_tags = play_tags.clone();
    let tags: Vec<String> = play_tags.iter().cloned().collect();
    let _ = writeln!(out, "\n  play #{number} ({hosts}): {name}\tTAGS: [{}]", tags.join(","));
    if let Some(matching) = what.hosts {
        let (list, hosts) = match patterns.as_slice() {
            [] => (Value::Null, Vec::new()),
            written => {
                let list = written.iter().map(|p| Value::str(p.as_str())).collect();
                (Value::list(list), matching(written)?)
            }
        };
        let _ = writeln!(
            out,
            "    pattern: {}\n    hosts ({}):",
            crate::template::python_repr(&list),
            hosts.len()
        );
        for host in hosts {
            let _ = writeln!(out, "      {host}");
        }
    }
    if !what.tasks && !what.tags {
        return Ok(());
    }
    let mut lines = String::new();
    for (_, items) in play.sections() {
        for item in items {
            list_item(item, what, loader, &play_tags, &mut lines, &mut all_tags)?;
        }
    }
    if what.tasks {
        let _ = write!(out, "    tasks:\n{lines}");
    }
    if what.tags {
        let all: Vec<String> = all_tags.into_iter().collect();
        let _ = writeln!(out, "      TASK TAGS: [{}]", all.join(", "));
    }
    Ok(())
}

/// The lines of a task or of the main branch of a block; `rescue` and `always` are not listed.
fn list_item(
    item: &Item,
    what: &Listing<'_>,
    loader: &Loader,
    play_tags: &BTreeSet<String>,
    lines: &mut String,
    all_tags: &mut BTreeSet<String>,
) -> Result<()> {
    let task = match item {
        Item::Task(task) => task,
        Item::Block(block) => {
            let mut list = |item| list_item(item, what, loader, play_tags, lines, all_tags);
            return block.items.iter().try_for_each(&mut list);
        }
    };
    if task.implicit && task.module.is_builtin("meta") {
        return Ok(());
    }
    let mut tags = loader.tags(task)?;
    // A list of all tags shows those of `never` as well.
    let everything = what.tags && what.selection.is_everything();
    if !everything && !what.selection.selects(&tags) {
        return Ok(());
    }
    tags.extend(play_tags.iter().cloned());
    if what.tasks {
        let names: Vec<&str> = tags.iter().map(String::as_str).collect();
        let _ = writeln!(lines, "      {}\tTAGS: [{}]", title(task), names.join(", "));
    }
    all_tags.extend(tags);
    Ok(())
}

/// The name with its role, or the module as written.
fn title(task: &Task) -> String {
    match task.name.as_ref() {
        Some(name) if name.is_truthy() => task.title(),
        _ => task.action.as_str().to_owned(),
    }
}

/// The names in a value of `tags`; a text is one name here, for what is written with commas was split by the loader.
pub(crate) fn tag_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| tag_names(item, names)),
        Value::Null | Value::Omit => {}
        Value::Str(text) if text.as_str().is_empty() => {}
        other => {
            names.insert(crate::template::python_str(other));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_kept_apart_as_written() {
        let mut names = BTreeSet::new();
        let value = Value::list(vec![Value::str("a,b"), Value::list(vec![Value::Int(5)]), Value::Null]);
        tag_names(&value, &mut names);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["5", "a,b"]);
    }
}
