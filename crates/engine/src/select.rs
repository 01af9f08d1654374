//! Which tasks run at all: `--tags`, `--skip-tags`.

use std::sync::Arc;

use lang::Value;
use lang::keywords::Keyword;
use lang::playbook::Task;

use crate::options::Options;
use crate::program::{BlockNode, Node, number};
use crate::settings::text_of;

/// The block without the tasks that are not selected.
pub fn filter(block: &Arc<BlockNode>, options: &Options) -> Arc<BlockNode> {
    let everything = options.skip_tags.is_empty() && options.tags.iter().all(|t| t == "all");
    if everything && !has_never(block) {
        return block.clone();
    }
    Arc::new(filtered(block, options))
}

fn filtered(block: &BlockNode, options: &Options) -> BlockNode {
    let part = |nodes: &[(u32, Node)]| {
        let kept: Vec<Node> = nodes.iter().filter_map(|(_, node)| keep(node, options)).collect();
        number(kept)
    };
    block.with_parts(part)
}

fn keep(node: &Node, options: &Options) -> Option<Node> {
    match node {
        Node::Block(block) => {
            let block = filtered(block, options);
            let empty = block.items.is_empty() && block.rescue.is_empty() && block.always.is_empty();
            (!empty).then(|| Node::Block(Arc::new(block)))
        }
        Node::Task(task) => match task.task() {
            Some(task) if task.implicit || is_selected(&tags_of(task), options) => Some(node.clone()),
            Some(_) => None,
            None => Some(node.clone()),
        },
    }
}

fn has_never(block: &BlockNode) -> bool {
    let nodes = block.items.iter().chain(&block.rescue).chain(&block.always);
    nodes.into_iter().any(|(_, node)| match node {
        Node::Block(block) => has_never(block),
        Node::Task(task) => task.task().is_some_and(|t| tags_of(t).iter().any(|t| t == "never")),
    })
}

/// All tags of a task, inherited ones included.
pub fn tags_of(task: &Task) -> Vec<String> {
    let mut tags = Vec::new();
    for value in task.keywords(Keyword::Tags) {
        let values = match value {
            Value::List(items) => items.to_vec(),
            other => vec![other.clone()],
        };
        for value in values {
            tags.extend(text_of(&value).split(',').map(|t| t.trim().to_owned()));
        }
    }
    tags
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
