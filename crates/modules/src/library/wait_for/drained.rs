//! Connections to a port, from the kernel's tables (`/proc/net/tcp` and `tcp6`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Host, Result, fail, http};

/// The kernel's number of a state.
pub fn code(state: &str) -> Option<u8> {
    Some(match state {
        "ESTABLISHED" => 1,
        "SYN_SENT" => 2,
        "SYN_RECV" => 3,
        "FIN_WAIT1" => 4,
        "FIN_WAIT2" => 5,
        "TIME_WAIT" => 6,
        _ => return None,
    })
}

/// How many connections in these states there are to the port of this machine's address.
pub fn active(host: &Host, name: &str, port: i64, states: &[String], excluded: &[String]) -> Result<usize> {
    let addresses = |name: &str| -> Result<Vec<IpAddr>> {
        let found = http::resolve(host, name, 0).map_err(|e| fail!("{e}").with("elapsed", 0))?;
        Ok(found.into_iter().map(|a| a.ip()).collect())
    };
    let own = addresses(name)?;
    let any = own.iter().any(IpAddr::is_unspecified);
    let mut ignored = Vec::new();
    for name in excluded {
        ignored.extend(addresses(name)?);
    }
    let wanted: Vec<u8> = states.iter().filter_map(|s| code(s)).collect();
    let mut count = 0;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(host.path(table)).unwrap_or_default();
        for line in text.lines().skip(1) {
            let Some((local, remote, state)) = connection(line) else { continue };
            let counts = i64::from(local.1) == port
                && wanted.contains(&state)
                && (any || own.contains(&local.0))
                && !ignored.contains(&remote.0);
            count += usize::from(counts);
        }
    }
    Ok(count)
}

type End = (IpAddr, u16);

fn connection(line: &str) -> Option<(End, End, u8)> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, local, remote, state, ..] = words[..] else { return None };
    Some((end(local)?, end(remote)?, u8::from_str_radix(state, 16).ok()?))
}

/// An address as words of 32 bits in the machine's order, and the port.
fn end(text: &str) -> Option<End> {
    let (address, port) = text.split_once(':')?;
    let mut bytes = Vec::new();
    for at in (0..address.len()).step_by(8) {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?)).to_canonical(),
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_counts_until_it_is_gone() {
        let host = Host::new(std::env::temp_dir());
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let states = ["ESTABLISHED".to_owned()];
        let count =
            |own: &str, excluded: &[String]| active(&host, own, port.into(), &states, excluded).unwrap();
        assert_eq!(count("127.0.0.1", &[]), 0);
        let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _accepted = server.accept().unwrap();
        assert_eq!(count("127.0.0.1", &[]), 1);
        assert_eq!(count("0.0.0.0", &[]), 1);
        assert_eq!(count("127.0.0.2", &[]), 0);
        assert_eq!(count("127.0.0.1", &["127.0.0.1".to_owned()]), 0);
    }
}
