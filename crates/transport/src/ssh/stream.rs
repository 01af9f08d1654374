//! The bytes below an ssh connection: TCP, a channel through a jump host, or a proxy command.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinSet;

use super::config::{Proxy, Settings};
use super::connection::SshConnection;
use super::through::Through;
use crate::error::SshError;

/// The next address is tried this long after the one before it (RFC 8305, section 8).
const STAGGER: Duration = Duration::from_millis(250);
/// What is kept of a proxy command's messages.
const MESSAGES: usize = 2000;

/// A way of bytes to the host's sshd.
pub enum Stream {
    Tcp(TcpStream),
    Channel(Box<Through>),
    Process { stdin: ChildStdin, stdout: ChildStdout, _child: Child, errors: ProxyError },
}

/// What a proxy command wrote to its standard error; empty for other streams.
#[derive(Clone, Default)]
pub struct ProxyError(Option<Arc<(String, Mutex<String>)>>);

impl ProxyError {
    /// The proxy's own words, when it is to blame.
    pub async fn reason(&self) -> Option<SshError> {
        let (command, text) = &**self.0.as_ref()?;
        // Its last words may still be on the way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let said = text.lock().unwrap_or_else(PoisonError::into_inner).trim().to_owned();
        let reason = if said.is_empty() { "it ended before the key exchange".to_owned() } else { said };
        Some(SshError::ProxyCommand { command: command.clone(), reason })
    }
}

impl Stream {
    pub fn proxy_error(&self) -> ProxyError {
        match self {
            Self::Process { errors, .. } => errors.clone(),
            _ => ProxyError::default(),
        }
    }
}

/// Open the way that the settings ask for.
pub async fn open(settings: &Settings, jump: Option<&SshConnection>) -> Result<Stream, SshError> {
    match (&settings.proxy, jump) {
        (_, Some(jump)) => through(jump, settings).await,
        (Proxy::Command(command), None) => proxy_command(command, settings),
        _ => tcp(settings).await,
    }
}

async fn through(jump: &SshConnection, settings: &Settings) -> Result<Stream, SshError> {
    let opened =
        jump.handle.channel_open_direct_tcpip(&*settings.host, settings.port.into(), "127.0.0.1", 0).await;
    let channel = opened.map_err(|error| {
        let reason = match error {
            russh::Error::ChannelOpenFailure(reason) => format!("the jump host cannot reach it: {reason:?}"),
            other => jump.findings.reason().unwrap_or_else(|| other.to_string()),
        };
        SshError::Connect { host: settings.host.clone(), port: settings.port, reason }
    })?;
    Ok(Stream::Channel(Box::new(Through::new(channel.into_stream()))))
}

fn proxy_command(command: &str, settings: &Settings) -> Result<Stream, SshError> {
    let failed = |reason: String| SshError::ProxyCommand { command: command.to_owned(), reason };
    // Names come from inventories: none may become a second command (as ssh since 9.6).
    for name in [&settings.host, &settings.user, &settings.original] {
        let odd = |c: char| c.is_whitespace() || c.is_control() || "'`\"$\\;&<>|(){}".contains(c);
        if name.starts_with('-') || name.contains(odd) {
            return Err(failed(format!("{name:?} contains invalid characters")));
        }
    }
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    let mut child = tokio::process::Command::new(shell)
        .arg("-c")
        .arg(format!("exec {command}"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| failed(e.to_string()))?;
    let (Some(stdin), Some(stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed("no pipe to it".into()));
    };
    let said = Arc::new((command.to_owned(), Mutex::new(String::new())));
    let errors = ProxyError(Some(said.clone()));
    tokio::spawn(async move {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
            let mut text = said.1.lock().unwrap_or_else(PoisonError::into_inner);
            if text.len() < MESSAGES {
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        }
    });
    Ok(Stream::Process { stdin, stdout, _child: child, errors })
}

async fn tcp(settings: &Settings) -> Result<Stream, SshError> {
    let (host, port) = (&*settings.host, settings.port);
    let unresolved = |reason: String| SshError::Resolve { host: host.to_owned(), reason };
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let found = tokio::net::lookup_host((bare, port)).await.map_err(|e| {
        let text = e.to_string();
        unresolved(text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned())
    })?;
    let addresses: Vec<SocketAddr> =
        found.filter(|a| if a.is_ipv4() { settings.ipv4 } else { settings.ipv6 }).collect();
    if addresses.is_empty() {
        return Err(unresolved("it has no address of the family asked for".into()));
    }
    // One address after the other, but none keeps the next waiting for long; the first that answers wins.
    let mut attempts = JoinSet::new();
    for (index, address) in addresses.into_iter().enumerate() {
        let (bind, interface) = (settings.bind_address.clone(), settings.bind_interface.clone());
        let keepalive = settings.tcp_keepalive;
        attempts.spawn(async move {
            tokio::time::sleep(STAGGER * index as u32).await;
            connect_to(address, bind.as_deref(), interface.as_deref(), keepalive).await
        });
    }
    let mut reason = String::new();
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(stream)) => return Ok(Stream::Tcp(stream)),
            Ok(Err(error)) => reason = describe(&error),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(SshError::Connect { host: host.to_owned(), port, reason })
}

async fn connect_to(
    address: SocketAddr,
    bind: Option<&str>,
    interface: Option<&str>,
    keepalive: bool,
) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    socket.set_keepalive(keepalive)?;
    if let Some(interface) = interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if let Some(bind) = bind {
        let mut own = tokio::net::lookup_host((bind, 0)).await?;
        let own = own.find(|a| a.is_ipv4() == address.is_ipv4());
        socket.bind(own.ok_or_else(|| io::Error::other(format!("bind {bind}: no such address")))?)?;
    }
    socket.connect(address).await
}

/// The reason as ssh words it.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "Connection refused".into(),
        io::ErrorKind::TimedOut => "Connection timed out".into(),
        io::ErrorKind::HostUnreachable => "No route to host".into(),
        io::ErrorKind::NetworkUnreachable => "Network is unreachable".into(),
        _ => error.to_string(),
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Channel(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Process { stdout, .. } => Pin::new(stdout).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Channel(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Process { stdin, .. } => Pin::new(stdin).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Channel(stream) => Pin::new(stream).poll_flush(cx),
            Self::Process { stdin, .. } => Pin::new(stdin).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Channel(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Process { stdin, .. } => Pin::new(stdin).poll_shutdown(cx),
        }
    }
}
