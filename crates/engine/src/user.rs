//! The person in front of the terminal, as far as a run has questions.

use futures::future::LocalBoxFuture;

/// An answer to `--step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepAnswer {
    Yes,
    No,
    /// Yes, and do not ask again.
    Continue,
}

/// What a pause shows, and how long it takes.
#[derive(Clone, Debug, Default)]
pub struct PauseQuestion {
    /// Shown while there is somebody to answer.
    pub prompt: Option<String>,
    /// Go on by itself after so many seconds; without it, after a line.
    pub seconds: Option<u64>,
    /// Whether what is typed can be seen.
    pub echo: bool,
}

/// What a pause ended with.
#[derive(Clone, Debug, Default)]
pub struct PauseAnswer {
    /// What was typed.
    pub text: String,
    /// The user wants the run to end (`a` after Ctrl-C).
    pub abort: bool,
}

/// Asked by the engine; the command implements it.
pub trait User {
    /// Is there somebody who could answer?
    fn is_interactive(&self) -> bool;

    /// Show text that is no event.
    fn show(&self, text: &str);

    /// Wait for a line, or for some time.
    fn pause(&self, question: &PauseQuestion) -> LocalBoxFuture<'_, PauseAnswer>;

    /// `--step`: run this task?
    fn step(&self, task: &str) -> LocalBoxFuture<'_, StepAnswer>;

    /// A variable of `vars_prompt`.
    fn prompt(&self, prompt: &VarsPrompt) -> LocalBoxFuture<'_, Option<String>>;

    /// The task debugger: `None` to go on, else what to do.
    fn debug(&self, question: &str) -> LocalBoxFuture<'_, Option<String>>;
}

/// A variable to ask for.
#[derive(Clone, Debug)]
pub struct VarsPrompt {
    pub text: String,
    pub private: bool,
    pub confirm: bool,
    pub default: Option<String>,
}

/// Nobody is there.
pub struct Nobody;

impl User for Nobody {
    fn is_interactive(&self) -> bool {
        false
    }

    fn show(&self, _: &str) {}

    fn pause(&self, question: &PauseQuestion) -> LocalBoxFuture<'_, PauseAnswer> {
        let seconds = question.seconds.unwrap_or(0);
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            PauseAnswer::default()
        })
    }

    fn step(&self, _: &str) -> LocalBoxFuture<'_, StepAnswer> {
        Box::pin(std::future::ready(StepAnswer::No))
    }

    fn prompt(&self, _: &VarsPrompt) -> LocalBoxFuture<'_, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    fn debug(&self, _: &str) -> LocalBoxFuture<'_, Option<String>> {
        Box::pin(std::future::ready(None))
    }
}
