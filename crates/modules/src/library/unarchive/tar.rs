//! Archives of `tar`, compressed or not: `tar` finds out itself how.

use super::{Found, Job, Line};
use crate::{Host, Result, fail};

pub(super) fn look(job: &Job, magic: &[u8], host: &Host) -> Result<Found> {
    let handler = if magic.starts_with(&[0x1f, 0x8b]) { "TgzArchive" } else { "TarArchive" };
    let output = command(job, handler, "--diff", host)?.run(host)?;
    let attrs = &job.args.attrs;
    let root = nix::unistd::Uid::effective().is_root();
    // What is set by arguments is compared with those, and owners only matter to who may change them.
    let ignored = |line: &str| {
        line.ends_with(": Uid differs") && (attrs.owner.is_some() || !root)
            || line.ends_with(": Gid differs") && (attrs.group.is_some() || !root)
            || line.ends_with(": Mode differs") && attrs.mode.is_some()
            // A directory of which options leave no name.
            || line.contains(": : Warning: Cannot stat")
            || line.contains("Removing leading `")
            || line.trim().is_empty()
    };
    let (out, err) = (output.out(), output.err());
    // Status 1 is a difference, 2 may be one (a missing file) or an archive that cannot be read.
    if output.rc > 1 {
        members(job, handler, host)?;
    }
    let unpacked = output.rc == 0 || output.rc == 1 && out.lines().chain(err.lines()).all(ignored);
    Ok(Found { handler, unpacked, itemized: None })
}

/// `tar` with the options of this call.
pub(super) fn command(job: &Job, handler: &str, action: &str, host: &Host) -> Result<Line> {
    let args = &job.args;
    let mut line = Line::new(
        host,
        job,
        if crate::process::find_program(host, "gtar").is_some() { "gtar" } else { "tar" },
    )?;
    line = line.arg(action).arg("-C").arg(args.dest.trim_end_matches('/'));
    if handler == "TgzArchive" {
        line = line.arg("-z");
    }
    if !args.extra_opts.is_empty() {
        line = line.arg("--show-transformed-names").args(&args.extra_opts);
    }
    if action != "--list" {
        if let Some(owner) = &args.attrs.owner {
            line = line.arg(format!("--owner={owner}"));
        }
        if let Some(group) = &args.attrs.group {
            line = line.arg(format!("--group={group}"));
        }
    }
    if args.keep_newer && action != "--list" {
        line = line.arg("--keep-newer-files");
    }
    for pattern in &args.exclude {
        line = line.arg(format!("--exclude={pattern}"));
    }
    Ok(line.arg("-f").arg(job.archive.to_string_lossy()).args(&args.include))
}

/// The members' names.
pub(super) fn members(job: &Job, handler: &str, host: &Host) -> Result<Vec<String>> {
    let mut line = command(job, handler, "--list", host)?;
    let program = line.words().swap_remove(0);
    let output = line.run(host)?;
    if output.rc != 0 {
        return Err(fail!(
            "Failed to find handler for \"{}\". Make sure the required command to extract the file is installed.\n\
             Command \"{program}\" could not handle archive: Unable to list files in the archive: {}",
            job.shown,
            output.err()
        ));
    }
    Ok(output.out().lines().map(unquoted).filter(|name| !name.is_empty()).collect())
}

/// `tar` writes bytes beyond ASCII and odd characters of names as in C.
fn unquoted(name: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = name.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(first @ b'0'..=b'7') => {
                let mut code = u32::from(first - b'0');
                for _ in 0..2 {
                    let Some(digit) = bytes.next_if(|b| (b'0'..=b'7').contains(b)) else { break };
                    code = code * 8 + u32::from(digit - b'0');
                }
                out.push(u8::try_from(code).unwrap_or(b'?'));
            }
            Some(other) => out.push(other),
            None => out.push(b'\\'),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn names_as_tar_lists_them() {
        assert_eq!(unquoted("t/\\303\\244\\n\\\\x"), "t/ä\n\\x");
        assert_eq!(unquoted("plain"), "plain");
    }
}
