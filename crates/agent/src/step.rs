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

/// Where a step is done.
pub struct Place<'a> {
    pub tmp: &'a std::path::Path,
    pub blobs: Arc<dyn Blobs>,
    pub program: &'a Program,
}

/// Plan and, if allowed, apply. `None`: the step was dropped, or nobody listens any more.
pub fn run(turn: &Turn, place: &Place<'_>, seat: &Seat) -> Option<Outcome> {
    let step = &turn.step;
    if turn.cancelled.load(Ordering::Relaxed) {
        return if seat.is_dropped() { None } else { Some(cancelled()) };
    }
    if step.background > 0 && !step.check {
        return match seat.ask() {
            News::Go => Some(job::start(step, place)),
            News::Cancelled => Some(cancelled()),
            _ => None,
        };
    }
    let host = host_for(step, place);
    let limit = (step.timeout > 0).then(|| Duration::from_secs(step.timeout));
    let begun = Instant::now();
    let limited = host.clone().with_limits(turn.cancelled.clone(), limit.map(|l| begun + l));
    let plan = match plan(step, &limited) {
        Ok(plan) => plan,
        Err(outcome) => return finish(turn, outcome, begun, limit),
    };
    let planning = begun.elapsed();
    if !plan.changes() || step.check {
        return finish(turn, plan.outcome(), begun, limit);
    }
    match seat.ask() {
        News::Go => {}
        News::Cancelled => return Some(cancelled()),
        _ => return None,
    }
    // Waiting for permission does not count.
    let begun = Instant::now().checked_sub(planning).unwrap_or_else(Instant::now);
    let limited = host.with_limits(turn.cancelled.clone(), limit.map(|l| begun + l));
    let outcome = panics::catch(|| plan.carry_out(&limited)).unwrap_or_else(|text| panicked(step, &text));
    finish(turn, outcome, begun, limit)
}

/// The host as this step sees it.
pub fn host_for(step: &Step, place: &Place<'_>) -> Host {
    Host::new(place.tmp)
        .with_environment(step.environment.clone())
        .with_modes(step.check, step.diff)
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

fn finish(turn: &Turn, mut outcome: Outcome, begun: Instant, limit: Option<Duration>) -> Option<Outcome> {
    let elapsed = begun.elapsed();
    if outcome.failed() && limit.is_some_and(|l| elapsed >= l) {
        outcome = timed_out(turn.step.timeout);
    } else if outcome.failed() && turn.cancelled.load(Ordering::Relaxed) {
        outcome = cancelled();
    }
    outcome.elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    Some(outcome)
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
