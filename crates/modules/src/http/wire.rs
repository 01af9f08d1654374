//! The connection below a request: TCP or a Unix socket, through a proxy or not, with TLS or without.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use base64::Engine as _;

use super::proxy::Proxy;
use super::resolve::resolve;
use super::{Options, Url, tls};
use crate::Host;

/// Bytes both ways. Reading and writing give up after the request's timeout of silence.
pub trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

/// Connect to where `url` is; through `proxy` if there is one.
pub fn connect(
    host: &Host,
    url: &Url,
    proxy: Option<&Proxy>,
    options: &Options,
) -> io::Result<Box<dyn Wire>> {
    if let Some(path) = &options.unix_socket {
        let stream = UnixStream::connect(host.path(path))?;
        stream.set_read_timeout(options.timeout)?;
        stream.set_write_timeout(options.timeout)?;
        return if url.is_https() {
            tls::wrap(host, stream, &url.host, options)
        } else {
            Ok(Box::new(stream))
        };
    }
    let mut stream = match proxy {
        None => tcp(host, &url.host, url.port_or_default(), options.timeout)?,
        Some(proxy) => tcp(host, &proxy.host, proxy.port, options.timeout)?,
    };
    if !url.is_https() {
        return Ok(Box::new(stream));
    }
    if let Some(proxy) = proxy {
        tunnel(&mut stream, url, proxy)?;
    }
    tls::wrap(host, stream, &url.host, options)
}

/// The first address that answers.
fn tcp(host: &Host, name: &str, port: u16, timeout: Option<Duration>) -> io::Result<TcpStream> {
    let mut last = None;
    for address in resolve(host, name, port)? {
        let connected = match timeout {
            Some(timeout) => TcpStream::connect_timeout(&address, timeout),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
                return Ok(stream);
            }
            Err(e) => last = Some(e),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

/// `CONNECT` (RFC 9110, 9.3.6).
fn tunnel(stream: &mut TcpStream, url: &Url, proxy: &Proxy) -> io::Result<()> {
    let name = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let authority = format!("{name}:{}", url.port_or_default());
    let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(authorization) = proxy.authorization() {
        head.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // Byte by byte: what follows the head belongs to TLS already.
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n\r\n") && !said.ends_with(b"\n\n") {
        let mut byte = [0];
        if said.len() > 16384 || stream.read(&mut byte)? == 0 {
            return Err(io::Error::other("Tunnel connection failed: the proxy closed the connection"));
        }
        said.push(byte[0]);
    }
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().next().unwrap_or_default();
    let status = line.split_once(' ').map_or("", |(_, rest)| rest);
    if !status.starts_with('2') {
        return Err(io::Error::other(format!("Tunnel connection failed: {}", status.trim())));
    }
    Ok(())
}

/// `Basic` credentials (RFC 7617).
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}
