//! The time a connection may take, not counting the time people think.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A deadline that stands still while somebody is asked.
#[derive(Clone, Debug)]
pub struct Clock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    deadline: Instant,
    /// How many questions are open, and since when.
    questions: usize,
    since: Instant,
}

/// The clock stands while this exists.
pub struct Paused {
    clock: Clock,
}

impl Clock {
    /// A clock that runs out in `time`.
    pub fn new(time: Duration) -> Self {
        let now = Instant::now();
        let deadline = now + time.min(Duration::from_secs(86400));
        Self { state: Arc::new(Mutex::new(State { deadline, questions: 0, since: now })) }
    }

    /// Stop the clock while a question is open.
    pub fn pause(&self) -> Paused {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.questions == 0 {
            state.since = Instant::now();
        }
        state.questions += 1;
        Paused { clock: self.clone() }
    }

    /// Time left; `None` while the clock stands.
    fn left(&self) -> Option<Duration> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.questions == 0).then(|| state.deadline.saturating_duration_since(Instant::now()))
    }

    /// Wait for `work`; `None` when the time is over first.
    pub async fn limit<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            let wait = match self.left() {
                Some(Duration::ZERO) => return None,
                Some(left) => left,
                None => Duration::from_millis(100),
            };
            if let Ok(done) = tokio::time::timeout(wait, &mut work).await {
                return Some(done);
            }
        }
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let mut state = self.clock.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.questions -= 1;
        if state.questions == 0 {
            let thought = state.since.elapsed();
            state.deadline += thought;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_stops_the_clock() {
        let clock = Clock::new(Duration::from_millis(100));
        let asked = clock.clone();
        let work = async move {
            let _paused = asked.pause();
            tokio::time::sleep(Duration::from_millis(250)).await;
            7
        };
        assert_eq!(clock.limit(work).await, Some(7));
        assert_eq!(clock.limit(std::future::pending::<()>()).await, None);
    }
}
