//! The database of dpkg, read as the file it is.
//!
//! `/var/lib/dpkg/status` has some hundred kilobytes and takes a millisecond or two to look through, where
//! `dpkg-query` takes ten and Python's apt a second. It is kept in memory as long as it does not change, so
//! that a play with fifty package tasks reads it once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;

use crate::{Host, Result, fail};

/// One package of the status file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub architecture: String,
    pub version: String,
    /// What should be: `install`, `hold`, `deinstall`, `purge`.
    pub selection: String,
    /// What is: `installed`, `config-files`, `half-configured` ...
    pub state: String,
    /// Names it provides, without versions.
    pub provides: Vec<String>,
    pub source: String,
    pub section: String,
    pub auto_essential: bool,
}

impl Package {
    pub fn installed(&self) -> bool {
        self.state == "installed"
    }

    /// Something of it is on the disk, if only its configuration.
    pub fn has_files(&self) -> bool {
        self.state != "not-installed"
    }

    /// Unpacked in some way; `state: absent` has something to do.
    pub fn unpacked(&self) -> bool {
        !matches!(self.state.as_str(), "not-installed" | "config-files")
    }
}

/// The whole database.
#[derive(Debug, Default)]
pub struct Status {
    pub packages: Vec<Package>,
    by_name: HashMap<String, Vec<usize>>,
    provided: HashMap<String, Vec<usize>>,
    /// `dpkg --print-architecture`, judged by the architecture of dpkg itself.
    pub architecture: String,
}

impl Status {
    fn parse(text: &str) -> Self {
        let mut status = Self::default();
        for stanza in text.split("\n\n") {
            if let Some(package) = package(stanza) {
                status.add(package);
            }
        }
        let native = status.named("dpkg").map(|p| p.architecture.clone()).next();
        status.architecture = native.unwrap_or_default();
        status
    }

    fn add(&mut self, package: Package) {
        let at = self.packages.len();
        self.by_name.entry(package.name.clone()).or_default().push(at);
        for name in &package.provides {
            self.provided.entry(name.clone()).or_default().push(at);
        }
        self.packages.push(package);
    }

    /// Packages of this name, one for each architecture.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Package> {
        self.by_name.get(name).into_iter().flatten().map(|&i| &self.packages[i])
    }

    /// The package that `name` or `name:architecture` means: the installed one first, then the native one.
    pub fn find(&self, name: &str) -> Option<&Package> {
        let (name, architecture) = match name.split_once(':') {
            Some((name, architecture)) => (name, Some(architecture)),
            None => (name, None),
        };
        let fits = |p: &&Package| match architecture {
            None | Some("any") => true,
            Some("native") => p.architecture == self.architecture || p.architecture == "all",
            Some(wanted) => p.architecture == wanted || p.architecture == "all",
        };
        let rank = |p: &&Package| (p.installed(), p.unpacked(), p.architecture == self.architecture);
        self.named(name).filter(fits).max_by_key(rank)
    }

    /// Installed packages that provide this name.
    pub fn providers(&self, name: &str) -> impl Iterator<Item = &Package> {
        self.provided.get(name).into_iter().flatten().map(|&i| &self.packages[i]).filter(|p| p.installed())
    }
}

fn package(stanza: &str) -> Option<Package> {
    let mut package = Package {
        name: String::new(),
        architecture: String::new(),
        version: String::new(),
        selection: String::new(),
        state: String::new(),
        provides: Vec::new(),
        source: String::new(),
        section: String::new(),
        auto_essential: false,
    };
    for line in stanza.lines() {
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key {
            "Package" => package.name = value.into(),
            "Architecture" => package.architecture = value.into(),
            "Version" => package.version = value.into(),
            "Source" => package.source = value.split(' ').next().unwrap_or_default().into(),
            "Section" => package.section = value.into(),
            "Essential" => package.auto_essential = value == "yes",
            "Provides" => package.provides = names(value),
            "Status" => {
                let mut words = value.split_whitespace();
                package.selection = words.next().unwrap_or_default().into();
                package.state = words.nth(1).unwrap_or_default().into();
            }
            _ => {}
        }
    }
    (!package.name.is_empty()).then_some(package)
}

/// Names of a relation field, without versions and architectures.
fn names(field: &str) -> Vec<String> {
    let name = |item: &str| {
        let item = item.trim();
        item.split([' ', '(', ':']).next().unwrap_or_default().to_owned()
    };
    field.split(',').map(name).filter(|n| !n.is_empty()).collect()
}

/// Is there a dpkg database at all?
pub fn is_here(host: &Host) -> bool {
    host.path("/var/lib/dpkg/status").exists()
}

/// The database as it is now.
pub fn status(host: &Host) -> Result<Arc<Status>> {
    type Cached = Option<(PathBuf, SystemTime, u64, Arc<Status>)>;
    static CACHE: OnceLock<Mutex<Cached>> = OnceLock::new();
    let path = host.path("/var/lib/dpkg/status");
    let meta = path.metadata().map_err(|e| fail!("could not read /var/lib/dpkg/status: {e}"))?;
    let stamp = (meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len());
    let mut cache = CACHE.get_or_init(Mutex::default).lock().unwrap_or_else(|e| e.into_inner());
    if let Some((of, time, size, status)) = &*cache
        && (of, *time, *size) == (&path, stamp.0, stamp.1)
    {
        return Ok(status.clone());
    }
    let bytes = std::fs::read(&path).map_err(|e| fail!("could not read /var/lib/dpkg/status: {e}"))?;
    let status = Arc::new(Status::parse(&String::from_utf8_lossy(&bytes)));
    *cache = Some((path, stamp.0, stamp.1, status.clone()));
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_file_is_understood() {
        let status = Status::parse(
            "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n\n\
             Package: nginx\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1.2\n\
             Conffiles:\n /etc/nginx.conf abc\n\n\
             Package: postfix\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 3\n\
             Provides: mail-transport-agent, default-mta (= 1)\n\n\
             Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2\n\n\
             Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\n",
        );
        assert_eq!(status.architecture, "amd64");
        assert!(!status.find("nginx").unwrap().unpacked());
        assert_eq!(status.find("postfix").unwrap().selection, "hold");
        assert_eq!(status.providers("default-mta").next().unwrap().name, "postfix");
        assert_eq!(status.find("libc6").unwrap().architecture, "amd64");
        assert_eq!(status.find("libc6:i386").unwrap().architecture, "i386");
        assert!(status.find("libc6:arm64").is_none());
    }
}
