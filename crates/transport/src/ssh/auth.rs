//! Logging in: the methods and keys in ssh's order, without a probe and without asking what is not needed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use protocol::Secret;
use russh::MethodKind;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::{Algorithm, HashAlg};

use super::algorithms;
use super::config::Settings;
use super::handler::{Findings, Handler};
use super::identities::{self, Identities, Identity, Source};
use super::keys::Passphrases;
use super::signed;
use super::signer::FileSigner;
use crate::clock::Clock;
use crate::error::SshError;
use crate::prompt::{Prompter, Question};

/// What the inventory gives to log in with.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub password: Option<Secret>,
    pub passphrase: Option<Secret>,
}

pub struct Login<'a> {
    pub handle: &'a mut Handle<Handler>,
    pub settings: &'a Settings,
    pub secrets: &'a Secrets,
    pub prompter: &'a Arc<dyn Prompter>,
    pub findings: &'a Findings,
    pub clock: &'a Clock,
    tried: Vec<String>,
    /// What the server would accept; not known before the first answer.
    offered: Option<Vec<MethodKind>>,
    rsa_hash: Option<Option<HashAlg>>,
}

enum Step {
    In,
    /// Right, but more is wanted.
    Partly,
    No,
}

impl<'a> Login<'a> {
    pub fn new(
        handle: &'a mut Handle<Handler>,
        settings: &'a Settings,
        secrets: &'a Secrets,
        prompter: &'a Arc<dyn Prompter>,
        findings: &'a Findings,
        clock: &'a Clock,
    ) -> Self {
        Self {
            handle,
            settings,
            secrets,
            prompter,
            findings,
            clock,
            tried: Vec::new(),
            offered: None,
            rsa_hash: None,
        }
    }

    /// Log in, or say what was tried.
    pub async fn run(mut self) -> Result<(), SshError> {
        let mut identities = None;
        // Each method may be wanted once more after another succeeded in part.
        'again: for _ in 0..8 {
            for method in self.methods() {
                if self.handle.is_closed() {
                    break 'again;
                }
                if self.offered.as_ref().is_some_and(|offered| !offered.contains(&method)) {
                    continue;
                }
                let step = match method {
                    MethodKind::PublicKey => {
                        let known = match identities.as_mut() {
                            Some(known) => known,
                            None => identities.insert(self.identities().await),
                        };
                        self.public_keys(known).await?
                    }
                    MethodKind::Password => self.password().await?,
                    _ => self.keyboard_interactive().await?,
                };
                match step {
                    Step::In => return Ok(()),
                    Step::Partly => continue 'again,
                    Step::No => {}
                }
            }
            break;
        }
        Err(self.denied())
    }

    fn methods(&self) -> Vec<MethodKind> {
        let settings = self.settings;
        let mut methods: Vec<MethodKind> = settings
            .preferred_methods
            .iter()
            .filter_map(|name| match name.as_str() {
                "publickey" if settings.publickey => Some(MethodKind::PublicKey),
                "password" if settings.password => Some(MethodKind::Password),
                "keyboard-interactive" if settings.keyboard_interactive => {
                    Some(MethodKind::KeyboardInteractive)
                }
                _ => None,
            })
            .collect();
        if self.secrets.password.is_some() && !settings.methods_named {
            // The password is known: `password` takes one round trip, `keyboard-interactive` two.
            methods.sort_by_key(|m| matches!(m, MethodKind::KeyboardInteractive));
        }
        if self.findings.key_changed.load(Ordering::Relaxed) {
            methods.retain(|m| matches!(m, MethodKind::PublicKey));
        }
        methods
    }

    fn denied(&self) -> SshError {
        let offered = self.offered.iter().flatten().map(String::from).collect();
        let mut tried = self.tried.clone();
        if self.handle.is_closed() {
            tried.extend(self.findings.reason().map(|reason| format!("then: {reason}")));
        }
        let settings = self.settings;
        SshError::Denied { user: settings.user.clone(), host: settings.original.clone(), offered, tried }
    }

    fn lost(&self, error: impl ToString) -> SshError {
        let reason = self.findings.reason().unwrap_or_else(|| error.to_string());
        SshError::Closed { host: self.settings.host.clone(), reason }
    }

    fn take(&mut self, result: AuthResult) -> Step {
        match result {
            AuthResult::Success => Step::In,
            AuthResult::Failure { remaining_methods, partial_success } => {
                if !(remaining_methods.is_empty() && self.handle.is_closed()) {
                    self.offered = Some(remaining_methods.to_vec());
                }
                if partial_success { Step::Partly } else { Step::No }
            }
        }
    }

    fn passphrases(&self) -> Passphrases<'a> {
        let prompts = if self.settings.batch_mode { 0 } else { self.settings.password_prompts };
        let (secrets, prompter): (&'a Secrets, &'a Arc<dyn Prompter>) = (self.secrets, self.prompter);
        Passphrases {
            given: secrets.passphrase.as_ref(),
            prompter: prompter.as_ref(),
            prompts,
            clock: self.clock,
        }
    }

    async fn identities(&mut self) -> Identities {
        let binding = self.handle.agent_session_binding();
        let found = identities::collect(self.settings, binding).await;
        self.tried.extend(found.unusable.iter().cloned());
        found
    }

    async fn public_keys(&mut self, identities: &mut Identities) -> Result<Step, SshError> {
        while !identities.list.is_empty() {
            let identity = identities.list.remove(0);
            let agent = &mut identities.agent;
            let step = self.public_key(identity, agent).await?;
            if !matches!(step, Step::No) {
                return Ok(step);
            }
            let still = self.offered.as_ref().is_none_or(|o| o.contains(&MethodKind::PublicKey));
            if self.handle.is_closed() || !still {
                break;
            }
        }
        Ok(Step::No)
    }

    async fn public_key(
        &mut self,
        identity: Identity,
        agent: &mut Option<identities::Agent>,
    ) -> Result<Step, SshError> {
        let accepted = algorithms::accepted_for_login(self.settings);
        let Some(key) = self.public_half(&identity).await else {
            self.tried.push(format!("key {} (its passphrase is not known)", identity.name));
            return Ok(Step::No);
        };
        let algorithm = key.public_key().algorithm();
        let hash = match algorithm {
            Algorithm::Rsa { .. } => {
                let server = match self.rsa_hash {
                    Some(known) => Some(known),
                    None => self.handle.best_supported_rsa_hash().await.ok().flatten(),
                };
                self.rsa_hash = server;
                match algorithms::rsa_hash(&accepted, server) {
                    Some(hash) => hash,
                    None => return Ok(Step::No),
                }
            }
            other if accepted.contains(&other.as_str()) => None,
            _ => return Ok(Step::No),
        };
        let user = self.settings.user.clone();
        let ahead = signed::is_cheap(&identity);
        let result = match &identity.source {
            Source::Agent => {
                let Some(agent) = agent.as_mut() else { return Ok(Step::No) };
                match &key {
                    AgentIdentity::PublicKey { .. } if ahead => {
                        signed::authenticate(self.handle, &user, &key, hash, agent).await
                    }
                    AgentIdentity::PublicKey { key, .. } => self
                        .handle
                        .authenticate_publickey_with(user, key.clone(), hash, agent)
                        .await
                        .map_err(|e| e.to_string()),
                    AgentIdentity::Certificate { certificate, .. } => self
                        .handle
                        .authenticate_certificate_with(user, certificate.clone(), hash, agent)
                        .await
                        .map_err(|e| e.to_string()),
                }
            }
            Source::File(file) => {
                let mut signer = FileSigner { file, passphrases: self.passphrases() };
                match &key {
                    AgentIdentity::PublicKey { .. } if ahead => {
                        signed::authenticate(self.handle, &user, &key, hash, &mut signer).await
                    }
                    AgentIdentity::PublicKey { key, .. } => self
                        .handle
                        .authenticate_publickey_with(user, key.clone(), hash, &mut signer)
                        .await
                        .map_err(|e| e.to_string()),
                    AgentIdentity::Certificate { certificate, .. } => self
                        .handle
                        .authenticate_certificate_with(user, certificate.clone(), hash, &mut signer)
                        .await
                        .map_err(|e| e.to_string()),
                }
            }
        };
        match result {
            Ok(result) => {
                let step = self.take(result);
                if matches!(step, Step::No) {
                    self.tried.push(format!("key {}", identity.name));
                }
                Ok(step)
            }
            // The attempt was given up, the connection goes on.
            Err(reason) if !self.handle.is_closed() => {
                self.tried.push(format!("key {} ({reason})", identity.name));
                Ok(Step::No)
            }
            Err(reason) => Err(self.lost(reason)),
        }
    }

    /// The public half; for old encrypted formats without a `.pub` beside it needs the passphrase.
    async fn public_half(&self, identity: &Identity) -> Option<AgentIdentity> {
        if let Some(key) = &identity.key {
            return Some(key.clone());
        }
        let Source::File(file) = &identity.source else { return None };
        let key = file.open(&self.passphrases()).await?;
        Some(AgentIdentity::from(key.public_key().clone()))
    }

    async fn password(&mut self) -> Result<Step, SshError> {
        let settings = self.settings;
        let mut given = self.secrets.password.clone();
        for _ in 0..settings.password_prompts.max(1) {
            let password = match given.take() {
                Some(password) => password,
                None if settings.batch_mode || self.secrets.password.is_some() => return Ok(Step::No),
                None => {
                    let host = settings.original.clone();
                    let question = Question::Password { user: settings.user.clone(), host };
                    let _paused = self.clock.pause();
                    match self.prompter.ask(&question).await {
                        Some(password) => password,
                        None => return Ok(Step::No),
                    }
                }
            };
            let result = self.handle.authenticate_password(settings.user.clone(), password.expose()).await;
            let step = self.take(result.map_err(|e| self.lost(e))?);
            if !matches!(step, Step::No) {
                return Ok(step);
            }
            self.tried.push("password".into());
            let still = self.offered.as_ref().is_none_or(|o| o.contains(&MethodKind::Password));
            if self.handle.is_closed() || !still {
                break;
            }
        }
        Ok(Step::No)
    }

    async fn keyboard_interactive(&mut self) -> Result<Step, SshError> {
        let user = self.settings.user.clone();
        let mut given = self.secrets.password.clone();
        if given.is_none() && self.settings.batch_mode {
            return Ok(Step::No);
        }
        for _ in 0..self.settings.password_prompts.max(1) {
            let started =
                self.handle.authenticate_keyboard_interactive_start(user.clone(), None::<String>).await;
            let mut response = started.map_err(|e| self.lost(e))?;
            let mut answered = false;
            loop {
                let (name, instructions, prompts) = match response {
                    KeyboardInteractiveAuthResponse::Success => return Ok(Step::In),
                    KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                        let result = AuthResult::Failure { remaining_methods, partial_success };
                        if matches!(self.take(result), Step::Partly) {
                            return Ok(Step::Partly);
                        }
                        break;
                    }
                    KeyboardInteractiveAuthResponse::InfoRequest { name, instructions, prompts } => {
                        (name, instructions, prompts)
                    }
                };
                let mut answers = Vec::new();
                for prompt in prompts {
                    answered = true;
                    let answer = match given.take().filter(|_| !prompt.echo) {
                        Some(password) => Some(password),
                        None => self.ask_interactive(&name, &instructions, &prompt).await,
                    };
                    match answer {
                        Some(answer) => answers.push(answer.expose().to_owned()),
                        // Nobody to answer: leave the exchange, the next request replaces it.
                        None => {
                            self.tried.push("keyboard-interactive (no answer to a question)".into());
                            answers.clear();
                            return self.refuse_interactive().await;
                        }
                    }
                }
                let sent = self.handle.authenticate_keyboard_interactive_respond(answers).await;
                response = sent.map_err(|e| self.lost(e))?;
            }
            self.tried.push("keyboard-interactive".into());
            let still = self.offered.as_ref().is_none_or(|o| o.contains(&MethodKind::KeyboardInteractive));
            // Without a question there is nothing to answer better; a given password is not given twice.
            if !answered || !still || self.handle.is_closed() || self.secrets.password.is_some() {
                break;
            }
        }
        Ok(Step::No)
    }

    /// russh waits for an answer: an empty one ends the attempt.
    async fn refuse_interactive(&mut self) -> Result<Step, SshError> {
        let sent = self.handle.authenticate_keyboard_interactive_respond(Vec::new()).await;
        if let Ok(KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success }) = sent {
            self.take(AuthResult::Failure { remaining_methods, partial_success });
        }
        Ok(Step::No)
    }

    async fn ask_interactive(
        &self,
        name: &str,
        instructions: &str,
        prompt: &russh::client::Prompt,
    ) -> Option<Secret> {
        if self.settings.batch_mode {
            return None;
        }
        let question = Question::Interactive {
            user: self.settings.user.clone(),
            host: self.settings.original.clone(),
            name: printable(name),
            instructions: printable(instructions),
            prompt: printable(&prompt.prompt),
            echo: prompt.echo,
        };
        let _paused = self.clock.pause();
        self.prompter.ask(&question).await
    }
}

/// The server's text without what could drive a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}
