//! Asks on the terminal, and remembers the password that was given: sudo wants it again.

use std::sync::{Arc, Mutex, PoisonError};

use protocol::Secret;
use transport::{BoxFuture, Prompter, Question, UnknownHostKey};

use crate::cli::terminal::Terminal;

pub struct Asker {
    terminal: Arc<Terminal>,
    password: Mutex<Option<Secret>>,
}

impl Asker {
    pub fn new(terminal: Arc<Terminal>) -> Self {
        Self { terminal, password: Mutex::default() }
    }

    /// The last password that somebody typed to log in.
    pub fn typed(&self) -> Option<Secret> {
        self.password.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Prompter for Asker {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(async move {
            let answer = self.terminal.ask(question).await;
            let is_password =
                matches!(question, Question::Password { .. } | Question::Interactive { echo: false, .. });
            if is_password && answer.is_some() {
                self.password.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&answer);
            }
            answer
        })
    }

    fn accept_host_key<'a>(&'a self, key: &'a UnknownHostKey) -> BoxFuture<'a, bool> {
        self.terminal.accept_host_key(key)
    }

    fn banner(&self, host: &str, text: &str) {
        self.terminal.banner(host, text);
    }
}
