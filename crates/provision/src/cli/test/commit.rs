//! `--commit`: an image of a host as the playbooks left it.

use std::str::FromStr;

use tokio::process::Command;

use super::child::{self, Stop};
use super::hosts::{Hosts, NAMES};
use super::signals::Signals;

/// Files that belong to the running host or to the test, not to an image: they are put on the tmpfs at /run, which
/// no image has, while the image is made. A host that starts from the image makes keys of its own.
const SET_ASIDE: &str = "set -eu; umask 077; mkdir /run/set-aside; cd /; \
    set -- root/.ssh/authorized_keys; for key in etc/ssh/ssh_host_*; do set -- \"$@\" \"$key\"; done; \
    tar -cf /run/set-aside/files.tar \"$@\"; rm -f \"$@\"; cp -p etc/machine-id /run/set-aside/; : > etc/machine-id";
const PUT_BACK: &str = "set -eu; tar -C / -xpf /run/set-aside/files.tar; cat /run/set-aside/machine-id > /etc/machine-id; \
    rm -r /run/set-aside";

/// Which host, and the name of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub host: String,
    pub image: String,
}

impl FromStr for Commit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, image) = text.split_once('=').unwrap_or((NAMES[0], text));
        if !NAMES.contains(&host) {
            return Err(format!("there is no host {host}: the hosts are {}", NAMES.join(" and ")));
        }
        if image.is_empty() || image.starts_with('-') {
            return Err("the image needs a name, such as guestbook-web:1".into());
        }
        Ok(Self { host: host.into(), image: image.into() })
    }
}

impl Commit {
    pub async fn make(&self, hosts: &Hosts, signals: &mut Signals) -> Result<(), Stop> {
        let container = hosts.container(&self.host);
        self.docker(&["exec", &container, "sh", "-c", SET_ASIDE], signals).await?;
        let made = self.docker(&["commit", &container, &self.image], signals).await;
        let back = self.docker(&["exec", &container, "sh", "-c", PUT_BACK], signals).await;
        made.and(back)
    }

    async fn docker(&self, arguments: &[&str], signals: &mut Signals) -> Result<(), Stop> {
        let (status, _) = child::quiet(Command::new("docker").args(arguments), signals).await?;
        if status.success() {
            return Ok(());
        }
        Err(Stop::failed(format!(
            "the image {} was not made: docker {} failed ({status})",
            self.image, arguments[0]
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_host_is_meant_unless_one_is_named() {
        let commit = |host: &str, image: &str| Ok(Commit { host: host.into(), image: image.into() });
        assert_eq!("guestbook:1".parse(), commit("web1", "guestbook:1"));
        assert_eq!("db1=data:2".parse(), commit("db1", "data:2"));
        assert!("db2=data:2".parse::<Commit>().is_err());
        assert!("web1=".parse::<Commit>().is_err());
    }
}
