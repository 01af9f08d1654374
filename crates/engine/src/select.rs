//! Which tasks run at all: `--tags`, `--skip-tags`.

use std::sync::Arc;

use lang::keywords::Keyword;
use lang::playbook::Task;
use lang::{Result, Value};

use crate::options::Options;
use crate::program::{BlockNode, Node, number};
use crate::settings::text_of;

/// Renders the templates in tags.
pub type Render<'a> = &'a dyn Fn(&Value) -> Result<Value>;

/// The block without the tasks that are not selected.
pub fn filter(block: &Arc<BlockNode>, options: &Options, render: Render) -> Result<Arc<BlockNode>> {
    let everything = options.skip_tags.is_empty() && options.tags.iter().all(|t| t == "all");
    if everything && !has_never(block, render)? {
        return Ok(block.clone());
    }
    Ok(Arc::new(filtered(block, options, render)?))
}

fn filtered(block: &BlockNode, options: &Options, render: Render) -> Result<BlockNode> {
    let part = |nodes: &[(u32, Node)]| -> Result<Vec<(u32, Node)>> {
        let kept = nodes.iter().map(|(_, node)| keep(node, options, render)).collect::<Result<Vec<_>>>()?;
        Ok(number(kept.into_iter().flatten().collect()))
    };
    Ok(BlockNode {
        block: block.block.clone(),
        items: part(&block.items)?,
        rescue: part(&block.rescue)?,
        always: part(&block.always)?,
        is_role_body: block.is_role_body,
        role: block.role.clone(),
    })
}

fn keep(node: &Node, options: &Options, render: Render) -> Result<Option<Node>> {
    Ok(match node {
        Node::Block(block) => {
            let block = filtered(block, options, render)?;
            let empty = block.items.is_empty() && block.rescue.is_empty() && block.always.is_empty();
            (!empty).then(|| Node::Block(Arc::new(block)))
        }
        Node::Task(task) => match task.task() {
            Some(task) if task.implicit || is_selected(&tags_of(task, render)?, options) => {
                Some(node.clone())
            }
            Some(_) => None,
            None => Some(node.clone()),
        },
    })
}

fn has_never(block: &BlockNode, render: Render) -> Result<bool> {
    for (_, node) in block.items.iter().chain(&block.rescue).chain(&block.always) {
        let never = match node {
            Node::Block(block) => has_never(block, render)?,
            Node::Task(task) => match task.task() {
                Some(task) => tags_of(task, render)?.iter().any(|t| t == "never"),
                None => false,
            },
        };
        if never {
            return Ok(true);
        }
    }
    Ok(false)
}

/// All tags of a task, inherited ones included.
fn tags_of(task: &Task, render: Render) -> Result<Vec<String>> {
    let mut tags = Vec::new();
    for value in task.keywords(Keyword::Tags) {
        let values = match value {
            Value::List(items) => items.to_vec(),
            other => vec![other.clone()],
        };
        for value in values {
            match &value {
                // A template is one tag, or a list of them.
                Value::Str(text) if text.has_template() => match render(&value)? {
                    Value::List(items) => tags.extend(items.iter().map(text_of)),
                    other => tags.push(text_of(&other)),
                },
                _ => tags.extend(text_of(&value).split(',').map(|t| t.trim().to_owned())),
            }
        }
    }
    Ok(tags)
}

/// Do the options want a task with these tags?
pub fn is_selected(tags: &[String], options: &Options) -> bool {
    let has = |name: &str| tags.iter().any(|t| t == name);
    let wants = |name: &str| options.tags.iter().any(|t| t == name);
    let skips = |name: &str| options.skip_tags.iter().any(|t| t == name);
    let untagged = ["untagged".to_owned()];
    let names: &[String] = if tags.is_empty() { &untagged } else { tags };
    let wanted = options.tags.is_empty()
        || has("always")
        || (wants("all") && !has("never"))
        || names.iter().any(|t| wants(t))
        || (wants("tagged") && !tags.is_empty() && !has("never"));
    if !wanted {
        return false;
    }
    let skipped = (skips("all") && (!has("always") || skips("always")))
        || names.iter().any(|t| skips(t))
        || (skips("tagged") && !tags.is_empty());
    !skipped
}
