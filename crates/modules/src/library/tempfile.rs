//! `tempfile`: a new file or directory with a name that nothing else has.

use std::os::unix::fs::PermissionsExt;

use crate::args::Expanded;
use crate::files::{add_path_info, errno_text};
use crate::{Applied, Effects, Host, Module, Plan, Result, args, fail, result};

args! {
    pub struct TempfileArgs {
        /// `file` or `directory`.
        state: String = choices(&["directory", "file"]), default("file");
        /// Where; the system's directory for such things by default.
        path: Option<Expanded>;
        /// Beginning of its name.
        prefix: String = default("ansible.");
        /// End of its name.
        suffix: String = default("");
    }
}

pub struct Tempfile;

impl Module for Tempfile {
    type Args = TempfileArgs;
    const NAME: &'static str = "tempfile";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Make a temporary file or directory. It is not removed by itself.";

    fn effects(_: &TempfileArgs) -> Effects {
        Effects::none()
    }

    fn plan(args: TempfileArgs, host: &Host) -> Result<Plan> {
        for (option, part) in [("prefix", &args.prefix), ("suffix", &args.suffix)] {
            if part.contains('/') {
                return Err(fail!("{option} must be a valid file name component, got '{part}'"));
            }
        }
        let mut plan = Plan::change(result! {}, move |host| {
            let dir = args.path.map(|p| p.0).or_else(|| host.env("TMPDIR").filter(|d| !d.is_empty()));
            let dir = dir.unwrap_or_else(|| "/tmp".to_owned());
            let builder = |random| {
                let mut builder = tempfile::Builder::new();
                builder.prefix(&args.prefix).suffix(&args.suffix).rand_bytes(random);
                builder
            };
            let failed = |e: std::io::Error| {
                fail!("failed to create temporary {}: {}", args.state, errno_text(&e, None))
            };
            let path = if args.state == "directory" {
                let mode = std::fs::Permissions::from_mode(0o700);
                let made = builder(8).permissions(mode).tempdir_in(host.path(&dir)).map_err(failed)?;
                made.keep()
            } else {
                let made = builder(8).tempfile_in(host.path(&dir)).map_err(failed)?;
                made.keep().map_err(|e| failed(e.error))?.1
            };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut result = result! {"path": format!("{}/{name}", dir.trim_end_matches('/'))};
            add_path_info(host, &mut result);
            Applied::with(result)
        });
        // As in Ansible, where this module knows no check mode.
        plan.check = Some(result! {
            "skipped": true, "changed": false, "msg": "remote module (tempfile) does not support check mode",
        });
        let _ = host;
        Ok(plan)
    }
}
