//! Asking the kernel about addresses and routes (rtnetlink(7)).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::libc;

/// One address of an interface.
#[derive(Clone, Debug)]
pub struct Address {
    pub index: u32,
    pub address: IpAddr,
    pub prefix: u8,
    pub scope: u8,
    pub broadcast: Option<IpAddr>,
    /// The old kind of alias: `eth0:1`. IPv4 only.
    pub label: Option<String>,
    /// The other end, for point-to-point links.
    pub local: Option<IpAddr>,
}

/// A route.
#[derive(Clone, Debug, Default)]
pub struct Route {
    pub destination: Option<IpAddr>,
    pub prefix: u8,
    pub gateway: Option<IpAddr>,
    pub source: Option<IpAddr>,
    pub index: u32,
    pub table: u32,
    pub kind: u8,
}

/// An error of the kernel in a netlink message.
struct Message<'a> {
    kind: u16,
    body: &'a [u8],
}

const HEADER: usize = 16;

/// All addresses, in the kernel's order.
pub fn addresses() -> io::Result<Vec<Address>> {
    let mut found = Vec::new();
    // struct ifaddrmsg: family, prefix length, flags, scope, index.
    dump(libc::RTM_GETADDR, &[0; 8], |message| {
        if message.kind != libc::RTM_NEWADDR || message.body.len() < 8 {
            return;
        }
        let body = message.body;
        let mut address = None;
        let mut entry = Address {
            index: u32::from_ne_bytes([body[4], body[5], body[6], body[7]]),
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            prefix: body[1],
            scope: body[3],
            broadcast: None,
            label: None,
            local: None,
        };
        for (kind, value) in attributes(&body[8..]) {
            match kind {
                libc::IFA_ADDRESS => address = ip(value),
                libc::IFA_LOCAL => entry.local = ip(value),
                libc::IFA_BROADCAST => entry.broadcast = ip(value),
                libc::IFA_LABEL => {
                    let text = value.split(|b| *b == 0).next().unwrap_or_default();
                    entry.label = Some(String::from_utf8_lossy(text).into_owned());
                }
                _ => {}
            }
        }
        // On a point-to-point link `IFA_ADDRESS` is the other end.
        if let Some(own) = entry.local.or(address) {
            entry.address = own;
            found.push(entry);
        }
    })?;
    Ok(found)
}

/// The route that a packet to `to` would take.
pub fn route_to(to: IpAddr) -> io::Result<Option<Route>> {
    let (family, octets) = match to {
        IpAddr::V4(a) => (libc::AF_INET, a.octets().to_vec()),
        IpAddr::V6(a) => (libc::AF_INET6, a.octets().to_vec()),
    };
    // struct rtmsg, then the destination as an attribute.
    let mut body = vec![0; 12];
    body[0] = family as u8;
    body[1] = (octets.len() * 8) as u8;
    body.extend(((octets.len() + 4) as u16).to_ne_bytes());
    body.extend(libc::RTA_DST.to_ne_bytes());
    body.extend(octets);
    let mut found = None;
    let asked = ask(libc::RTM_GETROUTE, 0, &body, |message| found = found.take().or_else(|| route(&message)));
    match asked {
        Ok(()) => Ok(found),
        // No route: not an error of ours.
        Err(_) => Ok(None),
    }
}

/// All routes of a family.
pub fn routes(family: i32) -> io::Result<Vec<Route>> {
    let mut body = [0; 12];
    body[0] = family as u8;
    let mut found = Vec::new();
    dump(libc::RTM_GETROUTE, &body, |message| found.extend(route(&message)))?;
    Ok(found)
}

fn route(message: &Message<'_>) -> Option<Route> {
    let body = message.body;
    if message.kind != libc::RTM_NEWROUTE || body.len() < 12 {
        return None;
    }
    let mut route = Route { prefix: body[1], table: body[4].into(), kind: body[7], ..Route::default() };
    for (kind, value) in attributes(&body[12..]) {
        match kind {
            libc::RTA_DST => route.destination = ip(value),
            libc::RTA_GATEWAY => route.gateway = ip(value),
            libc::RTA_PREFSRC => route.source = ip(value),
            libc::RTA_OIF => route.index = number(value),
            libc::RTA_TABLE => route.table = number(value),
            _ => {}
        }
    }
    Some(route)
}

fn number(value: &[u8]) -> u32 {
    value.first_chunk().map_or(0, |b| u32::from_ne_bytes(*b))
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => value.first_chunk::<4>().map(|b| Ipv4Addr::from(*b).into()),
        16 => value.first_chunk::<16>().map(|b| Ipv6Addr::from(*b).into()),
        _ => None,
    }
}

fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u16::from_ne_bytes([*bytes.first()?, *bytes.get(1)?]) as usize;
        let kind = u16::from_ne_bytes([*bytes.get(2)?, *bytes.get(3)?]);
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn dump(kind: u16, body: &[u8], each: impl FnMut(Message<'_>)) -> io::Result<()> {
    ask(kind, libc::NLM_F_DUMP as u16, body, each)
}

/// Send a request and read the answer to its end.
fn ask(kind: u16, flags: u16, body: &[u8], mut each: impl FnMut(Message<'_>)) -> io::Result<()> {
    // SAFETY: the descriptor is new and belongs to the `OwnedFd` alone.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    let mut request = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
    request.extend(kind.to_ne_bytes());
    request.extend((libc::NLM_F_REQUEST as u16 | flags).to_ne_bytes());
    request.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    request.extend(body);
    // SAFETY: pointer and length are those of a vector that outlives the call.
    if unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let is_dump = flags != 0;
    let mut buffer = vec![0u8; 64 << 10];
    loop {
        // SAFETY: the kernel writes at most the buffer's length.
        let got = unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        let Ok(got) = usize::try_from(got) else { return Err(io::Error::last_os_error()) };
        let mut rest = &buffer[..got];
        while rest.len() >= HEADER {
            let length = number(rest) as usize;
            let kind = u16::from_ne_bytes([rest[4], rest[5]]);
            let Some(body) = rest.get(HEADER..length) else { return Ok(()) };
            match i32::from(kind) {
                libc::NLMSG_DONE => return Ok(()),
                libc::NLMSG_ERROR => {
                    let code = body.first_chunk().map_or(0, |b| i32::from_ne_bytes(*b));
                    return if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-code)) };
                }
                _ => each(Message { kind, body }),
            }
            if !is_dump {
                return Ok(());
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        if got == 0 {
            return Ok(());
        }
    }
}
