//! Typed settings of one connection, with OpenSSH's defaults where nothing is said.

use std::path::PathBuf;
use std::time::Duration;

use super::files::Subject;
use super::options::Options;
use super::{Request, tokens};
use crate::error::ConfigError;

/// `StrictHostKeyChecking`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strict {
    /// Unknown and changed keys are refused.
    Yes,
    /// The person is asked about unknown keys.
    Ask,
    /// Unknown keys are taken and remembered, changed ones refused.
    AcceptNew,
    /// Unknown keys are taken and remembered; with a changed one no password is sent.
    No,
}

/// Where the ssh-agent listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentSocket {
    /// `SSH_AUTH_SOCK`, if it is set.
    Environment,
    Path(PathBuf),
    None,
}

/// One host of `ProxyJump`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
}

/// What lies between here and the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    Direct,
    /// Standard input and output of this command are the connection.
    Command(String),
    /// The last hop, and the hops before it as `-J` takes them.
    Jump {
        last: Hop,
        before: Option<String>,
    },
}

/// Everything that decides how a connection is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The name asked for.
    pub original: String,
    /// The name or address to connect to.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub local_user: String,
    pub home: PathBuf,
    pub proxy: Proxy,
    /// `-F`, which jump hosts inherit.
    pub config_file: Option<String>,

    pub identity_files: Vec<PathBuf>,
    /// The files were named, so that a missing one is worth a word.
    pub identity_files_named: bool,
    pub certificate_files: Vec<PathBuf>,
    pub identities_only: bool,
    pub agent_socket: AgentSocket,
    /// The socket to forward, if agent forwarding is on.
    pub forward_agent: Option<AgentSocket>,

    pub strict: Strict,
    pub host_key_alias: Option<String>,
    pub user_known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    pub hash_known_hosts: bool,
    pub skip_for_localhost: bool,

    pub publickey: bool,
    pub password: bool,
    pub keyboard_interactive: bool,
    /// Methods in the order to try them.
    pub preferred_methods: Vec<String>,
    /// The order was given, not taken from the defaults.
    pub methods_named: bool,
    pub password_prompts: u32,
    pub batch_mode: bool,
    pub required_rsa_bits: u32,

    pub ciphers: Option<String>,
    pub kex: Option<String>,
    pub macs: Option<String>,
    pub host_key_algorithms: Option<String>,
    pub pubkey_algorithms: Option<String>,
    pub ca_algorithms: Option<String>,
    pub compression: bool,

    pub timeout: Duration,
    pub attempts: u32,
    /// Seconds without a sign of life after which one is asked for; `None` for never.
    pub alive_interval: Option<Duration>,
    pub alive_count: u32,
    pub tcp_keepalive: bool,
    pub ipv4: bool,
    pub ipv6: bool,
    pub bind_address: Option<String>,
    pub bind_interface: Option<String>,

    pub send_env: Vec<String>,
    pub set_env: Vec<(String, String)>,
}

/// Time to connect when nothing is said.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A host that has died is noticed after three of these. (ssh's own default is never.)
const ALIVE_INTERVAL: u64 = 30;

const DEFAULT_METHODS: &str = "publickey,keyboard-interactive,password";

/// Names under `~/.ssh`, in ssh's order.
const DEFAULT_IDENTITIES: [&str; 3] = ["id_rsa", "id_ecdsa", "id_ed25519"];

impl Settings {
    pub(super) fn from_options(
        subject: &Subject,
        options: &Options,
        request: &Request,
        config_file: Option<String>,
    ) -> Result<Self, ConfigError> {
        let bad = |name: &str, reason: String| ConfigError { place: options.place(name), reason };
        let original = subject.original.clone();
        let host = match options.text("hostname") {
            Some(name) => tokens::expand(name, &[('h', &original)]).map_err(|e| bad("hostname", e))?,
            None => original.clone(),
        }
        .to_ascii_lowercase();
        let port = options.number("port").and_then(|p| u16::try_from(p).ok()).unwrap_or(22);
        let user = options.text("user").unwrap_or(&subject.local_user).to_owned();
        let expand = Expand { subject, options, host: &host, port: port.to_string(), user: &user };

        let named: Vec<&str> = options.list("identityfile").collect();
        let identity_files = match named.is_empty() {
            true => DEFAULT_IDENTITIES.iter().map(|name| subject.home.join(".ssh").join(name)).collect(),
            false => expand.paths("identityfile", named.iter().copied())?,
        };
        let files = |name: &str, defaults: &[&str]| match options.words(name) {
            Some(words) => expand.paths(name, words.iter().map(String::as_str)),
            None => expand.paths(name, defaults.iter().copied()),
        };
        let batch_mode = options.flag("batchmode", false);
        let family = options.text("addressfamily").unwrap_or("any").to_ascii_lowercase();
        let methods = options.text("preferredauthentications").unwrap_or(DEFAULT_METHODS);
        let alive = options.time("serveraliveinterval");
        Ok(Self {
            proxy: expand.proxy()?,
            identity_files,
            identity_files_named: !named.is_empty(),
            certificate_files: expand.paths("certificatefile", options.list("certificatefile"))?,
            identities_only: options.flag("identitiesonly", false),
            agent_socket: expand.socket("identityagent", options.text("identityagent"))?,
            forward_agent: match options.text("forwardagent") {
                None | Some("no" | "false") => None,
                Some("yes" | "true") => Some(expand.socket("identityagent", options.text("identityagent"))?),
                Some(socket) => Some(expand.socket("forwardagent", Some(socket))?),
            },
            strict: match options.text("stricthostkeychecking").map(str::to_ascii_lowercase).as_deref() {
                Some("yes" | "true") => Strict::Yes,
                Some("no" | "false" | "off") => Strict::No,
                Some("accept-new") => Strict::AcceptNew,
                // Nobody is there to be asked.
                _ if batch_mode => Strict::Yes,
                _ => Strict::Ask,
            },
            host_key_alias: match options.some("hostkeyalias") {
                Some(alias) => Some(expand.tokens("hostkeyalias", alias)?.to_ascii_lowercase()),
                None => None,
            },
            user_known_hosts: files("userknownhostsfile", &["~/.ssh/known_hosts", "~/.ssh/known_hosts2"])?,
            global_known_hosts: files(
                "globalknownhostsfile",
                &["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
            )?,
            hash_known_hosts: options.flag("hashknownhosts", false),
            skip_for_localhost: options.flag("nohostauthenticationforlocalhost", false),
            publickey: options.text("pubkeyauthentication").is_none_or(|v| !matches!(v, "no" | "false")),
            password: options.flag("passwordauthentication", true),
            keyboard_interactive: options.flag("kbdinteractiveauthentication", true),
            preferred_methods: methods.split(',').map(|m| m.trim().to_ascii_lowercase()).collect(),
            methods_named: options.text("preferredauthentications").is_some(),
            password_prompts: options.number("numberofpasswordprompts").unwrap_or(3),
            batch_mode,
            required_rsa_bits: options.number("requiredrsasize").unwrap_or(1024),
            ciphers: options.text("ciphers").map(str::to_owned),
            kex: options.text("kexalgorithms").map(str::to_owned),
            macs: options.text("macs").map(str::to_owned),
            host_key_algorithms: options.text("hostkeyalgorithms").map(str::to_owned),
            pubkey_algorithms: options.text("pubkeyacceptedalgorithms").map(str::to_owned),
            ca_algorithms: options.text("casignaturealgorithms").map(str::to_owned),
            compression: options.flag("compression", false),
            timeout: match options.time("connecttimeout").filter(|t| *t > 0) {
                Some(seconds) => Duration::from_secs(seconds),
                None => request.timeout.unwrap_or(TIMEOUT),
            },
            attempts: options.number("connectionattempts").unwrap_or(1).max(1),
            alive_interval: match (alive, options.text("serveraliveinterval")) {
                (Some(seconds), _) if seconds > 0 => Some(Duration::from_secs(seconds)),
                (_, Some(_)) => None,
                _ => Some(Duration::from_secs(ALIVE_INTERVAL)),
            },
            alive_count: options.number("serveralivecountmax").unwrap_or(3),
            tcp_keepalive: options.flag("tcpkeepalive", true),
            ipv4: family != "inet6",
            ipv6: family != "inet",
            bind_address: options.some("bindaddress").map(str::to_owned),
            bind_interface: options.some("bindinterface").map(str::to_owned),
            send_env: options.list("sendenv").map(str::to_owned).collect(),
            set_env: set_env(options)?,
            local_user: subject.local_user.clone(),
            home: subject.home.clone(),
            config_file,
            original,
            port,
            user,
            host,
        })
    }

    /// The name that `known_hosts` has for the host.
    pub fn known_name(&self) -> String {
        match &self.host_key_alias {
            Some(alias) => alias.clone(),
            None if self.port == 22 => self.host.clone(),
            None => format!("[{}]:{}", self.host, self.port),
        }
    }
}

fn set_env(options: &Options) -> Result<Vec<(String, String)>, ConfigError> {
    options
        .list("setenv")
        .map(|text| match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(ConfigError { place: "SetEnv".into(), reason: format!("Invalid environment {text:?}") }),
        })
        .collect()
}

/// Values with tokens, in the order ssh replaces things.
struct Expand<'a> {
    subject: &'a Subject,
    options: &'a Options,
    host: &'a str,
    port: String,
    user: &'a str,
}

impl Expand<'_> {
    fn tokens(&self, name: &str, text: &str) -> Result<String, ConfigError> {
        let home = self.subject.home.to_string_lossy();
        let local = tokens::local_host();
        let id = nix::unistd::getuid().to_string();
        let key = self.options.some("hostkeyalias").unwrap_or(self.host);
        let jump = self.options.some("proxyjump").unwrap_or("");
        let hash = {
            use sha1::{Digest, Sha1};
            let all = format!("{local}{}{}{}{jump}", self.host, self.port, self.user);
            hex::encode(Sha1::digest(all.as_bytes()))
        };
        let values = [
            ('h', self.host),
            ('n', self.subject.original.as_str()),
            ('p', self.port.as_str()),
            ('r', self.user),
            ('u', self.subject.local_user.as_str()),
            ('d', &home),
            ('l', local.as_str()),
            ('L', local.split('.').next().unwrap_or("")),
            ('i', &id),
            ('k', key),
            ('j', jump),
            ('C', &hash),
        ];
        tokens::expand(text, &values)
            .map_err(|reason| ConfigError { place: self.options.place(name), reason })
    }

    /// A file name: `~`, then variables and tokens.
    fn path(&self, name: &str, text: &str) -> Result<PathBuf, ConfigError> {
        let with_home = tokens::tilde(text, &self.subject.home);
        let with_variables = tokens::environment(&with_home.to_string_lossy())
            .map_err(|reason| ConfigError { place: self.options.place(name), reason })?;
        Ok(PathBuf::from(self.tokens(name, &with_variables)?))
    }

    fn paths<'t>(
        &self,
        name: &str,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<Vec<PathBuf>, ConfigError> {
        texts.filter(|text| !text.eq_ignore_ascii_case("none")).map(|text| self.path(name, text)).collect()
    }

    fn socket(&self, name: &str, text: Option<&str>) -> Result<AgentSocket, ConfigError> {
        Ok(match text {
            None | Some("SSH_AUTH_SOCK") => AgentSocket::Environment,
            Some(text) if text.eq_ignore_ascii_case("none") => AgentSocket::None,
            Some(text) => match text.strip_prefix('$').filter(|rest| !rest.starts_with('{')) {
                Some(variable) => {
                    std::env::var_os(variable).map_or(AgentSocket::None, |v| AgentSocket::Path(v.into()))
                }
                None => AgentSocket::Path(self.path(name, text)?),
            },
        })
    }

    fn proxy(&self) -> Result<Proxy, ConfigError> {
        if let Some(jump) = self.options.some("proxyjump") {
            let jump = self.tokens("proxyjump", jump)?;
            let bad = |reason: String| ConfigError { place: self.options.place("proxyjump"), reason };
            let (before, last) = match jump.rsplit_once(',') {
                Some((before, last)) => (Some(before.to_owned()), last),
                None => (None, jump.as_str()),
            };
            for hop in before.iter().flat_map(|b| b.split(',')).chain([last]) {
                parse_hop(hop).ok_or_else(|| bad(format!("Invalid ProxyJump {hop:?}")))?;
            }
            let last = parse_hop(last).ok_or_else(|| bad(format!("Invalid ProxyJump {last:?}")))?;
            return Ok(Proxy::Jump { last, before });
        }
        match self.options.some("proxycommand") {
            Some(command) => Ok(Proxy::Command(self.tokens("proxycommand", command)?)),
            None => Ok(Proxy::Direct),
        }
    }
}

/// `user@host:port`, `[2001:db8::1]:22`, or `ssh://user@host:port`.
pub fn parse_hop(text: &str) -> Option<Hop> {
    let text = text.trim();
    let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, text),
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(inner) => {
            let (host, after) = inner.split_once(']')?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|p| *p > 0)?),
        None => None,
    };
    let valid = !host.is_empty() && !host.starts_with('-') && user.as_deref().is_none_or(|u| !u.is_empty());
    valid.then(|| Hop { user, host: host.to_owned(), port })
}
