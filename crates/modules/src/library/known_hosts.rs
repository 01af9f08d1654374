//! `known_hosts`: keys of SSH servers. `ssh-keygen` says which lines are about a host, so that hashed names,
//! patterns and ports mean what they mean to ssh.

use std::fs;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest, Sha1};

use crate::args::Expanded;
use crate::files::{FileAttrs, Replacement, add_path_info, errno_text, write_atomically};
use crate::system::program::{self, process};
use crate::system::textfile;
use crate::{Applied, Effects, Host, Module, Plan, ProcessOutput, Resource, Result, args, fail, result};

args! {
    pub struct KnownHostsArgs {
        /// The host; with a port, `[host]:port`.
        name: String = required(), aliases(&["host"]);
        /// The key as in the file, with the host in front. Without one, `absent` removes all keys of the host.
        key: Option<String>;
        /// The file.
        path: Expanded = default("~/.ssh/known_hosts");
        /// Write the host's name as a hash.
        hash_host: bool = default("no");
        /// Whether the key should be there.
        state: String = choices(&["absent", "present"]), default("present");
    }
}

pub struct KnownHosts;

impl Module for KnownHosts {
    type Args = KnownHostsArgs;
    const NAME: &'static str = "known_hosts";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Add keys of SSH servers to a file of known hosts, or remove them.";

    fn effects(args: &KnownHostsArgs) -> Effects {
        Effects::writes([Resource::Path(args.path.0.clone())])
    }

    fn plan(args: KnownHostsArgs, host: &Host) -> Result<Plan> {
        program::required(host, "ssh-keygen")?;
        let name = args.name.to_lowercase();
        let present = args.state == "present";
        let path = args.path.0.clone();
        let key = match args.key.as_ref().filter(|key| !key.is_empty()) {
            Some(key) => Some(line_of(key, args.hash_host.then_some(name.as_str()))?),
            None if present => return Err(fail!("No key specified when adding a host")),
            None => None,
        };
        if let Some(key) = &key {
            check(&name, key, host)?;
        }
        let found = search(&name, key.as_deref(), &path, host)?;
        let before = read(&path, host)?;
        let after = edited(before.as_deref().unwrap_or_default(), key.as_deref(), present, &found);
        let mut result = result! {
            "name": args.name, "key": args.key, "path": path, "hash_host": args.hash_host, "state": args.state
        };
        // Check mode says no more, unless there is not even a key of the kind to remove.
        let brief = host.check() && !matches!((&found, present), (Found::OtherKinds, false));
        let brief = brief && !(key.is_some() && !present && found == Found::Nothing);
        let old_header = if before.is_some() { path.as_str() } else { "/dev/null" };
        let diff = textfile::diff(before.as_deref().unwrap_or_default(), &after, old_header, &path);
        let change = match (&found, present) {
            (Found::Nothing, _) => present,
            (Found::Same(_), _) => !present,
            (Found::Other(_) | Found::OtherKinds, true) => true,
            (Found::Other(_), false) => true,
            (Found::OtherKinds, false) => false,
            (Found::Host, _) => true,
        };
        if brief {
            result.clear();
        } else {
            add_path_info(host, &mut result);
        }
        let plan = match change {
            false => Plan::unchanged(result),
            // All keys of the host, whichever they are.
            true if matches!(found, Found::Host) => {
                Plan::change(result, move |host| remove(&name, &path, host))
            }
            true => Plan::change(result, move |host| write(&path, &after, host)),
        };
        Ok(plan.with_diff(diff))
    }
}

/// What a file says about a host.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// Something, and no key was asked for.
    Host,
    /// The very key, on this line (from 1).
    Same(usize),
    /// A key of the same kind.
    Other(usize),
    /// Keys of other kinds only.
    OtherKinds,
}

/// The line to write.
fn line_of(key: &str, hashed: Option<&str>) -> Result<String> {
    let mut line = match hashed {
        None => key.to_owned(),
        Some(name) => {
            let mut words: Vec<String> = key.split_whitespace().map(str::to_owned).collect();
            let at = usize::from(words.first().is_some_and(|word| word.starts_with('@')));
            match words.get_mut(at) {
                Some(word) => *word = hash(name)?,
                None => return Err(fail!("the key has no field for the host: {key}")),
            }
            words.join(" ")
        }
    };
    if !line.ends_with('\n') {
        line.push('\n');
    }
    Ok(line)
}

/// `|1|salt|hash`: HMAC-SHA1 of the name (sshd(8)).
fn hash(name: &str) -> Result<String> {
    let mut salt = [0u8; 20];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| std::io::Read::read_exact(&mut source, &mut salt))
        .map_err(|e| fail!("could not read /dev/urandom: {e}"))?;
    Ok(format!("|1|{}|{}", BASE64.encode(salt), BASE64.encode(hmac(&salt, name.as_bytes()))))
}

/// HMAC-SHA1 (RFC 2104); the key is shorter than a block.
fn hmac(key: &[u8; 20], text: &[u8]) -> Vec<u8> {
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha1::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha1::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

fn keygen(what: &str, name: &str, path: &std::path::Path, host: &Host) -> Result<ProcessOutput> {
    program::run(host, &process(host, "ssh-keygen")?.args([what, name]).arg("-f").arg(path))
}

/// Is the key about this host?
fn check(name: &str, key: &str, host: &Host) -> Result<()> {
    if name.match_indices(',').any(|(at, _)| !name[..at].trim().is_empty()) {
        return Err(fail!(
            "Comma separated list of names is not supported. Please pass a single name to lookup in the known_hosts \
             file."
        ));
    }
    let file = tempfile::NamedTempFile::new_in(host.tmp());
    let mut file = file.map_err(|e| fail!("could not make a temporary file: {e}"))?;
    file.write_all(key.as_bytes()).map_err(|e| fail!("could not write a temporary file: {e}"))?;
    if keygen("-F", name, file.path(), host)?.stdout.is_empty() {
        return Err(fail!("Host parameter does not match hashed host field in supplied key"));
    }
    Ok(())
}

fn search(name: &str, key: Option<&str>, path: &str, host: &Host) -> Result<Found> {
    let real = host.path(path);
    if !real.exists() {
        return Ok(Found::Nothing);
    }
    let said = keygen("-F", name, &real, host)?;
    if said.stdout.is_empty() && said.stderr.is_empty() && matches!(said.rc, 0 | 1) {
        return Ok(Found::Nothing);
    }
    if !said.success() {
        let (out, err) = (said.out(), said.err());
        return Err(fail!("ssh-keygen failed (rc={}, stdout='{out}',stderr='{err}')", said.rc));
    }
    match key {
        None => Ok(Found::Host),
        Some(key) => compare(key, &said.out()),
    }
}

/// The fields that count.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    marker: Option<String>,
    hosts: String,
    kind: String,
    body: String,
}

impl Entry {
    fn parse(line: &str) -> Result<Self> {
        let mut words = line.split_whitespace().map(str::to_owned).peekable();
        let marker = words.next_if(|word| word.starts_with('@'));
        match (words.next(), words.next(), words.next()) {
            (Some(hosts), Some(kind), Some(body)) => Ok(Self { marker, hosts, kind, body }),
            _ => Err(fail!("a line is no key of a known host: {}", line.trim())),
        }
    }
}

/// Compare a key with what ssh-keygen found: comments with the numbers of lines, and the lines.
fn compare(key: &str, found: &str) -> Result<Found> {
    let mut wanted = Entry::parse(key)?;
    let mut number = 0;
    for line in found.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix('#') {
            let digits = comment.rsplit_once("found: line ").map(|(_, rest)| rest);
            let digits =
                digits.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
            number = digits
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(|| fail!("failed to parse output of ssh-keygen for line number: '{line}'"))?;
            continue;
        }
        let there = Entry::parse(line)?;
        let marked = there.marker.as_deref();
        let marked = marked.is_some_and(|m| m.starts_with("@cert-authority") || m.starts_with("@revoke"));
        // Every hash of a name is another one.
        if !marked && wanted.hosts.starts_with("|1|") && there.hosts.starts_with("|1|") {
            wanted.hosts.clone_from(&there.hosts);
        }
        if wanted == there {
            return Ok(Found::Same(number));
        }
        if !marked && wanted.kind == there.kind {
            return Ok(Found::Other(number));
        }
    }
    Ok(Found::OtherKinds)
}

/// The file afterwards: a new key is its last line, also where it takes the place of another.
fn edited(text: &str, key: Option<&str>, present: bool, found: &Found) -> String {
    let gone = match found {
        Found::Same(line) if !present => Some(*line),
        Found::Other(line) => Some(*line),
        _ => None,
    };
    let lines = text.split_inclusive('\n').enumerate();
    let mut after: String = lines.filter(|(at, _)| Some(at + 1) != gone).map(|(_, line)| line).collect();
    if let Some(key) = key.filter(|_| present && !matches!(found, Found::Same(_))) {
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(key);
    }
    after
}

/// The whole file; it is written again, so that nothing of it may be lost.
fn read(path: &str, host: &Host) -> Result<Option<String>> {
    match fs::read(host.path(path)) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(fail!("{path} is not in UTF-8")),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(fail!("Failed to read '{path}': {}: '{path}'", errno_text(&e, None))),
    }
}

fn write(path: &str, text: &str, host: &Host) -> Result<Applied> {
    let attrs = FileAttrs::with_mode(None);
    let dir = host.path(path);
    if let Some(dir) = dir.parent().filter(|dir| !dir.as_os_str().is_empty())
        && let Err(e) = fs::metadata(dir)
    {
        return Err(fail!("Failed to write to file '{path}': {}: '{}'", errno_text(&e, None), dir.display()));
    }
    let replacement = Replacement { path, attrs: &attrs, new_mode: None, instead: None };
    write_atomically(host, &replacement, &mut text.as_bytes())?;
    done(path, host)
}

fn done(path: &str, host: &Host) -> Result<Applied> {
    let mut result = result! {"path": path};
    add_path_info(host, &mut result);
    Applied::with(result)
}

/// ssh-keygen keeps the file as it was beside it, with `.old` behind its name.
fn remove(name: &str, path: &str, host: &Host) -> Result<Applied> {
    let said = keygen("-R", name, &host.path(path), host)?;
    if said.success() {
        return done(path, host);
    }
    Err(fail!("{}", said.err().trim_end())
        .with("cmd", format!("ssh-keygen -R {name} -f {path}"))
        .with("rc", said.rc)
        .with("stdout", said.out())
        .with("stderr", said.err()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_with_what_is_there() {
        let found =
            "# Host h found: line 3 \nh ssh-rsa AAAA me@here\n# Host h found: line 5 \nh ssh-ed25519 BBBB\n";
        assert_eq!(compare("h ssh-rsa AAAA\n", found).unwrap(), Found::Same(3));
        assert_eq!(compare("h ssh-ed25519 CCCC\n", found).unwrap(), Found::Other(5));
        assert_eq!(compare("h ecdsa DDDD\n", found).unwrap(), Found::OtherKinds);
        assert_eq!(
            compare("@revoked h ssh-dss E\n", "# Host h found: line 1\n@revoked h ssh-dss E\n").unwrap(),
            Found::Same(1)
        );
        assert_eq!(
            compare("|1|a|b ssh-rsa AAAA\n", "# Host h found: line 2\n|1|c|d ssh-rsa AAAA\n").unwrap(),
            Found::Same(2)
        );
    }

    #[test]
    fn a_new_key_is_the_last_line() {
        assert_eq!(edited("a 1\nb 2\nc 3", Some("b 4\n"), true, &Found::Other(2)), "a 1\nc 3\nb 4\n");
        assert_eq!(edited("a 1\nb 2\n", Some("b 2\n"), false, &Found::Same(2)), "a 1\n");
        assert_eq!(edited("a 1\n", Some("a 1\n"), true, &Found::Same(1)), "a 1\n");
    }

    /// The first case of RFC 2202.
    #[test]
    fn names_are_hashed_as_ssh_does() {
        assert_eq!(hex::encode(hmac(&[0x0b; 20], b"Hi There")), "b617318655057264e28bc0b6fb378c8ef146be00");
    }
}
