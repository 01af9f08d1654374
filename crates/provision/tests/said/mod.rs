//! What a program said and how it ended.

use std::io::Write;
use std::process::{Command, Stdio};

pub struct Said {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

/// Run `command` to its end with `input` on its standard input.
pub fn said(command: &mut Command, input: &str) -> Said {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A program that does not read its input closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}
