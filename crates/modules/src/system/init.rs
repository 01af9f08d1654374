//! Who is process 1.

use crate::Host;
use crate::process::find_program;

/// Does systemd run this machine, and is there `systemctl` to talk to it?
pub fn is_systemd(host: &Host) -> bool {
    let canaries = ["/run/systemd/system/", "/dev/.run/systemd/", "/dev/.systemd/"];
    find_program(host, "systemctl").is_some()
        && (canaries.iter().any(|path| host.path(path).exists())
            || std::fs::read_to_string(host.path("/proc/1/comm")).is_ok_and(|comm| comm.trim() == "systemd"))
}
