//! One authenticated connection, shared by everything that goes to the same host as the same user.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use russh::client::{self, GexParams, Handle};

use super::auth::{Login, Secrets};
use super::config::{Proxy, Request, Settings};
use super::handler::{Findings, Handler, HandlerError};
use super::known_hosts::KnownHosts;
use super::{algorithms, config, pool, stream};
use crate::clock::Clock;
use crate::error::SshError;
use crate::prompt::Prompter;

/// Messages of a channel (of at most 32 KiB) that may wait, each way. Few, so that a host that sends more than is
/// read costs no memory, and so that a way through a jump host meets a full queue in every test.
const QUEUE: usize = 8;

pub struct SshConnection {
    pub handle: Handle<Handler>,
    pub settings: Arc<Settings>,
    pub findings: Arc<Findings>,
    /// Variables that `SendEnv` and `SetEnv` ask for.
    pub environment: Vec<(String, String)>,
    /// Keeps the way to this host open.
    _jump: Option<Arc<SshConnection>>,
}

/// What a connection needs besides its settings.
#[derive(Clone)]
pub struct Means {
    pub secrets: Secrets,
    pub fingerprint: Option<String>,
    pub prompter: Arc<dyn Prompter>,
}

impl SshConnection {
    /// Connect and log in, through jump hosts if the settings have any.
    /// `chain`: this connection, and those that wait for it.
    pub async fn open(settings: Arc<Settings>, means: &Means, chain: Vec<String>) -> Result<Self, SshError> {
        let mut attempt = 1;
        loop {
            match Self::attempt(&settings, means, &chain).await {
                Err(SshError::Connect { .. }) if attempt < settings.attempts => {
                    attempt += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                done => return done,
            }
        }
    }

    async fn attempt(settings: &Arc<Settings>, means: &Means, chain: &[String]) -> Result<Self, SshError> {
        // The way through a jump host has its own time.
        let jump = match &settings.proxy {
            Proxy::Jump { last, before } => {
                let request = Request {
                    host: last.host.clone(),
                    user: last.user.clone(),
                    port: last.port,
                    jump: before.clone(),
                    timeout: Some(settings.timeout),
                    arguments_after: settings
                        .config_file
                        .iter()
                        .flat_map(|f| ["-F".to_owned(), f.clone()])
                        .collect(),
                    ..Request::default()
                };
                // The host's password and fingerprint are none of the jump host's business.
                let secrets = Secrets { password: None, passphrase: means.secrets.passphrase.clone() };
                let means = Means { secrets, fingerprint: None, prompter: means.prompter.clone() };
                let opened = Box::pin(pool::get(request, means, chain.to_vec())).await;
                let wrap = |error| SshError::Jump { jump: last.host.clone(), error: Box::new(error) };
                Some(opened.map_err(wrap)?)
            }
            _ => None,
        };
        let clock = Clock::new(settings.timeout);
        let late = |doing| SshError::Timeout {
            host: settings.host.clone(),
            port: settings.port,
            seconds: settings.timeout.as_secs(),
            doing,
        };
        let raw = clock.limit(stream::open(settings, jump.as_deref())).await;
        let raw = raw.ok_or_else(|| late("connecting"))??;

        let names: Vec<_> =
            settings.user_known_hosts.iter().chain(&settings.global_known_hosts).cloned().collect();
        let known = Arc::new(KnownHosts::read(&names, &settings.known_name()));
        let findings = Arc::new(Findings::default());
        let handler = Handler {
            settings: settings.clone(),
            known: known.clone(),
            expected_fingerprint: means.fingerprint.clone(),
            prompter: means.prompter.clone(),
            findings: findings.clone(),
            clock: clock.clone(),
        };
        let config = Arc::new(client_config(settings, &known)?);
        let proxy_error = raw.proxy_error();
        let shaken = clock.limit(client::connect_stream(config, raw, handler)).await;
        let mut handle = match shaken.ok_or_else(|| late("exchanging keys"))? {
            Ok(handle) => handle,
            Err(HandlerError::Ssh(error)) => return Err(error),
            Err(HandlerError::Russh(error)) => {
                return Err(match proxy_error.reason().await {
                    Some(error) => error,
                    None => handshake_error(settings, &findings, &error),
                });
            }
        };
        let login = Login::new(&mut handle, settings, &means.secrets, &means.prompter, &findings, &clock);
        clock.limit(login.run()).await.ok_or_else(|| late("logging in"))??;
        Ok(Self {
            handle,
            environment: environment(settings),
            settings: settings.clone(),
            findings,
            _jump: jump,
        })
    }

    /// Why the connection ended, once it has.
    pub async fn ended(&self) -> String {
        // The session's task notes the reason just after it has closed its channels.
        for _ in 0..20 {
            if let Some(reason) = self.findings.reason() {
                return reason;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        "the connection ended".into()
    }
}

fn client_config(settings: &Settings, known: &KnownHosts) -> Result<client::Config, SshError> {
    Ok(client::Config {
        preferred: algorithms::preferred(settings, &known.algorithms(), known.has_authority())?,
        keepalive_interval: settings.alive_interval,
        keepalive_max: settings.alive_count as usize,
        nodelay: true,
        channel_buffer_size: QUEUE,
        // The sizes ssh asks for with a 128 bit cipher; larger groups take seconds.
        gex: GexParams::new(2048, 3072, 8192)
            .map_err(|e| handshake_error(settings, &Findings::default(), &e))?,
        ..client::Config::default()
    })
}

fn handshake_error(settings: &Settings, findings: &Findings, error: &russh::Error) -> SshError {
    let host = settings.host.clone();
    let ended = findings.ended.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let reason = match (ended, error) {
        (Some(reason), _) => reason,
        (None, russh::Error::NoCommonAlgo { kind, theirs, .. }) => {
            let what = match kind {
                russh::AlgorithmKind::Kex => "key exchange method",
                russh::AlgorithmKind::Key => "host key type",
                russh::AlgorithmKind::Cipher => "cipher",
                russh::AlgorithmKind::Compression => "compression",
                russh::AlgorithmKind::Mac => "MAC",
            };
            format!("no matching {what} found. Their offer: {}", theirs.join(","))
        }
        (None, russh::Error::Disconnect | russh::Error::HUP) => {
            "the host closed the connection during the key exchange".into()
        }
        (None, russh::Error::Version) => "what answers there does not speak ssh".into(),
        (None, russh::Error::IO(error)) => format!("key exchange: {error}"),
        (None, other) => format!("key exchange: {other}"),
    };
    SshError::Handshake { host, reason }
}

/// `SendEnv` patterns against this process's environment, then `SetEnv`.
fn environment(settings: &Settings) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else { continue };
        let mut wanted = false;
        for pattern in &settings.send_env {
            match pattern.strip_prefix('-') {
                Some(removed) => wanted &= !config::pattern::matches(removed, &name),
                None => wanted |= config::pattern::matches(pattern, &name),
            }
        }
        if wanted {
            variables.push((name, value));
        }
    }
    for (name, value) in &settings.set_env {
        if !variables.iter().any(|(other, _)| other == name) {
            variables.push((name.clone(), value.clone()));
        }
    }
    variables
}
