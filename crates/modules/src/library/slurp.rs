//! `slurp`: the content of a file, in base64.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use base64::Engine as _;

use crate::args::Expanded;
use crate::{Effects, Host, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct SlurpArgs {
        /// The file.
        src: Expanded = required(), aliases(&["path"]);
        /// Where to begin, for `fetch`.
        _offset: Option<i64>;
        /// How many bytes at most, for `fetch`.
        _length: Option<i64>;
    }
}

pub struct Slurp;

impl Module for Slurp {
    type Args = SlurpArgs;
    const NAME: &'static str = "slurp";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Read a file of the host; the content is base64 in the result.";

    fn effects(args: &SlurpArgs) -> Effects {
        Effects::reads([Resource::Path(args.src.0.clone())])
    }

    fn plan(args: SlurpArgs, host: &Host) -> Result<Plan> {
        let src = args.src.0;
        let part = part(&host.path(&src), args._offset.unwrap_or(0), args._length);
        let content = part.map_err(|e| match e.kind() {
            ErrorKind::NotFound => fail!("File not found: {src}"),
            ErrorKind::PermissionDenied => fail!("File is not readable: {src}"),
            ErrorKind::IsADirectory => fail!("Source is a directory and must be a file: {src}"),
            _ => fail!("Unable to slurp file: {src}: {}", crate::files::strerror(&e)),
        })?;
        let content = base64::engine::general_purpose::STANDARD.encode(content);
        Ok(Plan::unchanged(result! {"content": content, "source": src, "encoding": "base64"}))
    }
}

/// Bytes of a file, all of them without a `length`.
fn part(path: &Path, offset: i64, length: Option<i64>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    if offset > 0 {
        file.seek(SeekFrom::Start(offset.unsigned_abs()))?;
    }
    let mut content = Vec::new();
    file.take(length.map_or(u64::MAX, i64::unsigned_abs)).read_to_end(&mut content)?;
    Ok(content)
}
