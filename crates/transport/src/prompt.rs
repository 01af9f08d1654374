//! Questions to the person in front of the terminal. The library never reads one itself.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use protocol::Secret;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a connection needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The passphrase of an encrypted key file.
    Passphrase { file: PathBuf },
    /// The password of `user` on `host`.
    Password { user: String, host: String },
    /// One prompt of keyboard-interactive authentication, in the server's words (already freed from
    /// control characters). `echo`: what is typed may be seen.
    Interactive { user: String, host: String, name: String, instructions: String, prompt: String, echo: bool },
}

/// A host shows a key that `known_hosts` does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownHostKey {
    /// The name as `known_hosts` writes it: `host` or `[host]:port`.
    pub host: String,
    /// `ssh-ed25519`, `ssh-rsa` ...
    pub key_type: String,
    /// `SHA256:` and base64.
    pub fingerprint: String,
}

/// Answers questions while connecting; the command asks on a terminal, tests from a table.
///
/// Many hosts are connected to at once: an implementation asks one thing at a time.
pub trait Prompter: Send + Sync {
    /// The answer, or `None` when there is nobody to ask.
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Option<Secret>>;

    /// Is this the host's key? Only asked when `StrictHostKeyChecking` is `ask`.
    fn accept_host_key<'a>(&'a self, key: &'a UnknownHostKey) -> BoxFuture<'a, bool>;

    /// Text the server shows before login. Nothing by default.
    fn banner(&self, _host: &str, _text: &str) {}
}

/// Nobody to ask: every question goes unanswered, unknown host keys are refused.
pub struct NoPrompter;

impl Prompter for NoPrompter {
    fn ask<'a>(&'a self, _question: &'a Question) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(std::future::ready(None))
    }

    fn accept_host_key<'a>(&'a self, _key: &'a UnknownHostKey) -> BoxFuture<'a, bool> {
        Box::pin(std::future::ready(false))
    }
}
