//! Files that list mounts, one line or block each. Which format a file has shows in its columns.

use crate::facts::unescape;
use crate::{Map, Value, json, result};

/// One mount as it is listed.
pub struct Row {
    pub mount: String,
    /// The line, or lines, as they are written.
    pub line: String,
    /// `device`, `mount`, `fstype`, `options` and more.
    pub fields: Map,
}

/// A file of any format; nothing if it has none of them.
pub fn parse(text: &str) -> Vec<Row> {
    if text.is_empty() {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let formats = [vfstab, mnttab, fstab, filesystems];
    formats.iter().find_map(|format| format(&lines)).unwrap_or_default()
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn says_something(line: &&&str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// Seven columns, as on Solaris.
fn vfstab(lines: &[&str]) -> Option<Vec<Row>> {
    let row = |line: &&str| {
        let words = words(line);
        let [device, check, mount, fstype, pass, boot, options] = words.get(..7)?.try_into().ok()?;
        let pass = pass.parse::<i64>().map_or_else(|_| pass.into(), Value::from);
        let fields = result! {
            "device": device, "device_to_fsck": check, "mount": mount, "fstype": fstype, "passno": pass,
            "mount_at_boot": boot, "options": options
        };
        Some(Row { mount: mount.into(), line: (*line).into(), fields })
    };
    lines.iter().filter(says_something).map(row).collect()
}

/// Five columns, the last of which is a time.
fn mnttab(lines: &[&str]) -> Option<Vec<Row>> {
    let mut timed = false;
    for line in lines {
        timed = words(line).get(4)?.len() == 10;
        if timed {
            break;
        }
    }
    let row = |line: &&str| {
        let words = words(line);
        let [device, mount, fstype, options, time] = words.get(..5)?.try_into().ok()?;
        let time: i64 = time.parse().ok()?;
        let fields = result! {
            "device": device, "mount": mount, "fstype": fstype, "options": options, "time": time
        };
        Some(Row { mount: mount.into(), line: (*line).into(), fields })
    };
    if timed { lines.iter().map(row).collect() } else { None }
}

/// Four to six columns: fstab(5) and what the kernel lists.
fn fstab(lines: &[&str]) -> Option<Vec<Row>> {
    let row = |line: &&str| {
        let line = line.trim();
        let words: Vec<String> = line.split_whitespace().map(unescape).collect();
        let [device, mount, fstype, options] = words.get(..4)? else { return None };
        let mut fields = result! {"device": device, "mount": mount, "fstype": fstype, "options": options};
        for (name, word) in ["dump", "passno"].iter().zip(&words[4..]) {
            fields.insert((*name).into(), word.parse::<i64>().ok()?.into());
        }
        Some(Row { mount: mount.clone(), line: line.into(), fields })
    };
    lines.iter().filter(says_something).map(row).collect()
}

/// Blocks of settings below the mount point, as on AIX. The file that Linux has of this name is another.
fn filesystems(lines: &[&str]) -> Option<Vec<Row>> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in lines.iter().filter(|line| !line.starts_with('*') && !line.trim().is_empty()) {
        if line.trim_end().ends_with(':') {
            blocks.push(vec![line]);
        } else if line.contains('=') {
            blocks.last_mut()?.push(line);
        } else {
            return Some(Vec::new());
        }
    }
    let row = |block: Vec<&str>| {
        let mount = block[0].trim_end().trim_end_matches(':').to_owned();
        let settings = block[1..].iter().filter_map(|line| line.split_once('='));
        let settings: Map =
            settings.map(|(name, value)| (name.trim().to_owned(), value.trim().into())).collect();
        let get = |name: &str| settings.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        let device: Vec<&str> = [get("nodename"), get("dev")].into_iter().flatten().collect();
        let device = if device.is_empty() { "unknown".to_owned() } else { device.join(":") };
        let fstype = get("vfs").unwrap_or("unknown").to_owned();
        let fields =
            result! {"mount": mount, "device": device, "fstype": fstype, "attributes": json!(settings)};
        Row { mount, line: block.join("\n"), fields }
    };
    Some(blocks.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Value {
        let rows = parse(text);
        assert_eq!(rows.len(), 1, "{text}");
        json!(rows[0].fields)
    }

    #[test]
    fn formats_are_told_by_their_columns() {
        assert_eq!(
            one("# static\n/dev/sda1 /mnt/a\\040b ext4 rw 0 1\n"),
            json!({"device": "/dev/sda1", "mount": "/mnt/a b", "fstype": "ext4", "options": "rw", "dump": 0, "passno": 1})
        );
        assert_eq!(one("proc /proc proc rw")["options"], "rw");
        assert_eq!(one("/dev/dsk/c0 /dev/rdsk/c0 / ufs 1 no -")["mount_at_boot"], "no");
        assert_eq!(one("rpool / zfs rw 1724055352")["time"], 1724055352);
        let aix = one("* comment\n/home:\n  dev = /dev/hd1\n  vfs = jfs2\n  nodename = host\n");
        assert_eq!((&aix["device"], &aix["attributes"]["vfs"]), (&json!("host:/dev/hd1"), &json!("jfs2")));
        assert!(parse("ext4\next3\nnodev proc\n").is_empty());
        assert!(parse("").is_empty());
    }
}
