//! A play as the engine walks it: blocks and tasks with the parts that Ansible adds by itself (gathering facts,
//! flushing handlers between the sections).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lang::playbook::{Block, FrameKind, Item, Task};
use lang::role::Role;

/// A task or a block.
#[derive(Clone, Debug)]
pub enum Node {
    Task(Arc<TaskNode>),
    Block(Arc<BlockNode>),
}

/// A block; items carry their number among their siblings.
#[derive(Clone, Debug, Default)]
pub struct BlockNode {
    pub block: Option<Arc<Block>>,
    pub items: Vec<(u32, Node)>,
    pub rescue: Vec<(u32, Node)>,
    pub always: Vec<(u32, Node)>,
    /// The tasks of a role, as a whole.
    pub is_role_body: bool,
    pub role: Option<Arc<Role>>,
}

impl BlockNode {
    /// The same block with other nodes: `part` makes those of its items, its rescue and its always.
    pub fn with_parts(&self, part: impl Fn(&[(u32, Node)]) -> Vec<(u32, Node)>) -> Self {
        Self {
            block: self.block.clone(),
            items: part(&self.items),
            rescue: part(&self.rescue),
            always: part(&self.always),
            is_role_body: self.is_role_body,
            role: self.role.clone(),
        }
    }
}

/// A task, or something that stands where a task can.
#[derive(Debug)]
pub struct TaskNode {
    /// Unique in the run.
    pub id: u64,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Task(Arc<Task>),
    /// Run the handlers notified so far.
    Flush,
    /// Mark a role as done on this host.
    RoleDone(Arc<Role>),
}

impl TaskNode {
    pub fn new(kind: Kind) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Arc::new(Self { id: NEXT.fetch_add(1, Ordering::Relaxed), kind })
    }

    pub fn task(&self) -> Option<&Arc<Task>> {
        match &self.kind {
            Kind::Task(task) => Some(task),
            _ => None,
        }
    }
}

/// All tasks below a block.
pub fn tasks(block: &BlockNode) -> Vec<Arc<Task>> {
    nodes_below(block).into_iter().filter_map(|node| node.task().cloned()).collect()
}

/// All nodes below a block, in the order of the play.
pub fn nodes_below(block: &BlockNode) -> Vec<Arc<TaskNode>> {
    let mut found = Vec::new();
    for (_, node) in block.items.iter().chain(&block.rescue).chain(&block.always) {
        match node {
            Node::Task(task) => found.push(task.clone()),
            Node::Block(block) => found.extend(nodes_below(block)),
        }
    }
    found
}

/// Items as numbered nodes.
pub fn nodes(items: &[Item]) -> Vec<(u32, Node)> {
    number(items.iter().map(node).collect())
}

fn node(item: &Item) -> Node {
    match item {
        Item::Task(task) => Node::Task(TaskNode::new(kind(task))),
        Item::Block(block) => Node::Block(block_node(block)),
    }
}

/// The mark that the loader puts at the end of a role is no task.
fn kind(task: &Arc<Task>) -> Kind {
    let is_mark = task.implicit
        && task.module.is_builtin("meta")
        && task.args.get("_raw_params").and_then(lang::Value::as_str) == Some("role_complete");
    match task.role().filter(|_| is_mark) {
        Some(role) => Kind::RoleDone(role.clone()),
        None => Kind::Task(task.clone()),
    }
}

/// A block with everything in it.
pub fn block_node(block: &Arc<Block>) -> Arc<BlockNode> {
    let role = match &block.frame.kind {
        FrameKind::Role(role) => Some(role.clone()),
        _ => None,
    };
    Arc::new(BlockNode {
        items: nodes(&block.items),
        rescue: nodes(&block.rescue),
        always: nodes(&block.always),
        is_role_body: role.is_some(),
        role,
        block: Some(block.clone()),
    })
}

pub fn number(nodes: Vec<Node>) -> Vec<(u32, Node)> {
    nodes.into_iter().enumerate().map(|(i, n)| (i as u32, n)).collect()
}

/// A list of nodes as a block of its own.
pub fn group(nodes: Vec<Node>) -> Arc<BlockNode> {
    Arc::new(BlockNode { items: number(nodes), ..BlockNode::default() })
}
