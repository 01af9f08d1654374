//! One step, done by this process itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use modules::{Blobs, Host, ModuleError, foreign};
use protocol::{Outcome, Step};
use serde_json::json;

use crate::desk::{News, Seat, Turn};
use crate::job;
use crate::panics;
use crate::start::Program;
use crate::together;

/// Where a step is done.
pub struct Place<'a> {
    pub tmp: &'a std::path::Path,
    pub blobs: Arc<dyn Blobs>,
    pub program: &'a Program,
}

/// Plan and, if allowed, apply. The outcomes are those of the steps that the seat has in hand: more than one if others
/// were done together with this one, and none if it was dropped, or nobody listens any more.
pub fn run(turn: &Turn, place: &Place<'_>, seat: &Seat) -> Vec<Outcome> {
    let step = &turn.step;
    if turn.cancelled.load(Ordering::Relaxed) {
        return if seat.is_dropped() { Vec::new() } else { vec![cancelled()] };
    }
    if step.background > 0 && !step.check {
        return match seat.ask() {
            News::Go => vec![job::start(step, place)],
            News::Cancelled => vec![cancelled()],
            _ => Vec::new(),
        };
    }
    let host = host_for(step, place);
    let limit = limit_of(step);
    let begun = Instant::now();
    let limited = host.clone().with_limits(turn.cancelled.clone(), limit.map(|l| begun + l));
    let mut plan = match plan(step, &limited) {
        Ok(plan) => plan,
        Err(outcome) => return vec![finish(turn, outcome, begun)],
    };
    let planning = begun.elapsed();
    if !plan.changes() || step.check {
        return vec![finish(turn, plan.outcome(), begun)];
    }
    match seat.ask() {
        News::Go => {}
        News::Cancelled => return vec![cancelled()],
        _ => return Vec::new(),
    }
    // Waiting for permission does not count.
    let begun = Instant::now().checked_sub(planning).unwrap_or_else(Instant::now);
    let limited = host.with_limits(turn.cancelled.clone(), limit.map(|l| begun + l));
    if let Some(share) = plan.share.take()
        && let Some(outcomes) = together::run(turn, share, place, seat, &limited)
    {
        return outcomes;
    }
    vec![carry_out(turn, plan, &limited, begun)]
}

/// Plan and apply a step that has permission.
pub fn alone(turn: &Turn, place: &Place<'_>) -> Outcome {
    if turn.cancelled.load(Ordering::Relaxed) {
        return cancelled();
    }
    let begun = Instant::now();
    let until = limit_of(&turn.step).map(|limit| begun + limit);
    let host = host_for(&turn.step, place).with_limits(turn.cancelled.clone(), until);
    match plan(&turn.step, &host) {
        Ok(plan) => carry_out(turn, plan, &host, begun),
        Err(outcome) => finish(turn, outcome, begun),
    }
}

fn carry_out(turn: &Turn, plan: modules::Plan, host: &Host, begun: Instant) -> Outcome {
    let outcome = panics::catch(|| plan.carry_out(host)).unwrap_or_else(|text| panicked(&turn.step, &text));
    finish(turn, outcome, begun)
}

fn limit_of(step: &Step) -> Option<Duration> {
    (step.timeout > 0).then(|| Duration::from_secs(step.timeout))
}

/// The host as this step sees it.
pub fn host_for(step: &Step, place: &Place<'_>) -> Host {
    Host::new(place.tmp)
        .with_environment(step.environment.clone())
        .with_modes(step.check, step.diff)
        .with_python(step.python.clone())
        .with_blobs(place.blobs.clone())
}

/// Plan a step; failures of every kind are outcomes.
pub fn plan(step: &Step, host: &Host) -> Result<modules::Plan, Outcome> {
    if step.module == foreign::STEP {
        return match panics::catch(|| foreign::plan(&step.args, host)) {
            Ok(planned) => planned.map_err(ModuleError::into_outcome),
            Err(text) => Err(panicked(step, &text)),
        };
    }
    if let Some(name) = &step.python
        && let Some(outcome) = foreign::check_interpreter(name, host)
    {
        return Err(outcome);
    }
    let Some(entry) = modules::find(&step.module) else {
        return Err(Outcome::failure(format!("there is no module {} in this agent", step.module)));
    };
    match panics::catch(|| (entry.plan)(&step.args, host)) {
        Ok(planned) => planned.map_err(ModuleError::into_outcome),
        Err(text) => Err(panicked(step, &text)),
    }
}

fn finish(turn: &Turn, mut outcome: Outcome, begun: Instant) -> Outcome {
    let elapsed = begun.elapsed();
    if outcome.failed() && limit_of(&turn.step).is_some_and(|l| elapsed >= l) {
        outcome = timed_out(turn.step.timeout);
    } else if outcome.failed() && turn.cancelled.load(Ordering::Relaxed) {
        outcome = cancelled();
    }
    outcome.elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if let Some(entry) = modules::find(&turn.step.module) {
        modules::secrets::hide(entry, &turn.step.args, &mut outcome);
    }
    outcome
}

/// A bug in a module fails its step, with what is known about it.
pub fn panicked(step: &Step, text: &str) -> Outcome {
    let mut outcome = Outcome::failure(format!("the module {} has a bug: {text}", step.module));
    outcome.result.insert("exception".into(), text.into());
    outcome
}

fn cancelled() -> Outcome {
    Outcome::failure("The task was cancelled")
}

fn timed_out(seconds: u64) -> Outcome {
    let mut outcome = Outcome::failure(format!("Task failed: Timed out after {seconds} second(s)."));
    outcome.result.insert("timedout".into(), json!({"period": seconds}));
    outcome
}
