//! Is this a changed root?

use std::os::unix::fs::MetadataExt;

use crate::Host;

/// Is `/` another directory than that of the first process?
pub fn is_chroot(host: &Host) -> bool {
    if std::env::var_os("debian_chroot").is_some_and(|c| !c.is_empty()) {
        return true;
    }
    let here = std::fs::metadata(host.path("/"));
    let first = std::fs::metadata(host.path("/proc/1/root/."));
    match (here, first) {
        (Ok(here), Ok(first)) => here.ino() != first.ino() || here.dev() != first.dev(),
        // The number of a root directory: 2 in most file systems, 256 in btrfs, 128 in xfs.
        (Ok(here), Err(_)) => {
            let mounts = std::fs::read_to_string(host.path("/proc/self/mounts")).unwrap_or_default();
            let root = mounts.lines().find_map(|line| {
                let mut fields = line.split(' ').skip(1);
                (fields.next() == Some("/")).then(|| fields.next().unwrap_or_default())
            });
            let number = match root {
                Some("btrfs") => 256,
                Some("xfs") => 128,
                _ => 2,
            };
            here.ino() != number
        }
        _ => false,
    }
}
