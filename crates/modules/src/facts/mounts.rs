//! Mounted file systems: those on devices and on the network.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::statvfs::{Statvfs, statvfs};
use serde_json::{Value, json};

use super::{Facts, text};
use crate::Host;

pub fn collect(facts: &mut Facts<'_>) {
    let table = facts.read("/etc/mtab").or_else(|| facts.read("/proc/mounts")).unwrap_or_default();
    let binds = bind_mounts(facts);
    let mut mounts: Vec<Value> = Vec::new();
    for line in table.lines() {
        let fields: Vec<String> = line.split_whitespace().map(unescape).collect();
        let [device, mount, fstype, options, rest @ ..] = &fields[..] else { continue };
        if (!device.starts_with(['/', '\\']) && !device.contains(":/")) || fstype == "none" {
            continue;
        }
        let number = |at: usize| rest.get(at).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        let mut options = options.clone();
        if binds.get(mount).copied().unwrap_or(false) && !options.split(',').any(|o| o == "bind") {
            options.push_str(",bind");
        }
        let mut entry = json!({
            "mount": mount,
            "device": device,
            "fstype": fstype,
            "options": options,
            "dump": number(0),
            "passno": number(1),
            "uuid": device_uuid(facts.host, device).unwrap_or_else(|| "N/A".into()),
        });
        match size(facts, mount, fstype) {
            Ok(Some(size)) => {
                if let (Value::Object(entry), Value::Object(size)) = (&mut entry, size_facts(&size)) {
                    entry.extend(size);
                }
            }
            Ok(None) => {}
            Err(note) => entry["note"] = note.into(),
        }
        mounts.push(entry);
    }
    facts.add("mounts", mounts);
}

/// Which mount points show a part of a file system (field 4 of mountinfo, proc_pid_mountinfo(5)), other than the
/// subvolumes that btrfs mounts all the same.
fn bind_mounts(facts: &Facts<'_>) -> HashMap<String, bool> {
    facts
        .lines("/proc/self/mountinfo")
        .iter()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let at = fields.iter().position(|f| *f == "-")?;
            let part = *fields.get(3)? != "/" && *fields.get(at + 1)? != "nsfs";
            Some((unescape(fields.get(4)?), part))
        })
        .collect()
}

/// Octal escapes of blanks in mount tables.
pub(crate) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 4).filter(|_| bytes[at] == b'\\');
        let code = code.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        match code {
            Some(byte) => {
                out.push(byte);
                at += 4;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Sizes; a server that does not answer must not stop the rest, so file systems on the network are asked by a
/// thread that may be left behind.
fn size(facts: &Facts<'_>, mount: &str, fstype: &str) -> Result<Option<Statvfs>, &'static str> {
    let path = facts.host.path(mount);
    let remote = ["nfs", "cifs", "smb", "fuse", "9p", "ceph", "gluster", "afs", "lustre", "autofs"];
    if !remote.iter().any(|r| fstype.starts_with(r)) {
        return Ok(statvfs(&path).ok());
    }
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(statvfs(&path).ok()));
    let left = facts.until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    receiver.recv_timeout(left).map_err(|_| "Could not get extra information due to timeout")
}

// On 32-bit machines they are shorter.
#[allow(clippy::unnecessary_cast)]
pub(crate) fn size_facts(size: &Statvfs) -> Value {
    let fragment = size.fragment_size() as u64;
    let (blocks, available) = (size.blocks() as u64, size.blocks_available() as u64);
    let (inodes, free) = (size.files() as u64, size.files_available() as u64);
    json!({
        "size_total": fragment * blocks,
        "size_available": fragment * available,
        "block_size": size.block_size() as u64,
        "block_total": blocks,
        "block_available": available,
        "block_used": blocks.saturating_sub(available),
        "inode_total": inodes,
        "inode_available": free,
        "inode_used": inodes.saturating_sub(free),
    })
}

/// UUID of the file system on a device, from udev's links and database.
pub(crate) fn device_uuid(host: &Host, device: &str) -> Option<String> {
    let real = std::fs::canonicalize(host.path(device)).ok()?;
    let links = std::fs::read_dir(host.path("/dev/disk/by-uuid"));
    for link in links.into_iter().flatten().flatten() {
        if std::fs::canonicalize(link.path()).is_ok_and(|to| to == real) {
            return Some(link.file_name().to_string_lossy().replace("\\x20", " "));
        }
    }
    use std::os::unix::fs::MetadataExt;
    let number = std::fs::metadata(&real).ok()?.rdev();
    let (major, minor) = (nix::sys::stat::major(number), nix::sys::stat::minor(number));
    let data = text::read(&host.path(format!("/run/udev/data/b{major}:{minor}")))?;
    data.lines().find_map(|l| l.strip_prefix("E:ID_FS_UUID=").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    #[test]
    fn blanks_are_unescaped() {
        assert_eq!(super::unescape(r"/mnt/a\040b\134c\0"), r"/mnt/a b\c\0");
    }
}
