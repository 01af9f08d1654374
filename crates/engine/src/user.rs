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

/// What a pause ended with.
#[derive(Clone, Debug, Default)]
pub struct PauseAnswer {
    /// What was typed.
    pub text: String,
    /// The user wants the run to end (`a` after Ctrl-C).
    pub abort: bool,
    /// There is nobody to ask.
    pub not_interactive: bool,
}

/// Asked by the engine; the command implements it.
pub trait User {
    /// Show `prompt`, then wait for a line, or for `seconds`.
    fn pause(&self, prompt: &str, seconds: Option<u64>, echo: bool) -> LocalBoxFuture<'_, PauseAnswer>;

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
    fn pause(&self, _: &str, seconds: Option<u64>, _: bool) -> LocalBoxFuture<'_, PauseAnswer> {
        Box::pin(async move {
            if let Some(seconds) = seconds {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            }
            PauseAnswer { not_interactive: true, ..PauseAnswer::default() }
        })
    }

    fn step(&self, _: &str) -> LocalBoxFuture<'_, StepAnswer> {
        Box::pin(std::future::ready(StepAnswer::No))
    }

    fn prompt(&self, prompt: &VarsPrompt) -> LocalBoxFuture<'_, Option<String>> {
        let default = prompt.default.clone();
        Box::pin(std::future::ready(default))
    }

    fn debug(&self, _: &str) -> LocalBoxFuture<'_, Option<String>> {
        Box::pin(std::future::ready(None))
    }
}
