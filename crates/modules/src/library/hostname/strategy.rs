//! Where distributions keep the name.

use crate::files::strerror;
use crate::system::program::{self, process};
use crate::system::textfile::{self, Rights};
use crate::system::{init, program::refuse};
use crate::{Host, Result, fail};

pub enum Strategy {
    /// `hostnamectl`.
    Systemd,
    /// A file with nothing but the name. What the kernel says is left to the next start.
    File(&'static str),
    /// The same, and the kernel is told.
    Alpine,
    /// `HOSTNAME=` in `/etc/sysconfig/network`.
    RedHat,
    /// `hostname=` in `/etc/conf.d/hostname`.
    OpenRc,
}

const FILE: &str = "/etc/hostname";
const NETWORK: &str = "/etc/sysconfig/network";
const CONF: &str = "/etc/conf.d/hostname";

impl Strategy {
    /// By the argument.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "alpine" => Ok(Self::Alpine),
            "debian" | "systemd" => Ok(Self::Systemd),
            "openrc" => Ok(Self::OpenRc),
            "redhat" => Ok(Self::RedHat),
            "sles" => Ok(Self::File("/etc/HOSTNAME")),
            "generic" => Err(refuse("use", "'generic' sets no name anywhere")),
            other => Err(refuse("use", &format!("'{other}' is for systems other than Linux"))),
        }
    }

    /// By what the host is.
    pub fn of(host: &Host) -> Result<Self> {
        if init::is_systemd(host) {
            return Ok(Self::Systemd);
        }
        let os = textfile::read(host, "/etc/os-release")?.unwrap_or_default();
        let get = |key: &str| {
            let value = os.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            value.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
        };
        let id = get("ID").to_lowercase();
        Ok(match id.as_str() {
            "debian" | "kylin" | "cumulus-linux" | "kali" | "parrot" | "ubuntu" | "linuxmint" | "linaro"
            | "devuan" | "raspbian" | "uos" | "deepin" | "neon" | "void" | "pop" => Self::File(FILE),
            "rhel" | "redhat" | "centos" | "anolis" | "cloudlinuxserver" | "cloudlinux" | "alinux"
            | "scientific" | "ol" | "oracle" | "virtuozzo" | "amzn" | "amazon" | "altlinux" | "eurolinux" => {
                Self::RedHat
            }
            "gentoo" => Self::OpenRc,
            "alpine" => Self::Alpine,
            "sles" if get("VERSION_ID").parse().is_ok_and(|v: f64| (10.0..=12.0).contains(&v)) => {
                Self::File("/etc/HOSTNAME")
            }
            other => {
                let mut letters = other.chars();
                let name: String =
                    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
                let name = if name.is_empty() { "OtherLinux".to_owned() } else { name };
                return Err(fail!("hostname module cannot be used on platform Linux ({name})"));
            }
        })
    }

    /// What the host is called now.
    pub fn current(&self, host: &Host) -> Result<String> {
        match self {
            Self::Systemd => hostnamectl(host, &["--transient", "status"]),
            _ => self.permanent(host),
        }
    }

    /// What it will be called after the next start.
    pub fn permanent(&self, host: &Host) -> Result<String> {
        match self {
            Self::Systemd => hostnamectl(host, &["--static", "status"]),
            Self::File(path) => Ok(read(host, path)?.trim().to_owned()),
            Self::Alpine => Ok(read(host, FILE)?.trim().to_owned()),
            Self::RedHat => {
                if !host.path(NETWORK).exists() {
                    return Err(fail!("Unable to locate HOSTNAME entry in {NETWORK}"));
                }
                let text = read(host, NETWORK)?;
                let found = text.lines().map(str::trim).find(|line| line.starts_with("HOSTNAME"));
                let value =
                    found.and_then(|line| line.split_once('=')).map(|(_, value)| value.trim().to_owned());
                value.ok_or_else(|| fail!("Unable to locate HOSTNAME entry in {NETWORK}"))
            }
            Self::OpenRc => {
                let text = read(host, CONF)?;
                let found = text.lines().find_map(|line| line.trim().strip_prefix("hostname="));
                Ok(found.unwrap_or_default().trim_matches('"').to_owned())
            }
        }
    }

    /// Set the name, as far as it differs now and later.
    pub fn set(&self, name: &str, now: bool, later: bool, host: &Host) -> Result<()> {
        match self {
            Self::Systemd => {
                if name.chars().count() > 64 {
                    return Err(fail!(
                        "name cannot be longer than 64 characters on systemd servers, try a shorter name"
                    ));
                }
                // NetworkManager complains about a name that is only set for now.
                if later {
                    hostnamectl(host, &["--pretty", "--static", "set-hostname", name])?;
                }
                // To set the static name may have set this one as well.
                if now && self.current(host)? != name {
                    hostnamectl(host, &["--transient", "set-hostname", name])?;
                }
                Ok(())
            }
            Self::File(path) => write(host, path, &format!("{name}\n")),
            Self::Alpine => {
                write(host, FILE, &format!("{name}\n"))?;
                let tell = process(host, "hostname")?.arg("-F").arg(host.path(FILE));
                said(program::run(host, &tell)?).map(drop)
            }
            Self::RedHat => write(host, NETWORK, &red_hat(&read(host, NETWORK)?, name)),
            Self::OpenRc => write(host, CONF, &openrc(&read(host, CONF)?, name)),
        }
    }
}

fn hostnamectl(host: &Host, args: &[&str]) -> Result<String> {
    said(program::run(host, &process(host, "hostnamectl")?.args(args))?)
}

fn said(output: crate::ProcessOutput) -> Result<String> {
    match output.success() {
        true => Ok(output.out().trim().to_owned()),
        false => {
            let (out, err) = (output.out(), output.err());
            Err(fail!("Command failed rc={}, out={out}, err={err}", output.rc))
        }
    }
}

fn read(host: &Host, path: &str) -> Result<String> {
    Ok(textfile::read(host, path)?.unwrap_or_default())
}

/// Containers have files that cannot be replaced, but written.
fn write(host: &Host, path: &str, text: &str) -> Result<()> {
    if textfile::write(host, path, text.as_bytes(), Rights::default()).is_ok() {
        return Ok(());
    }
    std::fs::write(host.path(path), text).map_err(|e| fail!("failed to update hostname: {}", strerror(&e)))
}

/// The last line is the one for the name, unless there is one already.
fn red_hat(text: &str, name: &str) -> String {
    let new = format!("HOSTNAME={name}\n");
    let is_name = |line: &str| line.trim().starts_with("HOSTNAME");
    let mut after = String::new();
    for line in text.split_inclusive('\n') {
        after.push_str(if is_name(line) { &new } else { line });
    }
    if !text.lines().any(is_name) {
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(&new);
    }
    after
}

fn openrc(text: &str, name: &str) -> String {
    let new = format!("hostname=\"{name}\"");
    let mut lines: Vec<&str> = text.lines().map(str::trim).collect();
    match lines.iter().position(|line| line.starts_with("hostname=")) {
        Some(at) => lines[at] = &new,
        None => lines.push(&new),
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_what_else_they_have() {
        assert_eq!(red_hat("NETWORKING=yes\nHOSTNAME=a\n", "b"), "NETWORKING=yes\nHOSTNAME=b\n");
        assert_eq!(red_hat("NETWORKING=yes", "b"), "NETWORKING=yes\nHOSTNAME=b\n");
        assert_eq!(openrc("# The name\nhostname=\"a\"\n", "b"), "# The name\nhostname=\"b\"\n");
        assert_eq!(openrc("", "b"), "hostname=\"b\"\n");
    }

    #[test]
    fn the_distribution_says_where_the_name_is() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::at(dir.path(), dir.path());
        std::fs::create_dir_all(dir.path().join("etc/sysconfig")).unwrap();
        let os = |text: &str| std::fs::write(dir.path().join("etc/os-release"), text).unwrap();
        os("ID=\"centos\"\nVERSION_ID=\"6\"\n");
        std::fs::write(dir.path().join("etc/sysconfig/network"), "HOSTNAME=old\n").unwrap();
        let strategy = Strategy::of(&host).unwrap();
        assert_eq!(strategy.permanent(&host).unwrap(), "old");
        strategy.set("new", true, true, &host).unwrap();
        assert_eq!(strategy.permanent(&host).unwrap(), "new");
        os("ID=fedora\n");
        let error = Strategy::of(&host).err().unwrap();
        assert_eq!(error.msg, "hostname module cannot be used on platform Linux (Fedora)");
    }
}
