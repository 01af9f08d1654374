//! `slurp`: the content of a file, in base64.

use std::io::ErrorKind;

use base64::Engine as _;

use crate::args::Expanded;
use crate::{Effects, Host, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct SlurpArgs {
        /// The file.
        src: Expanded = required(), aliases(&["path"]);
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
        let content = std::fs::read(host.path(&src)).map_err(|e| match e.kind() {
            ErrorKind::NotFound => fail!("File not found: {src}"),
            ErrorKind::PermissionDenied => fail!("File is not readable: {src}"),
            ErrorKind::IsADirectory => fail!("Source is a directory and must be a file: {src}"),
            _ => fail!("Unable to slurp file: {src}: {}", crate::files::strerror(&e)),
        })?;
        let content = base64::engine::general_purpose::STANDARD.encode(content);
        Ok(Plan::unchanged(result! {"content": content, "source": src, "encoding": "base64"}))
    }
}
