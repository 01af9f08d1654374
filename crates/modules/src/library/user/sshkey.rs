//! `generate_ssh_key`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use crate::system::accounts::User as Entry;
use crate::system::{program, textfile};
use crate::{Host, Map, Result, fail, json, result};

use super::UserArgs;
use super::account::Said;

/// The key that the user has or should have.
pub struct Key {
    pub file: String,
    /// It has to be made.
    pub missing: bool,
    pub result: Map,
}

/// `None` when no key is asked for.
pub fn plan(args: &UserArgs, home: &str, host: &Host) -> Result<Option<Key>> {
    if !args.generate_ssh_key {
        return Ok(None);
    }
    let file = match &args.ssh_key_file {
        Some(file) if file.starts_with('/') => file.0.clone(),
        Some(file) => format!("{home}/{}", file.0),
        None => format!("{home}/.ssh/id_{}", args.ssh_key_type),
    };
    let missing = args.force || !host.path(&file).exists();
    let result = describe(&file, host)?;
    Ok(Some(Key { file, missing, result }))
}

fn describe(file: &str, host: &Host) -> Result<Map> {
    let public = textfile::read(host, &format!("{file}.pub"))?.map(|t| t.trim().to_owned());
    Ok(result! {
        "ssh_key_file": file,
        "ssh_fingerprint": public.as_deref().and_then(fingerprint).unwrap_or_default(),
        "ssh_public_key": public.map_or(json!(null), Into::into)
    })
}

/// Make the key if it is missing; the answer describes what is there.
pub fn generate(args: &UserArgs, user: &Entry, key: Key, host: &Host, said: &mut Said) -> Result<Map> {
    if !key.missing {
        return Ok(key.result);
    }
    let path = host.path(&key.file);
    let dir = path.parent().unwrap_or(Path::new("/"));
    let own = |path: &Path| chown(path, Some(user.uid), Some(user.gid));
    if !dir.exists() {
        let made = fs::DirBuilder::new().mode(0o700).create(dir).and_then(|()| own(dir));
        made.map_err(|e| fail!("Failed to create {}: {e}", dir.display()))?;
    }
    let comment = args.ssh_key_comment.clone().unwrap_or_else(|| {
        let name = nix::unistd::gethostname().unwrap_or_default();
        format!("ansible-generated on {}", name.to_string_lossy())
    });
    let _ = fs::remove_file(&path);
    let mut process = program::process(host, "ssh-keygen")?;
    process = process.args(["-q", "-t", &args.ssh_key_type]);
    if args.ssh_key_bits > 0 {
        process = process.args(["-b", &args.ssh_key_bits.to_string()]);
    }
    process = process.args(["-C", &comment, "-f"]).arg(&path);
    // The passphrase is asked for by a program of ours, because arguments of processes are public.
    let _askpass;
    process = match &args.ssh_key_passphrase {
        None => process.args(["-N", ""]),
        Some(secret) => {
            let dir = tempfile::tempdir_in(host.tmp()).map_err(|e| fail!("{e}"))?;
            let script = dir.path().join("askpass");
            let mut file = fs::OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(0o700)
                .open(&script)
                .map_err(|e| fail!("{e}"))?;
            file.write_all(b"#!/bin/sh\nprintf '%s\\n' \"$PROVISION_PASSPHRASE\"\n")
                .map_err(|e| fail!("{e}"))?;
            drop(file);
            _askpass = dir;
            process
                .env("SSH_ASKPASS", script.display().to_string())
                .env("SSH_ASKPASS_REQUIRE", "force")
                .env("DISPLAY", ":")
                .env("PROVISION_PASSPHRASE", secret.clone())
        }
    };
    said.run(host, &args.name, &process)?;
    for file in [path.clone(), host.path(format!("{}.pub", key.file))] {
        own(&file).map_err(|e| fail!("could not give {} to {}: {e}", file.display(), args.name))?;
    }
    describe(&key.file, host)
}

/// What `ssh-keygen -l` prints about a public key: bits, hash, comment and type.
fn fingerprint(line: &str) -> Option<String> {
    let mut words = line.splitn(3, ' ');
    let (kind, body, comment) = (words.next()?, words.next()?, words.next().unwrap_or("no comment"));
    let blob = STANDARD.decode(body).ok()?;
    let hash = STANDARD_NO_PAD.encode(Sha256::digest(&blob));
    let mut fields = Vec::new();
    let mut rest = blob.as_slice();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        fields.push(tail.get(..length)?);
        rest = &tail[length..];
    }
    let (bits, name) = match kind {
        "ssh-ed25519" => (256, "ED25519"),
        "ssh-rsa" => (bits(fields.get(2)?), "RSA"),
        "ssh-dss" => (bits(fields.get(1)?), "DSA"),
        "ecdsa-sha2-nistp256" => (256, "ECDSA"),
        "ecdsa-sha2-nistp384" => (384, "ECDSA"),
        "ecdsa-sha2-nistp521" => (521, "ECDSA"),
        "sk-ssh-ed25519@openssh.com" => (256, "ED25519-SK"),
        "sk-ecdsa-sha2-nistp256@openssh.com" => (256, "ECDSA-SK"),
        _ => return None,
    };
    Some(format!("{bits} SHA256:{hash} {comment} ({name})"))
}

/// Length of an SSH multiple precision integer.
fn bits(number: &[u8]) -> usize {
    let number = &number[number.iter().take_while(|b| **b == 0).count()..];
    number.len() * 8 - number.first().map_or(0, |b| b.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn the_fingerprint_is_that_of_ssh_keygen() {
        // Recorded from ssh-keygen -l (OpenSSH 9.2).
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIxlsftyR22iTQWtHD2cMGCtziTc4iNRX7yYgOY2VkFW ada@home";
        let said = "256 SHA256:uOwg7JUNkqs6W+gAP85IMvJrD9PO5fq6Ek08yx+Uoko ada@home (ED25519)";
        assert_eq!(fingerprint(key).as_deref(), Some(said));
    }
}
