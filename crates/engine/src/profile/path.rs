//! The critical path through the turns of a run.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use super::{Leg, Moment, Parts, Turn};

/// What had to wait for what, from the first turn to the last, and what the time went to up to `end`. A turn's
/// time counts from the end of the one before it.
pub fn critical(turns: &[Turn], end: &Moment) -> (Vec<Leg>, Parts) {
    let mut by_end: Vec<&Turn> = turns.iter().collect();
    by_end.sort_by_key(|turn| (turn.end.at, turn.start.at));
    let mut of_host: HashMap<&Rc<str>, Vec<usize>> = HashMap::new();
    for (index, turn) in by_end.iter().enumerate() {
        of_host.entry(&turn.host).or_default().push(index);
    }
    let before = |index: usize| -> Option<usize> {
        let turn = by_end[index];
        let own = &of_host[&turn.host];
        let own = &own[..own.partition_point(|&i| i < index && by_end[i].end.at <= turn.start.at)];
        let any = by_end[..index].partition_point(|other| other.end.at <= turn.start.at).checked_sub(1);
        if turn.barrier { any } else { own.last().copied().or(any) }
    };
    let mut chain = Vec::new();
    let mut next = by_end.len().checked_sub(1);
    while let Some(index) = next {
        chain.push(by_end[index]);
        next = before(index);
    }
    let mut parts = Parts::default();
    let mut last = Moment::default();
    let mut path = Vec::with_capacity(chain.len());
    for turn in chain.into_iter().rev() {
        let own = split(&last, &turn.end, turn.connecting, turn.modules);
        parts.add(&own);
        path.push(Leg { task: turn.task.clone(), host: turn.host.to_string(), start: last.at, parts: own });
        last = turn.end;
    }
    parts.add(&split(&last, end, Duration::ZERO, Duration::ZERO));
    (path, parts)
}

/// What the time between two moments went to.
fn split(from: &Moment, to: &Moment, connecting: Duration, modules: Duration) -> Parts {
    let mut rest = to.at.saturating_sub(from.at);
    let mut take = |wanted: Duration| {
        let taken = wanted.min(rest);
        rest -= taken;
        taken
    };
    let evaluation = to.evaluation.saturating_sub(from.evaluation);
    let output = to.output.saturating_sub(from.output);
    let own = to.cpu.saturating_sub(from.cpu).saturating_sub(evaluation).saturating_sub(output);
    let evaluation = take(evaluation);
    let output = take(output);
    let dispatch = take(own);
    let connecting = take(connecting);
    let modules = take(modules);
    Parts { connecting, modules, evaluation, output, dispatch, waiting: rest }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::TaskInfo;

    fn moment(at: u64) -> Moment {
        Moment { at: Duration::from_millis(at), ..Moment::default() }
    }

    fn turn(title: &str, host: &str, start: u64, end: u64, modules: u64, barrier: bool) -> Turn {
        Turn {
            task: Arc::new(TaskInfo { title: title.into(), ..TaskInfo::default() }),
            host: host.into(),
            start: moment(start),
            end: moment(end),
            connecting: Duration::ZERO,
            modules: Duration::from_millis(modules),
            barrier,
        }
    }

    fn names(path: &[Leg]) -> Vec<String> {
        path.iter().map(|leg| format!("{} {}", leg.task.title, leg.host)).collect()
    }

    #[test]
    fn behind_a_barrier_the_slowest_host_counts() {
        let turns = [
            turn("one", "a", 0, 10, 5, true),
            turn("one", "b", 0, 30, 20, true),
            turn("two", "a", 30, 70, 40, true),
            turn("two", "b", 30, 35, 5, true),
        ];
        let (path, parts) = critical(&turns, &moment(75));
        assert_eq!(names(&path), ["one b", "two a"]);
        assert_eq!(parts.modules, Duration::from_millis(60));
        assert_eq!(parts.waiting, Duration::from_millis(15));
        assert_eq!(parts.total(), Duration::from_millis(75));
    }

    #[test]
    fn without_barriers_a_host_only_waits_for_itself() {
        let turns = [
            turn("one", "a", 0, 10, 10, false),
            turn("one", "b", 0, 40, 40, false),
            turn("two", "a", 10, 90, 80, false),
            turn("two", "b", 40, 60, 20, false),
        ];
        let (path, parts) = critical(&turns, &moment(90));
        assert_eq!(names(&path), ["one a", "two a"]);
        assert_eq!(parts.modules, Duration::from_millis(90));
    }

    #[test]
    fn turns_without_length_end_the_path_and_not_the_program() {
        let turns: Vec<Turn> = (0..5).map(|_| turn("none", "a", 3, 3, 0, true)).collect();
        let (path, parts) = critical(&turns, &moment(3));
        assert_eq!(path.len(), 5);
        assert_eq!(parts.total(), Duration::from_millis(3));
    }

    #[test]
    fn parts_never_add_up_to_more_than_the_time() {
        let mut busy = turn("one", "a", 0, 10, 50, true);
        busy.connecting = Duration::from_millis(4);
        busy.end.evaluation = Duration::from_millis(3);
        busy.end.output = Duration::from_millis(1);
        busy.end.cpu = Duration::from_millis(5);
        let parts = critical(&[busy], &moment(10)).1;
        let ms = Duration::from_millis;
        let expected = Parts {
            connecting: ms(4),
            modules: ms(1),
            evaluation: ms(3),
            output: ms(1),
            dispatch: ms(1),
            waiting: ms(0),
        };
        assert_eq!(parts, expected);
    }
}
