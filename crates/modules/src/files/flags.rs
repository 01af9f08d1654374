//! The attributes of `lsattr` and `chattr`, asked from the kernel directly.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

nix::ioctl_read!(get_flags, b'f', 1, nix::libc::c_long);
nix::ioctl_read!(get_version, b'v', 1, nix::libc::c_long);
nix::ioctl_write_ptr!(set_flags, b'f', 2, nix::libc::c_long);

/// Letter, bit (`FS_*_FL` of linux/fs.h) and Ansible's word, in the order in which `lsattr` prints them.
const FLAGS: [(char, u32, &str); 20] = [
    ('s', 0x0000_0001, "zero"),
    ('u', 0x0000_0002, "undelete"),
    ('S', 0x0000_0008, "synchronous"),
    ('D', 0x0001_0000, "dirsync"),
    ('i', 0x0000_0010, "immutable"),
    ('a', 0x0000_0020, "append"),
    ('d', 0x0000_0040, "nodump"),
    ('A', 0x0000_0080, "noatime"),
    ('c', 0x0000_0004, "compressed"),
    ('E', 0x0000_0800, "encrypted"),
    ('j', 0x0000_4000, "journalled"),
    ('I', 0x0000_1000, "indexed"),
    ('t', 0x0000_8000, "notail"),
    ('T', 0x0002_0000, "blockroot"),
    ('e', 0x0008_0000, "extents"),
    ('C', 0x0080_0000, "nocow"),
    ('x', 0x0200_0000, ""),
    ('F', 0x4000_0000, ""),
    ('N', 0x1000_0000, "inline"),
    ('V', 0x0010_0000, ""),
];

fn open(path: &Path) -> io::Result<File> {
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOFOLLOW;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// The flags of a file or directory; `None` where the file system has none.
pub fn read_flags(path: &Path) -> Option<u32> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    if !meta.is_file() && !meta.is_dir() {
        return None;
    }
    let file = open(path).ok()?;
    let mut flags: nix::libc::c_long = 0;
    // SAFETY: the descriptor is open and the kernel writes an int into the long.
    unsafe { get_flags(file.as_raw_fd(), &mut flags) }.ok()?;
    Some(flags as u32)
}

/// The file's version (generation) on its file system.
pub fn read_version(path: &Path) -> Option<u32> {
    read_flags(path)?;
    let file = open(path).ok()?;
    let mut version: nix::libc::c_long = 0;
    // SAFETY: the descriptor is open and the kernel writes an int into the long.
    unsafe { get_version(file.as_raw_fd(), &mut version) }.ok()?;
    Some(version as u32)
}

pub(super) fn write_flags(path: &Path, flags: u32) -> io::Result<()> {
    let file = open(path)?;
    let flags = nix::libc::c_long::from(flags);
    // SAFETY: the descriptor is open and the kernel reads an int from the long.
    unsafe { set_flags(file.as_raw_fd(), &flags) }?;
    Ok(())
}

/// `ie`, and the words for the letters.
pub fn flag_letters(flags: u32) -> (String, Vec<&'static str>) {
    let set = FLAGS.iter().filter(|(_, bit, _)| flags & bit != 0);
    let (letters, words): (String, Vec<_>) = set.map(|(letter, _, word)| (*letter, *word)).unzip();
    (letters, words.into_iter().filter(|word| !word.is_empty()).collect())
}

/// Flags that the file system sets by itself and nobody can change: they do not count when `attributes=i`
/// asks for exactly `i`.
const OWN: u32 = 0x0008_0000 | 0x0000_1000 | 0x0000_0800 | 0x0010_0000;

/// What an `attributes` argument (`+i`, `-a`, `=id`, `i`) makes of the current flags; the error names a letter.
pub fn supported(argument: &str, current: u32) -> Result<u32, String> {
    let (operator, letters) = match argument.chars().next() {
        Some(c @ ('+' | '-' | '=')) => (c, &argument[1..]),
        _ => ('=', argument),
    };
    let mut bits = 0;
    for letter in letters.chars() {
        let found = FLAGS.iter().find(|(l, ..)| *l == letter);
        bits |= found.map(|(_, bit, _)| *bit).ok_or_else(|| format!("there is no attribute '{letter}'"))?;
    }
    Ok(match operator {
        '+' => current | bits,
        '-' => current & !bits,
        _ => (current & OWN) | bits,
    })
}
