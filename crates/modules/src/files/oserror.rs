//! Errors of the operating system as Python prints them, which is what users of Ansible know.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `[Errno 13] Permission denied`, with `: b'/path'` if a path is given.
pub fn errno_text(error: &io::Error, path: Option<&Path>) -> String {
    let mut text = match error.raw_os_error() {
        Some(code) => format!("[Errno {code}] {}", strerror(error)),
        None => error.to_string(),
    };
    if let Some(path) = path {
        text.push_str(": ");
        text.push_str(&bytes_repr(path.as_os_str().as_bytes()));
    }
    text
}

/// `Permission denied`.
pub fn strerror(error: &io::Error) -> String {
    match error.raw_os_error() {
        // The C library's words: those that every other program of the host uses.
        Some(code) => {
            let text = io::Error::from_raw_os_error(code).to_string();
            text.strip_suffix(&format!(" (os error {code})")).map(str::to_owned).unwrap_or(text)
        }
        None => error.to_string(),
    }
}

/// Bytes as Python's `repr` shows them: `b'/tmp/\xc3\xa4'`.
pub fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut out = format!("b{quote}");
    for &b in bytes {
        match b {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x20..0x7f if b as char == quote => {
                out.push('\\');
                out.push(quote);
            }
            0x20..0x7f => out.push(b as char),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push(quote);
    out
}
