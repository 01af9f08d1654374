//! What programs like `mount` say.

use fancy_regex::Regex;

use super::table::Row;
use crate::{Map, result};

/// All lines have to be of one format.
pub fn parse(text: &str) -> Vec<Row> {
    let lines: Vec<&str> = text.lines().collect();
    if lines.iter().all(|line| linux(line).is_some()) {
        return rows(&lines, linux);
    }
    if lines.iter().filter(|line| !line.starts_with("map ")).all(|line| bsd(line).is_some()) {
        return rows(&lines, bsd);
    }
    if let Ok(pattern) = Regex::new(AIX)
        && lines.len() > 2
        && lines[2..].iter().all(|line| aix(&pattern, line).is_some())
    {
        return rows(&lines, |line| aix(&pattern, line));
    }
    Vec::new()
}

fn rows(lines: &[&str], read: impl Fn(&str) -> Option<(String, Map)>) -> Vec<Row> {
    let row = |line: &&str| {
        let (mount, fields) = read(line)?;
        Some(Row { mount, line: (*line).to_owned(), fields })
    };
    lines.iter().filter_map(row).collect()
}

/// `DEVICE on MOUNT`, and what comes behind it.
fn beginning(line: &str) -> Option<(&str, &str, &str)> {
    let (device, rest) = line.split_once(" on ")?;
    let (mount, rest) = rest.split_once(' ')?;
    let plain = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    (plain(device) && plain(mount)).then_some((device, mount, rest))
}

fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('(')?.strip_suffix(')').filter(|inner| !inner.is_empty())
}

/// `DEVICE on MOUNT type FSTYPE (OPTIONS)`.
fn linux(line: &str) -> Option<(String, Map)> {
    let (device, mount, rest) = beginning(line)?;
    let (fstype, options) = rest.strip_prefix("type ")?.split_once(' ')?;
    let options = bracketed(options)?;
    let fields = result! {"device": device, "mount": mount, "fstype": fstype, "options": options};
    Some((mount.to_owned(), fields))
}

/// `DEVICE on MOUNT (FSTYPE, OPTIONS)`.
fn bsd(line: &str) -> Option<(String, Map)> {
    let (device, mount, rest) = beginning(line)?;
    let inner = bracketed(rest)?;
    let (fstype, options) = match inner.split_once(',') {
        Some((fstype, options)) => (fstype.trim_end(), Some(options.trim_start())),
        None => (inner, None),
    };
    let mut fields = result! {"device": device, "mount": mount, "fstype": fstype};
    if let Some(options) = options {
        fields.insert("options".into(), options.into());
    }
    Some((mount.to_owned(), fields))
}

/// Columns: node, mounted, mounted over, vfs, date, options.
const AIX: &str = r"^(\S*)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+\s+\d+\s+\d+:\d+)\s+(.*)$";

fn aix(pattern: &Regex, line: &str) -> Option<(String, Map)> {
    let found = pattern.captures(line).ok()??;
    let group = |at: usize| found.get(at).map_or("", |group| group.as_str());
    let device = match group(1) {
        "" => group(2).to_owned(),
        node => format!("{node}:{}", group(2)),
    };
    let fields = result! {
        "mount": group(3), "fstype": group(4), "time": group(5), "options": group(6), "device": device
    };
    Some((group(3).to_owned(), fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn programs_of_all_systems_are_understood() {
        let linux = parse("/dev/sda1 on / type ext4 (rw,relatime)\nproc on /proc type proc (rw)\n");
        assert_eq!(linux.len(), 2);
        assert_eq!(linux[0].fields["options"], "rw,relatime");
        let bsd = parse(
            "/dev/disk3 on / (apfs, sealed, local)\nmap auto_home on /home (autofs)\ndevfs on /dev (devfs)\n",
        );
        assert_eq!(bsd.iter().map(|row| row.mount.as_str()).collect::<Vec<_>>(), ["/", "/dev"]);
        assert_eq!(bsd[0].fields["options"], "sealed, local");
        let aix = parse(
            "  node       mounted        mounted over    vfs       date        options\n-------- ------ ----- ------ \
             ------------ ----\n         /dev/hd4         /                jfs2   Sep 28 18:23 rw,log=/dev/hd8\nserver1  \
             /home/jean /mnt nfs Sep 28 18:25 rw\n",
        );
        assert_eq!(
            aix.iter().map(|r| r.fields["device"].clone()).collect::<Vec<_>>(),
            [json!("/dev/hd4"), json!("server1:/home/jean")]
        );
        assert!(parse("nothing\nof this\n").is_empty());
    }
}
