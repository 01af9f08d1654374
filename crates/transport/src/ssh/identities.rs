//! Which keys to try, in ssh's order: certificates and keys of the ssh-agent that are named, its other keys
//! (unless `IdentitiesOnly`), then key files that the agent does not have.

use std::path::PathBuf;
use std::sync::Arc;

use russh::keys::agent::client::AgentClient;
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::{Certificate, load_openssh_certificate, load_public_key};

use super::config::{AgentSocket, Settings};
use super::keys::{self, KeyFile};

pub type Agent = AgentClient<tokio::net::UnixStream>;

/// A key to try.
pub struct Identity {
    /// For messages: a file name, or an ssh-agent's comment.
    pub name: String,
    /// The public half; missing for an encrypted file in an old format.
    pub key: Option<AgentIdentity>,
    pub source: Source,
    /// Somebody named it for this host, rather than it being one of many.
    pub named: bool,
}

/// Who signs.
pub enum Source {
    Agent,
    File(Arc<KeyFile>),
}

pub struct Identities {
    pub list: Vec<Identity>,
    pub agent: Option<Agent>,
    /// Named files that cannot be used, with the reason.
    pub unusable: Vec<String>,
}

/// Find the keys. Only talks to the ssh-agent and reads files.
pub async fn collect(settings: &Settings, binding: Option<&AgentSessionBinding>) -> Identities {
    let (mut agent, in_agent) = connect_agent(settings, binding).await;
    let settings = settings.clone();
    let read = tokio::task::spawn_blocking(move || read_files(&settings));
    let (files, settings) = match read.await {
        Ok(read) => read,
        Err(error) => {
            let unusable = vec![format!("key files ({error})")];
            return Identities { list: Vec::new(), agent, unusable };
        }
    };
    let list = order(&settings, &files, in_agent);
    if !list.iter().any(|identity| matches!(identity.source, Source::Agent)) {
        agent = None;
    }
    Identities { list, agent, unusable: files.unusable }
}

async fn connect_agent(
    settings: &Settings,
    binding: Option<&AgentSessionBinding>,
) -> (Option<Agent>, Vec<AgentIdentity>) {
    let path = match &settings.agent_socket {
        AgentSocket::None => None,
        AgentSocket::Path(path) => Some(path.clone()),
        AgentSocket::Environment => {
            std::env::var_os("SSH_AUTH_SOCK").filter(|v| !v.is_empty()).map(PathBuf::from)
        }
    };
    let Some(path) = path else { return (None, Vec::new()) };
    let mut agent = match Agent::connect_uds(&path).await {
        Ok(agent) => agent,
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "no ssh-agent");
            return (None, Vec::new());
        }
    };
    if let Some(binding) = binding {
        // Old agents do not know this; they have no keys that need it either.
        if agent.bind_session(binding, false).await.is_err() {
            tracing::debug!("the ssh-agent does not bind sessions");
        }
    }
    match agent.request_identities().await {
        Ok(identities) => (Some(agent), identities),
        Err(error) => {
            tracing::debug!(%error, "the ssh-agent does not list its keys");
            (None, Vec::new())
        }
    }
}

struct Files {
    keys: Vec<Arc<KeyFile>>,
    /// Named files that hold a public key only: the private half is in the agent.
    public: Vec<(String, russh::keys::PublicKey)>,
    certificates: Vec<Certificate>,
    unusable: Vec<String>,
}

fn read_files(settings: &Settings) -> (Files, Settings) {
    let mut files =
        Files { keys: Vec::new(), public: Vec::new(), certificates: Vec::new(), unusable: Vec::new() };
    for path in &settings.identity_files {
        match keys::read(path) {
            Ok(file) => files.keys.push(file),
            Err(reason) => {
                let mut public_path = path.as_os_str().to_owned();
                public_path.push(".pub");
                let name = path.display().to_string();
                let missing = reason == keys::MISSING;
                let beside = || if missing { load_public_key(&public_path).ok() } else { None };
                match load_public_key(path).ok().or_else(beside) {
                    Some(key) => files.public.push((name, key)),
                    None if settings.identity_files_named || !missing => {
                        files.unusable.push(format!("key {name} ({reason})"));
                    }
                    None => {}
                }
            }
        }
    }
    for path in &settings.certificate_files {
        match load_openssh_certificate(path) {
            Ok(certificate) => files.certificates.push(certificate),
            Err(error) => files.unusable.push(format!("certificate {} ({error})", path.display())),
        }
    }
    (files, settings.clone())
}

fn order(settings: &Settings, files: &Files, mut in_agent: Vec<AgentIdentity>) -> Vec<Identity> {
    let mut list = Vec::new();
    let agent_has = |identities: &[AgentIdentity], key: &russh::keys::PublicKey| {
        identities.iter().any(|i| {
            i.public_key().key_data() == key.key_data() && matches!(i, AgentIdentity::PublicKey { .. })
        })
    };
    // Certificates that are named, signed for by whoever has the private key.
    let beside = files.keys.iter().filter_map(|file| file.certificate.clone());
    for certificate in files.certificates.iter().cloned().chain(beside) {
        let file = files.keys.iter().find(|file| {
            file.public.as_ref().is_some_and(|public| public.key_data() == certificate.public_key())
        });
        let name = format!("certificate {}", certificate.key_id());
        let source = match file {
            Some(file) => Source::File(file.clone()),
            None if agent_has(&in_agent, &certificate.public_key().clone().into()) => Source::Agent,
            None => continue,
        };
        list.push(Identity { name, key: Some(certificate.into()), source, named: true });
    }
    // Keys of the agent: named ones first, in the order of the names.
    let named: Vec<_> = files
        .keys
        .iter()
        .filter_map(|f| f.public.clone())
        .chain(files.public.iter().map(|(_, key)| key.clone()))
        .collect();
    for key in &named {
        let is_it = |i: &AgentIdentity| i.public_key().key_data() == key.key_data();
        while let Some(index) = in_agent.iter().position(is_it) {
            list.push(Identity { named: true, ..from_agent(in_agent.remove(index)) });
        }
    }
    let taken: Vec<_> =
        list.iter().filter(|i| matches!(i.source, Source::Agent)).filter_map(public_of).collect();
    if !settings.identities_only {
        list.extend(in_agent.into_iter().map(from_agent));
    }
    for file in &files.keys {
        let public = file.public.as_ref();
        if public.is_some_and(|public| taken.iter().any(|t| t.key_data() == public.key_data())) {
            continue;
        }
        let name = file.path.display().to_string();
        let key = public.cloned().map(AgentIdentity::from);
        list.push(Identity { name, key, source: Source::File(file.clone()), named: true });
    }
    list
}

fn public_of(identity: &Identity) -> Option<russh::keys::PublicKey> {
    match identity.key.as_ref()? {
        AgentIdentity::PublicKey { key, .. } => Some(key.clone()),
        AgentIdentity::Certificate { .. } => None,
    }
}

fn from_agent(key: AgentIdentity) -> Identity {
    let comment = key.comment();
    let name = if comment.is_empty() {
        "of the ssh-agent".to_owned()
    } else {
        format!("{comment} of the ssh-agent")
    };
    Identity { name, key: Some(key), source: Source::Agent, named: false }
}
