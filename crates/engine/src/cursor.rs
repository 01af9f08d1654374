//! Where a host is in its play, and what comes next.
//!
//! A play is a tree of blocks ([`BlockNode`]); a host walks it with a stack of frames, one for each block it is
//! in. A failure moves the innermost frame to its rescue, or to its always and then on to the block outside.
//! Tasks that an include adds become a frame of their own on the include's place, so the tree itself never
//! changes and is shared by all hosts.
//!
//! Every place has a [`Place`], which compares in the order of the play and is the same for all hosts: the
//! lockstep of the linear strategy is "the hosts whose next task is the earliest".

use std::sync::Arc;

use crate::program::{BlockNode, Node, TaskNode};

/// A position in the play; earlier compares as smaller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place(Vec<u32>);

/// The part of a block that a host is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Items,
    Rescue,
    Always,
}

#[derive(Clone, Debug)]
struct Frame {
    block: Arc<BlockNode>,
    part: Part,
    index: usize,
    /// Something failed in it that its rescue did not take care of: it goes on to the outer block at the end.
    failed: bool,
    /// Only those items run that were notified.
    handlers: bool,
    /// A failed flush of handlers goes on with the remaining handlers (`force_handlers`).
    goes_on: bool,
}

/// What a failure led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A rescue takes over.
    Rescued,
    /// Only always parts (or forced handlers) are left to run; the host has failed.
    Unwinding,
    /// Nothing is left to run.
    Final,
}

/// A host's position in a play.
#[derive(Clone, Debug)]
pub struct Cursor {
    frames: Vec<Frame>,
    /// The host has failed, beyond any rescue.
    failed: bool,
}

impl Cursor {
    /// At the start of a play's blocks.
    pub fn new(root: Arc<BlockNode>) -> Self {
        Self { frames: vec![Frame::new(root)], failed: false }
    }

    /// The next task and its place; `None` at the end. Stays there until [`Cursor::advance`].
    /// `notified` tells whether a handler is to run.
    pub fn peek(&mut self, notified: &dyn Fn(&TaskNode) -> bool) -> Option<(Place, Arc<TaskNode>)> {
        loop {
            let frame = self.frames.last_mut()?;
            match frame.current() {
                Some(Node::Task(task)) => {
                    if frame.handlers && !notified(task) {
                        frame.index += 1;
                        continue;
                    }
                    let task = task.clone();
                    return Some((self.place(), task));
                }
                Some(Node::Block(block)) => {
                    let block = block.clone();
                    let mut inner = Frame::new(block);
                    inner.goes_on = false;
                    self.frames.push(inner);
                }
                None => self.leave_part(),
            }
        }
    }

    /// Go on behind the current task.
    pub fn advance(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.index += 1;
        }
    }

    /// Put `blocks` in place of the rest of the current task: they run next. Their numbers are their order
    /// among everything that was included at this place, so that hosts which included the same file stay together.
    pub fn insert(&mut self, blocks: Vec<(u32, Arc<BlockNode>)>) {
        let items = blocks.into_iter().map(|(number, block)| (number, Node::Block(block))).collect();
        self.frames.push(Frame::new(Arc::new(BlockNode { items, ..BlockNode::default() })));
    }

    /// Run those of `handlers` that are notified, in their order, then go on behind the current task.
    pub fn flush(&mut self, handlers: Arc<BlockNode>, goes_on: bool) {
        let mut frame = Frame::new(handlers);
        frame.handlers = true;
        frame.goes_on = goes_on;
        self.frames.push(frame);
    }

    /// The current task has failed.
    pub fn fail(&mut self) -> Failure {
        while let Some(frame) = self.frames.last_mut() {
            if frame.handlers {
                if frame.goes_on {
                    frame.index += 1;
                    frame.failed = true;
                    return Failure::Unwinding;
                }
                self.frames.pop();
                continue;
            }
            match frame.part {
                Part::Items if !frame.block.rescue.is_empty() => {
                    frame.enter(Part::Rescue);
                    return Failure::Rescued;
                }
                Part::Items | Part::Rescue if !frame.block.always.is_empty() => {
                    frame.failed = true;
                    frame.enter(Part::Always);
                    // A rescue further out may still take care of it.
                    return if self.will_be_rescued() { Failure::Rescued } else { self.lost() };
                }
                _ => {
                    self.frames.pop();
                }
            }
        }
        self.failed = true;
        Failure::Final
    }

    fn lost(&mut self) -> Failure {
        self.failed = true;
        Failure::Unwinding
    }

    /// Is there a rescue around the innermost frame that a failure would reach?
    fn will_be_rescued(&self) -> bool {
        let outer = &self.frames[..self.frames.len().saturating_sub(1)];
        outer.iter().any(|f| f.part == Part::Items && !f.handlers && !f.block.rescue.is_empty())
    }

    /// Nothing more to run (`end_host`, `end_play`).
    pub fn end(&mut self) {
        self.frames.clear();
    }

    /// Leave the innermost role (`end_role`): go on behind the block of the role `is_role` recognises.
    pub fn end_role(&mut self, is_role: &dyn Fn(&BlockNode) -> bool) {
        let Some(depth) = self.frames.iter().rposition(|f| f.block.is_role_body && is_role(&f.block)) else {
            return self.advance();
        };
        self.frames.truncate(depth);
        self.advance();
    }

    /// Has the host failed, beyond any rescue?
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Forget that it has failed (`clear_host_errors`).
    pub fn clear_failure(&mut self) {
        self.failed = false;
        for frame in &mut self.frames {
            frame.failed = false;
        }
    }

    /// Is it in the middle of running handlers?
    pub fn in_handlers(&self) -> bool {
        self.frames.iter().any(|f| f.handlers)
    }

    /// Would a failure now be taken care of by a rescue?
    pub fn is_inside_rescuable(&self) -> bool {
        self.frames.iter().any(|f| f.part == Part::Items && !f.handlers && !f.block.rescue.is_empty())
    }

    /// Is it in a block that has `rescue` or `always`?
    pub fn is_catching(&self) -> bool {
        let catches = |f: &Frame| !(f.block.rescue.is_empty() && f.block.always.is_empty());
        self.frames.iter().any(|f| f.block.block.is_some() && catches(f))
    }

    /// Is it in a rescue part, at any depth?
    pub fn in_rescue(&self) -> bool {
        self.frames.iter().any(|f| f.part == Part::Rescue)
    }

    fn place(&self) -> Place {
        let mut place = Vec::with_capacity(self.frames.len() * 2);
        for frame in &self.frames {
            place.push(frame.part as u32);
            place.push(frame.number());
        }
        Place(place)
    }

    /// The current part has no more items.
    fn leave_part(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        match frame.part {
            Part::Items | Part::Rescue if !frame.block.always.is_empty() => frame.enter(Part::Always),
            _ => {
                let failed = frame.failed;
                self.frames.pop();
                if failed {
                    self.fail();
                } else {
                    self.advance();
                }
            }
        }
    }
}

impl Frame {
    fn new(block: Arc<BlockNode>) -> Self {
        Self { block, part: Part::Items, index: 0, failed: false, handlers: false, goes_on: false }
    }

    fn enter(&mut self, part: Part) {
        self.part = part;
        self.index = 0;
    }

    fn list(&self) -> &[(u32, Node)] {
        match self.part {
            Part::Items => &self.block.items,
            Part::Rescue => &self.block.rescue,
            Part::Always => &self.block.always,
        }
    }

    fn current(&self) -> Option<&Node> {
        self.list().get(self.index).map(|(_, node)| node)
    }

    fn number(&self) -> u32 {
        self.list().get(self.index).map_or(u32::MAX, |(number, _)| *number)
    }
}
