//! Sizes of file systems, and the UUIDs of devices.

use std::collections::HashMap;
use std::os::unix::fs::FileTypeExt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::statvfs::statvfs;

use super::Limits;
use crate::facts::{device_uuid, size_facts};
use crate::process::find_program;
use crate::{Host, Map, Process, Result};

/// The size of what is mounted; nothing if it cannot be asked. A server that does not answer must not stop the rest:
/// the thread that waits for it is left behind.
pub fn size(mount: &str, fstype: &str, limits: &mut Limits, host: &Host) -> Result<Map> {
    let path = host.path(mount);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(statvfs(&path).ok()));
    let limit = limits.duration().unwrap_or(Duration::from_secs(10));
    match receiver.recv_timeout(limit) {
        Ok(size) => Ok(size.and_then(|size| size_facts(&size).as_object().cloned()).unwrap_or_default()),
        Err(_) => {
            limits.over(format!("Timed out getting mount size for mount {mount} (type {fstype})"))?;
            Ok(Map::new())
        }
    }
}

/// What is known of devices.
#[derive(Default)]
pub struct Devices {
    /// UUIDs as `lsblk` lists them.
    listed: Option<HashMap<String, String>>,
}

impl Devices {
    /// The device that has a file system with this UUID.
    pub fn by_uuid(&mut self, uuid: &str, limits: &mut Limits, host: &Host) -> Result<Option<String>> {
        let link = host.path(format!("/dev/disk/by-uuid/{uuid}"));
        if let Ok(device) = std::fs::canonicalize(link) {
            return Ok(Some(device.to_string_lossy().into_owned()));
        }
        let Some(blkid) = find_program(host, "blkid") else { return Ok(None) };
        let shown = format!("['{}', '--uuid', '{uuid}']", blkid.display());
        let said = limits.run(Process::new(blkid).args(["--uuid", uuid]), &shown, host)?;
        let found = said.filter(|said| said.success()).map(|said| said.out().trim().to_owned());
        Ok(found.filter(|device| !device.is_empty()))
    }

    /// The UUID of a device's file system.
    pub fn uuid(&mut self, device: &str, limits: &mut Limits, host: &Host) -> Result<Option<String>> {
        let real = host.path(device);
        if !device.starts_with('/') || !real.metadata().is_ok_and(|meta| meta.file_type().is_block_device()) {
            return Ok(None);
        }
        if let Some(uuid) = device_uuid(host, device) {
            return Ok(Some(uuid));
        }
        if self.listed.is_none() {
            self.listed = Some(list(limits, host)?);
        }
        Ok(self.listed.as_ref().and_then(|listed| listed.get(device).cloned()))
    }
}

fn list(limits: &mut Limits, host: &Host) -> Result<HashMap<String, String>> {
    let Some(lsblk) = find_program(host, "lsblk") else { return Ok(HashMap::new()) };
    let args = ["--list", "--noheadings", "--paths", "--output", "NAME,UUID", "--exclude", "2"];
    let words: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
    let shown = format!("['{}', {}]", lsblk.display(), words.join(", "));
    let said = limits.run(Process::new(lsblk).args(args), &shown, host)?;
    let text = said.filter(|said| said.success()).map(|said| said.out()).unwrap_or_default();
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    Ok(text.lines().filter_map(pair).collect())
}
