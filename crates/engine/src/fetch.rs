//! Bringing a file of a host to the controller, in pieces: a frame of the protocol is bounded, and so is memory.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use base64::Engine as _;
use lang::playbook::Task;
use lang::{Map, Value};
use sha1::Digest as _;

use crate::action::Fetch;
use crate::evaluate::Place;
use crate::map;
use crate::play::PlayRun;
use crate::results::{self, ResultMap};
use crate::settings::Settings;

/// Bytes of one piece.
const PIECE: usize = 8 << 20;

/// What has come so far.
struct Received {
    file: tempfile::SpooledTempFile,
    sha1: sha1::Sha1,
    md5: md5::Md5,
    bytes: u64,
}

impl Received {
    fn new() -> Self {
        let file = tempfile::spooled_tempfile(PIECE);
        Self { file, sha1: sha1::Sha1::new(), md5: md5::Md5::new(), bytes: 0 }
    }

    fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        self.sha1.update(piece);
        self.md5.update(piece);
        self.bytes += piece.len() as u64;
        self.file.write_all(piece)
    }
}

impl PlayRun {
    pub(crate) async fn fetch(&self, task: &Task, fetch: &Fetch, settings: &Settings, place: &Place) -> Map {
        let mut received = Received::new();
        let mut source = None;
        // Of a file that has to come in pieces.
        let mut whole = None;
        loop {
            let mut args = protocol::Map::new();
            args.insert("src".into(), fetch.src.clone().into());
            args.insert("_offset".into(), received.bytes.into());
            args.insert("_length".into(), PIECE.into());
            let slurped = self.step(task, "slurp", args, settings, place).await;
            if slurped.flag("unreachable") {
                return slurped;
            }
            if slurped.flag("failed") {
                return not_there(fetch, &slurped);
            }
            let encoded = slurped.text("content").unwrap_or_default();
            let Ok(piece) = base64::engine::general_purpose::STANDARD.decode(encoded) else {
                return results::failure("the host sent what is not base64");
            };
            let source =
                source.get_or_insert_with(|| slurped.text("source").unwrap_or(&fetch.src).to_owned());
            let dest = match fetch.destination(source) {
                Ok(dest) => dest,
                Err(text) => return map! {"failed": true, "changed": false, "msg": text},
            };
            let last = piece.len() < PIECE;
            if let Err(e) = received.add(&piece) {
                return results::failure(format!("could not keep what was fetched: {e}"));
            }
            if last {
                return write(fetch, received, &dest, whole);
            }
            if whole.is_none() {
                let sum = self.remote_checksum(task, fetch, settings, place).await;
                if let (Some(sum), Some((here, md5))) = (&sum, sums(&dest))
                    && *sum == here
                {
                    return unchanged(fetch, &dest, here, md5);
                }
                whole = sum;
            }
        }
    }

    /// SHA-1 of the file on the host.
    async fn remote_checksum(
        &self,
        task: &Task,
        fetch: &Fetch,
        settings: &Settings,
        place: &Place,
    ) -> Option<String> {
        let mut args = protocol::Map::new();
        args.insert("path".into(), fetch.src.clone().into());
        for (name, value) in [("follow", true), ("get_mime", false), ("get_attributes", false)] {
            args.insert(name.into(), value.into());
        }
        let result = self.step(task, "stat", args, settings, place).await;
        match result.get("stat") {
            Some(Value::Map(stat)) => stat.text("checksum").map(str::to_owned),
            _ => None,
        }
    }
}

/// The result where the host has no such file to give.
fn not_there(fetch: &Fetch, slurped: &Map) -> Map {
    let said = slurped.text("msg").unwrap_or_default();
    let file = fetch.src.as_str();
    let fail = fetch.fail_on_missing;
    if said.starts_with("File not found") {
        let msg = "the remote file does not exist, not transferring, ignored";
        return match fail {
            true => map! {"failed": true, "changed": false, "msg": msg},
            false => map! {"changed": false, "file": file, "msg": msg},
        };
    }
    if said.starts_with("Source is a directory") {
        let msg = "remote file is a directory, fetch cannot work on directories";
        return match fail {
            true => map! {"failed": true, "changed": false, "msg": msg},
            false => map! {"changed": false, "msg": format!("{msg}, not transferring, ignored")},
        };
    }
    if said.starts_with("File is not readable") {
        return match fail {
            true => map! {"failed": true, "changed": false, "msg": said},
            false => map! {"changed": false, "file": file},
        };
    }
    let why = said.rsplit(": ").next().unwrap_or(said);
    let msg = format!("Failed to get information on remote file ({file}): {why}");
    map! {"failed": true, "changed": false, "file": file, "msg": msg}
}

/// SHA-1 and MD5 of a file here; `None` if there is none.
fn sums(path: &Path) -> Option<(String, String)> {
    let mut file = std::fs::File::open(path).ok()?;
    let (mut sha1, mut md5) = (sha1::Sha1::new(), md5::Md5::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some((hex::encode(sha1.finalize()), hex::encode(md5.finalize()))),
            n => {
                sha1.update(&buffer[..n]);
                md5.update(&buffer[..n]);
            }
        }
    }
}

fn unchanged(fetch: &Fetch, dest: &Path, checksum: String, md5: String) -> Map {
    map! {
        "changed": false,
        "md5sum": md5,
        "file": fetch.src.as_str(),
        "dest": dest.to_string_lossy().into_owned(),
        "checksum": checksum,
    }
}

/// Write what has come to its place. `whole` is the checksum that the host gave for it while it came.
fn write(fetch: &Fetch, received: Received, dest: &Path, whole: Option<String>) -> Map {
    let Received { mut file, sha1, md5, bytes: _ } = received;
    let (checksum, md5) = (hex::encode(sha1.finalize()), hex::encode(md5.finalize()));
    if sums(dest).is_some_and(|(here, _)| here == checksum) {
        return unchanged(fetch, dest, checksum, md5);
    }
    let shown = dest.to_string_lossy().into_owned();
    if let Some(dir) = dest.parent()
        && let Err(e) = std::fs::create_dir_all(dir)
    {
        let dir = dir.display();
        let why = python_error(&e);
        return results::failure(format!(
            "Task failed: Unable to create local directories '{dir}': {why}: b'{dir}'"
        ));
    }
    let mut copy = || -> io::Result<u64> {
        file.rewind()?;
        io::copy(&mut file, &mut std::fs::File::create(dest)?)
    };
    if let Err(e) = copy() {
        return results::failure(format!("Task failed: Failed to fetch the file: {shown}: {e}"));
    }
    let remote = whole.unwrap_or_else(|| checksum.clone());
    let mut result = map! {
        "changed": true,
        "md5sum": md5,
        "dest": shown,
        "remote_md5sum": Value::Null,
        "checksum": checksum.as_str(),
        "remote_checksum": remote.as_str(),
    };
    if fetch.validate_checksum && remote != checksum {
        result.put("failed", true);
        result.put("changed", false);
        result.put("msg", "checksum mismatch");
        result.put("file", fetch.src.as_str());
    }
    result
}

/// As Python shows an error of the system: `[Errno 20] Not a directory`.
fn python_error(e: &io::Error) -> String {
    let text = e.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    match e.raw_os_error() {
        Some(number) => format!("[Errno {number}] {text}"),
        None => text.to_owned(),
    }
}
