//! The order of what a host has been sent: which steps a further step has to follow.

use std::collections::HashSet;

use super::build::between;
use super::{Reason, Spec, Touches};

/// Steps that were sent and may not be done yet.
#[derive(Default)]
pub struct Order {
    placed: Vec<Placed>,
}

struct Placed {
    spec: Spec,
    /// The last of its steps: they are done one after the other.
    last: u64,
    /// Nobody knows yet whether it has failed, even when its steps are done.
    open: bool,
    /// Numbers of all that come before it.
    before: HashSet<usize>,
}

/// The steps that a step comes behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    pub after: Vec<u64>,
    /// Those of them that it may be in one transaction with.
    pub together: Vec<u64>,
}

impl Behind {
    /// The place of a loop's next item, behind the step of the last one: they are done one after the other.
    pub fn item(step: u64, touches: &Touches) -> Self {
        let together = if touches.transaction.is_some() { vec![step] } else { Vec::new() };
        Self { after: vec![step], together }
    }
}

/// What a task has to wait for.
#[derive(Debug, PartialEq, Eq)]
pub struct Follows {
    /// `None`: everything before it, and everything behind it waits for it.
    pub behind: Option<Behind>,
    /// The verdict on a task before it is open.
    pub open: bool,
    before: HashSet<usize>,
}

/// What is known of a task that is going to be sent.
pub struct Sent {
    pub id: u64,
    pub barrier: bool,
    pub touches: Touches,
    /// It says what it needs.
    pub says_needs: bool,
    /// The tasks it needs.
    pub needs: Vec<u64>,
}

impl Sent {
    fn spec(&self) -> Spec {
        Spec {
            id: self.id,
            barrier: self.barrier.then(String::new),
            touches: self.touches.clone(),
            needs: self.says_needs.then(Vec::new),
            ..Spec::default()
        }
    }
}

impl Order {
    /// What a task that comes behind all others has to follow.
    pub fn follows(&self, sent: &Sent) -> Follows {
        if sent.barrier {
            return Follows {
                behind: None,
                open: self.placed.iter().any(|p| p.open),
                before: (0..self.placed.len()).collect(),
            };
        }
        let spec = sent.spec();
        let mut before: HashSet<usize> = HashSet::new();
        let mut behind = Behind::default();
        for (at, earlier) in self.placed.iter().enumerate().rev() {
            if before.contains(&at) {
                continue;
            }
            let needed = sent.needs.contains(&earlier.spec.id);
            let reasons = between(&earlier.spec, &spec);
            if needed || !reasons.is_empty() {
                behind.after.push(earlier.last);
                if !needed && matches!(reasons[..], [Reason::Transaction(_)]) {
                    behind.together.push(earlier.last);
                }
                before.insert(at);
                before.extend(&earlier.before);
            }
        }
        behind.after.reverse();
        let open = before.iter().any(|at| self.placed[*at].open);
        Follows { behind: Some(behind), open, before }
    }

    /// It has been sent.
    pub fn place(&mut self, sent: &Sent, follows: Follows, last: u64, open: bool) {
        self.placed.push(Placed { spec: sent.spec(), last, open, before: follows.before });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(id: u64, module: &str, args: serde_json::Value) -> Sent {
        let touches = Touches::of(module, args.as_object().expect("an object"), None);
        Sent { id, barrier: false, touches, says_needs: false, needs: Vec::new() }
    }

    fn file(id: u64, path: &str) -> Sent {
        sent(id, "file", json!({"path": path, "state": "touch"}))
    }

    /// The steps that each of the tasks follows; its own step has ten times its number.
    fn behind(tasks: &[Sent]) -> Vec<Option<Behind>> {
        let mut order = Order::default();
        tasks
            .iter()
            .map(|task| {
                let follows = order.follows(task);
                let behind = follows.behind.clone();
                order.place(task, follows, task.id * 10, false);
                behind
            })
            .collect()
    }

    fn after(tasks: &[Sent]) -> Vec<Option<Vec<u64>>> {
        behind(tasks).into_iter().map(|behind| behind.map(|b| b.after)).collect()
    }

    #[test]
    fn packages_may_be_in_one_transaction_unless_something_stands_between_them() {
        let apt = |id, name: &str| sent(id, "apt", json!({"name": name}));
        let needing = Sent { says_needs: true, needs: vec![5], ..apt(6, "e") };
        let other = sent(7, "apt", json!({"name": "f", "default_release": "sid"}));
        let tasks = [apt(1, "a"), apt(2, "b"), file(3, "/a"), apt(4, "c"), apt(5, "d"), needing, other];
        let together: Vec<Vec<u64>> = behind(&tasks).into_iter().flatten().map(|b| b.together).collect();
        assert_eq!(together, [vec![], vec![10], vec![], vec![], vec![40], vec![], vec![]]);
    }

    #[test]
    fn follows_only_what_it_meets() {
        let tasks = [file(1, "/a"), file(2, "/b"), file(3, "/a"), file(4, "/a"), file(5, "/")];
        let expected = [vec![], vec![], vec![10], vec![30], vec![20, 40]].map(Some);
        assert_eq!(after(&tasks), expected);
    }

    #[test]
    fn a_barrier_is_alone() {
        let barrier = Sent { barrier: true, ..file(2, "/b") };
        assert_eq!(after(&[file(1, "/a"), barrier, file(3, "/c")]), [Some(vec![]), None, Some(vec![20])]);
    }

    #[test]
    fn needs_are_followed_and_free_from_the_unknown() {
        let command = |id| sent(id, "command", json!({"cmd": "true"}));
        let needing = Sent { says_needs: true, needs: vec![1], ..command(4) };
        let tasks = [file(1, "/a"), file(2, "/b"), command(3), needing, file(5, "/c")];
        let expected = [vec![], vec![], vec![10, 20], vec![10], vec![30, 40]].map(Some);
        assert_eq!(after(&tasks), expected);
    }

    #[test]
    fn an_open_verdict_counts_for_those_behind_it() {
        let mut order = Order::default();
        let first = file(1, "/a");
        let follows = order.follows(&first);
        order.place(&first, follows, 10, true);
        assert!(!order.follows(&file(2, "/b")).open);
        assert!(order.follows(&file(3, "/a")).open);
        assert!(order.follows(&Sent { barrier: true, ..file(4, "/b") }).open);
    }
}
