//! Would `systemctl daemon-reload` change anything?

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use crate::system::program;
use crate::{Host, Result};

use super::{SystemdArgs, systemctl};

/// Where unit files and drop-ins are.
const UNITS: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/etc/systemd/system.control",
    "/run/systemd/transient",
];

/// What the generators read that are known here.
const INPUTS: &[&str] = &[
    "/etc/fstab",
    "/etc/crypttab",
    "/etc/integritytab",
    "/etc/veritytab",
    "/etc/init.d",
    "/etc/rc0.d",
    "/etc/rc1.d",
    "/etc/rc2.d",
    "/etc/rc3.d",
    "/etc/rc4.d",
    "/etc/rc5.d",
    "/etc/rc6.d",
    "/etc/rcS.d",
    "/etc/rc.local",
    "/etc/postgresql",
    "/etc/openvpn",
    "/etc/environment.d",
];

const GENERATORS: &[&str] = &[
    "/etc/systemd/system-generators",
    "/usr/local/lib/systemd/system-generators",
    "/usr/lib/systemd/system-generators",
    "/lib/systemd/system-generators",
];

/// Generators of others than systemd whose input is in the list above.
const KNOWN: &[&str] = &["postgresql-generator", "openvpn-generator"];

/// Conservative: what cannot be known for certain is a yes.
pub fn is_due(args: &SystemdArgs, host: &Host) -> Result<bool> {
    if args.scope != "system" || !host.is_real() || has_unknown_generator(host) {
        return Ok(true);
    }
    let properties = "--property=UnitsLoadTimestampMonotonic";
    let output = program::run(host, &systemctl(args, host)?.args(["show", properties]))?;
    let text = output.out();
    let loaded =
        text.trim().strip_prefix("UnitsLoadTimestampMonotonic=").and_then(|v| v.parse::<i128>().ok());
    let Some(loaded) = loaded.filter(|_| output.success()) else { return Ok(true) };
    let (Some(real), Ok(monotonic)) =
        (SystemTime::now().duration_since(UNIX_EPOCH).ok(), clock_gettime(ClockId::CLOCK_MONOTONIC))
    else {
        return Ok(true);
    };
    // The moment of loading as a time of files, in microseconds; a little earlier, to be on the safe side.
    let monotonic = i128::from(monotonic.tv_sec()) * 1_000_000 + i128::from(monotonic.tv_nsec()) / 1000;
    let loaded = real.as_micros() as i128 - (monotonic - loaded) - 20_000;
    let newer = UNITS.iter().chain(INPUTS).any(|path| is_newer(&host.path(path), loaded, 4));
    Ok(newer)
}

fn has_unknown_generator(host: &Host) -> bool {
    let entries = GENERATORS.iter().filter_map(|dir| fs::read_dir(host.path(dir)).ok()).flatten().flatten();
    entries
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .any(|name| !(name.starts_with("systemd-") || KNOWN.contains(&name.as_str())))
}

/// Has the file, or anything below the directory, changed since?
fn is_newer(path: &Path, since: i128, depth: u32) -> bool {
    let Ok(meta) = fs::symlink_metadata(path) else { return false };
    let changed =
        |m: &fs::Metadata| i128::from(m.ctime()) * 1_000_000 + i128::from(m.ctime_nsec()) / 1000 > since;
    if changed(&meta) || (meta.is_symlink() && fs::metadata(path).is_ok_and(|m| changed(&m))) {
        return true;
    }
    // `/lib` may be a link to `/usr/lib`; what a link inside points to is looked at by itself.
    if depth == 0 || !meta.is_dir() {
        return false;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.into_iter().any(|e| is_newer(&e.path(), since, depth - 1))
}
