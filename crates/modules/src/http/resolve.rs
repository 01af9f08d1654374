//! From names to addresses.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use crate::process::find_program;
use crate::{Host, Process};

/// All addresses of a name, in the order in which they are to be tried. A name is asked for through the host's own
/// `getent`, because a statically linked program cannot load what `nsswitch.conf` names.
pub fn resolve(host: &Host, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found: Vec<SocketAddr> = match find_program(host, "getent") {
        Some(getent) => {
            let output = Process::new(getent).args(["ahosts", "--", name]).run(host)?;
            let stream = |line: &str| {
                let mut words = line.split_ascii_whitespace();
                let address = words.next()?.parse::<IpAddr>().ok()?;
                (words.next()? == "STREAM").then(|| SocketAddr::new(address, port))
            };
            output.out().lines().filter_map(stream).collect()
        }
        None => (name, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default(),
    };
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "[Errno -2] Name or service not known"));
    }
    Ok(found)
}
