//! Steps that are done together, in one transaction.

use std::time::Instant;

use modules::{Host, Made, Share, Transaction};
use protocol::{Outcome, Step};

use crate::desk::{Seat, Turn};
use crate::panics;
use crate::step::{self, Place};

/// What steps of one transaction have in common; `None` for a step that is always done by itself.
pub fn in_common(step: &Step) -> Option<String> {
    let plain = step.after.is_some() && !step.check && step.background == 0 && step.timeout == 0;
    let module = modules::find(&step.module).filter(|_| plain)?;
    (module.transaction)(&step.args)
}

/// Which steps may be in one transaction with `first`, as far as this can be known without the host; `None` if it is always
/// done by itself.
pub fn fits(first: &Step) -> Option<impl Fn(&Step) -> bool> {
    let common = in_common(first)?;
    Some(move |other: &Step| {
        other.r#become == first.r#become
            && other.environment == first.environment
            && other.python == first.python
            && in_common(other).is_some_and(|theirs| theirs == common)
    })
}

/// Carry out the plan of the step in hand together with those of queued steps. The outcomes are those of the steps that
/// the seat then has in hand, in their order; `None` if there is nothing that can be done with it.
pub fn run(first: &Turn, share: Share, place: &Place<'_>, seat: &Seat, host: &Host) -> Option<Vec<Outcome>> {
    let fits = fits(&first.step)?;
    let mut transaction = Transaction::new(share);
    let mut fellows = Vec::new();
    while let Some(fellow) = seat.join(&fits) {
        let plan = step::plan(&fellow.step, &step::host_for(&fellow.step, place)).ok();
        let Some(share) = plan.and_then(|plan| plan.share) else {
            seat.hand_back(fellow.step);
            break;
        };
        transaction.add(share);
        fellows.push(fellow);
    }
    let together = transaction.agree(host);
    let alone = transaction.bringing() < 2;
    let kept = if alone { 0 } else { together - 1 };
    fellows.drain(kept..).for_each(|fellow| seat.hand_back(fellow.step));
    if alone || !seat.begin() {
        return None;
    }
    let begun = Instant::now();
    // A bug in it leaves each step to itself.
    let done = panics::catch(|| transaction.carry_out(host)).is_ok();
    let elapsed = begun.elapsed().as_micros() / transaction.bringing().max(1) as u128;
    let mut outcomes = Vec::new();
    let mut failed = false;
    let mut settle = |number: usize, turn: &Turn| {
        let theirs = step::host_for(&turn.step, place);
        let made = if done { transaction.made(number, &theirs) } else { Made::Nothing };
        let outcome = match made {
            Made::All(outcome) => {
                Outcome { elapsed_us: u64::try_from(elapsed).unwrap_or(u64::MAX), ..outcome }
            }
            // It comes behind a failure, and nothing of it is there.
            Made::Nothing if failed => return false,
            Made::Part | Made::Nothing => step::alone(turn, place),
        };
        failed |= outcome.failed() && !turn.step.continue_on_failure;
        outcomes.push(outcome);
        true
    };
    settle(0, first);
    for (number, fellow) in fellows.into_iter().enumerate() {
        if !settle(number + 1, &fellow) {
            seat.hand_back(fellow.step);
        }
    }
    Some(outcomes)
}
