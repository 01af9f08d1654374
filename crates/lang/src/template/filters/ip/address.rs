//! An address, with or without the network it is in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::template::object::V;

/// An address and the length of its network's prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    pub net: IpNet,
    /// No prefix was written: an address alone.
    pub alone: bool,
}

impl Address {
    /// Text or a number. Networks can be given by the length of the prefix, a netmask or a host mask.
    pub fn parse(value: &V) -> Option<Self> {
        match value {
            V::Int(number) => {
                let number = u128::try_from(*number).ok()?;
                let ip = match u32::try_from(number) {
                    Ok(small) => IpAddr::V4(small.into()),
                    Err(_) => IpAddr::V6(number.into()),
                };
                Some(Self { net: ip.into(), alone: true })
            }
            V::Str(text) => Self::from_text(text.as_str()),
            _ => None,
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        if !text.is_empty() && text.len() < 40 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Self::parse(&V::Int(text.parse().ok()?));
        }
        let Some((ip, prefix)) = text.split_once('/') else {
            return Some(Self { net: text.parse::<IpAddr>().ok()?.into(), alone: true });
        };
        let ip: IpAddr = ip.parse().ok()?;
        let length = match (prefix.parse::<u8>(), ip) {
            (Ok(length), _) => length,
            (Err(_), IpAddr::V4(_)) => {
                let mask: Ipv4Addr = prefix.parse().ok()?;
                let of_mask = ipnet::ipv4_mask_to_prefix(mask).ok();
                of_mask.or_else(|| ipnet::ipv4_mask_to_prefix((!u32::from(mask)).into()).ok())?
            }
            (Err(_), IpAddr::V6(_)) => ipnet::ipv6_mask_to_prefix(prefix.parse().ok()?).ok()?,
        };
        Some(Self { net: IpNet::new(ip, length).ok()?, alone: false })
    }

    pub fn version(&self) -> u8 {
        if self.is_v4() { 4 } else { 6 }
    }

    pub fn is_v4(&self) -> bool {
        matches!(self.net, IpNet::V4(_))
    }

    /// How many bits an address has.
    pub fn width(&self) -> u8 {
        self.net.max_prefix_len()
    }

    pub fn prefix(&self) -> u8 {
        self.net.prefix_len()
    }

    /// The address as a number.
    pub fn number(&self) -> u128 {
        number(self.net.addr())
    }

    /// First and last address of the network.
    pub fn bounds(&self) -> (u128, u128) {
        (number(self.net.network()), number(self.net.broadcast()))
    }

    /// Addresses in the network less one: all of IPv6 are one more than the number can hold.
    pub fn size_less_one(&self) -> u128 {
        let (first, last) = self.bounds();
        last - first
    }

    pub fn is_network(&self) -> bool {
        self.size_less_one() > 0 && self.number() == self.bounds().0
    }

    /// First and last address that a host can have; `None` where the network has one address only.
    pub fn usable(&self) -> Option<(u128, u128)> {
        let (first, last) = self.bounds();
        match last - first {
            0 => None,
            1 => Some((first, last)),
            _ => Some((first + 1, last - 1)),
        }
    }

    /// A number as an address of the same family; `None` if it has too many bits.
    pub fn ip(&self, number: u128) -> Option<IpAddr> {
        if self.is_v4() {
            Some(IpAddr::V4(u32::try_from(number).ok()?.into()))
        } else {
            Some(IpAddr::V6(number.into()))
        }
    }

    /// The network of a prefix around a number.
    pub fn network_of(&self, number: u128, prefix: u8) -> Option<IpNet> {
        Some(IpNet::new(self.ip(number)?, prefix).ok()?.trunc())
    }

    /// As it was written: with its prefix if it had one.
    pub fn text(&self) -> String {
        if self.alone { self.net.addr().to_string() } else { self.net.to_string() }
    }

    /// With brackets around an IPv6 address.
    pub fn wrapped(&self) -> String {
        match (self.net, self.alone) {
            (IpNet::V4(_), _) => self.text(),
            (IpNet::V6(net), true) => format!("[{}]", net.addr()),
            (IpNet::V6(net), false) => format!("[{}]/{}", net.addr(), net.prefix_len()),
        }
    }

    /// Is the address in one of these networks?
    fn is_in(&self, networks: &[&str]) -> bool {
        networks.iter().filter_map(|n| n.parse::<IpNet>().ok()).any(|n| n.contains(&self.net.addr()))
    }

    /// Can it be reached from anywhere? By the special-purpose registries of IANA (RFC 6890).
    pub fn is_global(&self) -> bool {
        const EXCEPTIONS: &[&str] = &[
            "192.0.0.9/32",
            "192.0.0.10/32",
            "2001:1::1/128",
            "2001:1::2/128",
            "2001:3::/32",
            "2001:4:112::/48",
            "2001:20::/28",
            "2001:30::/28",
        ];
        const SPECIAL: &[&str] = &[
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
            "::1/128",
            "::/128",
            "::ffff:0:0/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "fc00::/7",
            "fe80::/10",
        ];
        self.is_in(EXCEPTIONS) || !self.is_in(SPECIAL)
    }

    /// Of the networks that providers share (RFC 6598).
    pub fn is_shared(&self) -> bool {
        self.is_in(&["100.64.0.0/10"])
    }

    pub fn is_multicast(&self) -> bool {
        self.net.addr().is_multicast()
    }

    /// An address of one host somewhere in the world.
    pub fn is_public(&self) -> bool {
        // What looks like a mask is none, whatever it is meant as.
        let is_mask = match self.net {
            IpNet::V4(net) => {
                let number = u32::from(net.addr());
                number.leading_ones() + number.trailing_zeros() == 32
                    || number.leading_zeros() + number.trailing_ones() == 32
            }
            IpNet::V6(_) => false,
        };
        !self.is_multicast() && self.is_global() && !is_mask
    }

    pub fn is_link_local(&self) -> bool {
        self.is_in(&["169.254.0.0/16", "fe80::/10"])
    }

    /// As IPv4, if it is that or stands for it (`::ffff:192.0.2.1`).
    pub fn to_v4(self) -> Option<Self> {
        match self.net {
            IpNet::V4(_) => Some(self),
            IpNet::V6(net) => {
                let ip = net.addr().to_ipv4_mapped()?;
                let net = Ipv4Net::new(ip, net.prefix_len().checked_sub(96)?).ok()?;
                Some(Self { net: net.into(), alone: false })
            }
        }
    }

    pub fn to_v6(self) -> Option<Self> {
        match self.net {
            IpNet::V6(_) => Some(self),
            IpNet::V4(net) => {
                let net = Ipv6Net::new(net.addr().to_ipv6_mapped(), net.prefix_len() + 96).ok()?;
                Some(Self { net: net.into(), alone: false })
            }
        }
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => Ipv6Addr::into(ip),
    }
}
