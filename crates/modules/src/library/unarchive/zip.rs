//! Archives of `zip`: the directory at their end (APPNOTE.TXT of PKWARE, 4.3) is compared with what is there.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Found, Job, Line};
use crate::{Host, Result, fail, time};

struct Entry {
    name: String,
    /// With the type of the file; `None` from systems without modes.
    mode: Option<u32>,
    /// Seconds since 1970.
    time: Option<i64>,
    size: u64,
    crc: u32,
}

impl Entry {
    fn is_dir(&self) -> bool {
        self.name.ends_with('/')
    }

    fn is_link(&self) -> bool {
        self.mode.is_some_and(|m| m & 0o170_000 == 0o120_000)
    }
}

pub(super) fn look(job: &Job, host: &Host) -> Result<Found> {
    let entries = wanted(job)?;
    let mut text = String::new();
    for entry in &entries {
        if let Some(flags) = differs(entry, job, host)? {
            text.push_str(&format!("{flags} {}\n", entry.name));
        }
    }
    // A link in the way of another entry would lead it out of the destination.
    let links: Vec<String> = entries.iter().filter(|e| e.is_link()).map(|e| format!("{}/", e.name)).collect();
    if let Some(bad) = entries.iter().find(|e| links.iter().any(|l| e.name.starts_with(l))) {
        let dest = &job.args.dest.0;
        return Err(fail!(
            "failed to unpack {} to {dest}: the member '{}' goes through a link",
            job.shown,
            bad.name
        ));
    }
    let unpacked = text.is_empty();
    Ok(Found { handler: "ZipArchive", unpacked, itemized: (!unpacked).then_some(text) })
}

pub(super) fn members(job: &Job) -> Result<Vec<String>> {
    Ok(wanted(job)?.into_iter().map(|e| e.name).collect())
}

pub(super) fn command(job: &Job, host: &Host) -> Result<Line> {
    let args = &job.args;
    let mut line = Line::new(host, job, "unzip")?.arg("-o").args(&args.extra_opts);
    line = line.arg(job.archive.to_string_lossy()).args(&args.include);
    if !args.exclude.is_empty() {
        line = line.arg("-x").args(&args.exclude);
    }
    Ok(line.arg("-d").arg(args.dest.0.clone()))
}

/// The entries without those that arguments leave out.
fn wanted(job: &Job) -> Result<Vec<Entry>> {
    let failed = |e: io::Error| {
        fail!(
            "Failed to find handler for \"{}\". Make sure the required command to extract the file is installed.\n{e}",
            job.shown
        )
    };
    let mut file = File::open(&job.archive).map_err(failed)?;
    let mut entries = directory(&mut file).map_err(failed)?;
    let fits = |patterns: &[String], name: &str| {
        patterns.iter().any(|p| p == name || glob::Pattern::new(p).is_ok_and(|p| p.matches(name)))
    };
    let args = &job.args;
    entries.retain(|e| {
        (args.include.is_empty() || fits(&args.include, &e.name)) && !fits(&args.exclude, &e.name)
    });
    Ok(entries)
}

/// How the file differs, in rsync's letters; `None` if it does not.
fn differs(entry: &Entry, job: &Job, host: &Host) -> Result<Option<String>> {
    let kind = if entry.is_dir() {
        'd'
    } else if entry.is_link() {
        'L'
    } else {
        'f'
    };
    let path = format!("{}/{}", job.args.dest.trim_end_matches('/'), entry.name.trim_end_matches('/'));
    let real = host.path(&path);
    let Ok(meta) = fs::symlink_metadata(&real) else { return Ok(Some(format!(">{kind}++++++.??"))) };
    let same_kind = match kind {
        'd' => meta.is_dir(),
        'L' => meta.is_symlink(),
        _ => meta.is_file(),
    };
    if !same_kind {
        return Ok(Some(format!(">{kind}++++++.??")));
    }
    let mut flags: Vec<char> = ".f.......??".chars().collect();
    flags[1] = kind;
    if kind == 'f' {
        let time = entry.time.unwrap_or(meta.mtime());
        if job.args.keep_newer && meta.mtime() > time {
            return Ok(None);
        }
        if meta.mtime() != time {
            flags[4] = 't';
        }
        if meta.len() != entry.size {
            flags[3] = 's';
        }
        if crc(&real).map_err(|e| fail!("could not read {path}: {e}"))? != entry.crc {
            flags[2] = 'c';
        }
    }
    if let Some(mode) = entry.mode.filter(|_| kind != 'L' && job.args.attrs.mode.is_none())
        && mode & 0o7777 != meta.mode() & 0o7777
    {
        flags[5] = 'p';
    }
    if flags[2..8].iter().all(|c| *c == '.') {
        return Ok(None);
    }
    Ok(Some(flags.into_iter().collect()))
}

fn crc(path: &Path) -> io::Result<u32> {
    let mut sum = flate2::Crc::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(sum.sum());
        }
        sum.update(&buffer[..n]);
    }
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the zip file is damaged: {why}"))
}

fn number(bytes: &[u8], at: usize, length: usize) -> io::Result<u64> {
    let part = bytes.get(at..at + length).ok_or_else(|| bad("it ends too early"))?;
    Ok(part.iter().rev().fold(0, |sum, b| sum << 8 | u64::from(*b)))
}

/// Read the central directory.
fn directory(file: &mut (impl Read + Seek)) -> io::Result<Vec<Entry>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.min(65_557 + 20);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut end = Vec::new();
    file.take(tail).read_to_end(&mut end)?;
    let at = (0..=end.len().saturating_sub(22)).rev().find(|i| end[*i..].starts_with(b"PK\x05\x06"));
    let at = at.ok_or_else(|| bad("End-of-central-directory signature not found"))?;
    let (mut size, mut offset) = (number(&end, at + 12, 4)?, number(&end, at + 16, 4)?);
    if (size == 0xffff_ffff || offset == 0xffff_ffff) && at >= 20 && end[at - 20..].starts_with(b"PK\x06\x07")
    {
        // The larger record is where the locator before says.
        file.seek(SeekFrom::Start(number(&end, at - 20 + 8, 8)?))?;
        let mut large = Vec::new();
        file.take(56).read_to_end(&mut large)?;
        (size, offset) = (number(&large, 40, 8)?, number(&large, 48, 8)?);
    }
    if offset.checked_add(size).is_none_or(|last| last > length) {
        return Err(bad("its directory is longer than itself"));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    let mut entries = Vec::new();
    let mut rest = &bytes[..];
    while rest.starts_with(b"PK\x01\x02") {
        let (entry, used) = self::entry(rest)?;
        entries.push(entry);
        rest = rest.get(used..).ok_or_else(|| bad("it ends too early"))?;
    }
    Ok(entries)
}

fn entry(bytes: &[u8]) -> io::Result<(Entry, usize)> {
    let field = |at, length| number(bytes, at, length);
    let (name, extra, comment) = (field(28, 2)? as usize, field(30, 2)? as usize, field(32, 2)? as usize);
    let text =
        |from: usize, length: usize| bytes.get(from..from + length).ok_or_else(|| bad("it ends too early"));
    let unix = field(5, 1)? == 3;
    let mode = (field(38, 4)? >> 16) as u32;
    let mut size = field(24, 4)?;
    let mut time = dos_time(field(14, 2)?, field(12, 2)?);
    let mut extras = text(46 + name, extra)?;
    while extras.len() >= 4 {
        let (id, length) = (number(extras, 0, 2)?, number(extras, 2, 2)? as usize);
        let Some(content) = extras.get(4..4 + length) else { break };
        match id {
            // Larger sizes, and times to the second in UTC.
            0x0001 if size == 0xffff_ffff && length >= 8 => size = number(content, 0, 8)?,
            0x5455 if length >= 5 && content[0] & 1 != 0 => {
                time = Some(i64::from(number(content, 1, 4)? as u32 as i32));
            }
            _ => {}
        }
        extras = &extras[4 + length..];
    }
    let entry = Entry {
        name: String::from_utf8_lossy(text(46, name)?).into_owned(),
        mode: Some(mode).filter(|m| unix && *m != 0),
        time,
        size,
        crc: field(16, 4)? as u32,
    };
    Ok((entry, 46 + name + extra + comment))
}

/// Local time in steps of two seconds.
fn dos_time(date: u64, clock: u64) -> Option<i64> {
    let text = format!(
        "{} {} {} {} {} {}",
        1980 + (date >> 9),
        date >> 5 & 15,
        date & 31,
        clock >> 11,
        clock >> 5 & 63,
        (clock & 31) * 2
    );
    time::parse_local(&text, "%Y %m %d %H %M %S")
}
