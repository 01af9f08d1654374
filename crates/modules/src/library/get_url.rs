//! `get_url`: a file from a server.
//!
//! Whether something changes is only known once the file is here: the plan downloads it beside, the change puts it in
//! its place. In check mode the server is asked for the head alone, as Ansible does.

mod checksum;
mod download;

use std::fs;
use std::io::BufReader;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use crate::args::Expanded;
use crate::files::{
    Algorithm, FileAttrs, Replacement, add_path_info, backup, checksum as sum, write_atomically,
};
use crate::http::args::{UrlArgs, timeout};
use crate::http::shown;
use crate::{
    Applied, Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, Value, args, fail, result,
};

use download::Download;

args! {
    pub struct GetUrlArgs {
        /// Where from: http, https or file.
        url: String = required();
        /// Where to: a file, or a directory for a file with the server's name.
        dest: Expanded = required();
        /// Keep the old file under a name with the time.
        backup: bool = default("no");
        /// `algorithm:digest`, or `algorithm:` with the URL of a list of digests.
        checksum: String = default("");
        /// More headers.
        headers: Map;
        /// Seconds of silence after which to give up.
        timeout: i64 = default("10");
        /// Directory for the file on its way.
        tmp_dest: Option<Expanded>;
        /// Name for the server.
        url_username: Option<String> = aliases(&["username"]);
        /// Password for the server.
        url_password: Option<String> = aliases(&["password"]), no_log();
    }
    with { request: UrlArgs, attrs: FileAttrs }
}

pub struct GetUrl;

impl Module for GetUrl {
    type Args = GetUrlArgs;
    const NAME: &'static str = "get_url";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Download a file by HTTP.";

    fn effects(args: &GetUrlArgs) -> Effects {
        Effects::writes([Resource::Path(args.dest.trim_end_matches('/').to_owned())]).outside()
    }

    fn plan(args: GetUrlArgs, host: &Host) -> Result<Plan> {
        let start = Instant::now();
        let elapsed = || start.elapsed().as_secs();
        let mut dest = args.dest.0.clone();
        let mut options = args.request.options()?;
        options.timeout = timeout(args.timeout);
        options.user = args.url_username.clone();
        options.password = args.url_password.clone();
        let ours = || result! {"checksum_dest": Value::Null, "checksum_src": Value::Null, "dest": args.dest.0, "elapsed": elapsed(), "url": shown(&args.url), "changed": false};
        let fetch = download::Fetch { args: &args, options, host };
        let wanted = match args.checksum.as_str() {
            "" => None,
            text => Some(checksum::wanted(text, &fetch).map_err(|e| match e {
                checksum::Wrong::Format(msg) => with(fail!("{msg}"), ours()),
                checksum::Wrong::Source(error) => error,
            })?),
        };
        let into_dir = host.path(&dest).is_dir();
        let mut modified_since = None;
        if !into_dir && let Ok(meta) = fs::metadata(host.path(&dest)) {
            let right = match &wanted {
                Some(wanted) if !args.request.force => {
                    let found = sum(&host.path(&dest), wanted.algorithm);
                    found.is_ok_and(|found| found == wanted.digest)
                }
                _ => false,
            };
            if right {
                return already(&args, &dest, ours(), host);
            }
            if wanted.is_none() {
                modified_since = Some(meta.mtime());
            }
        }
        let Download { file, status, message, name, .. } = match fetch.download(modified_since)? {
            download::Answer::NotModified(message) => {
                let mut result = result! {"url": shown(&args.url), "dest": dest, "changed": false, "msg": message, "status_code": 304, "elapsed": elapsed()};
                add_path_info(host, &mut result);
                return Ok(Plan::unchanged(result));
            }
            download::Answer::File(download) => download,
        };
        if into_dir {
            dest = format!("{}/{name}", dest.trim_end_matches('/'));
        }
        let source = file.path().to_owned();
        let read = |e: std::io::Error| fail!("could not read the download: {e}");
        let checksum_src = sum(&source, Algorithm::Sha1).map_err(read)?;
        let mut result = result! {
            "url": shown(&args.url), "dest": dest, "checksum_src": checksum_src, "checksum_dest": Value::Null,
            "elapsed": elapsed(), "src": source.to_string_lossy(),
        };
        let refused = |msg: String, result: &Map| with(fail!("{msg}"), result.clone()).with("changed", false);
        let real = host.path(&dest);
        if real.exists() {
            let old = sum(&real, Algorithm::Sha1);
            let old = old.map_err(|_| refused(format!("Destination {dest} is not readable"), &result))?;
            result.insert("checksum_dest".into(), old.into());
        } else {
            let parent = Path::new(dest.strip_suffix('/').unwrap_or(&dest));
            let parent = if dest.ends_with('/') { parent } else { parent.parent().unwrap_or(Path::new("/")) };
            if !parent.as_os_str().is_empty() && !host.path(parent).exists() {
                return Err(refused(format!("Destination {} does not exist", parent.display()), &result));
            }
        }
        if host.check() {
            result.insert("msg".into(), message.into());
            add_path_info(host, &mut result);
            let mut plan = Plan::unchanged(result.clone());
            if result["checksum_src"] != result["checksum_dest"] {
                plan.apply = Some(Box::new(|_: &Host| Applied::done()));
            }
            return Ok(plan);
        }
        if let Some(wanted) = &wanted {
            let found = sum(&source, wanted.algorithm).map_err(read)?;
            if found != wanted.digest {
                let msg = format!(
                    "The checksum for {} did not match {}; it was {found}.",
                    source.display(),
                    wanted.digest
                );
                return Err(refused(msg, &result));
            }
        }
        result.insert("msg".into(), message.into());
        result.insert("status_code".into(), status.map_or(Value::Null, Value::from));
        result.insert("md5sum".into(), sum(&source, Algorithm::Md5).map_err(read)?.into());
        if result["checksum_src"] == result["checksum_dest"] {
            let change = args.attrs.plan(host, &dest)?;
            add_path_info(host, &mut result);
            let mut plan = Plan::unchanged(result.clone());
            if !change.is_empty() {
                plan.apply = Some(Box::new(move |host: &Host| {
                    change.apply(host)?;
                    add_path_info(host, &mut result);
                    Applied::with(result)
                }));
            }
            return Ok(plan);
        }
        let (attrs, keep) = (args.attrs, args.backup);
        Ok(Plan::change(result, move |host| {
            let mut result = result! {"dest": dest};
            if keep && let Some(kept) = backup(host, &dest)? {
                result.insert("backup_file".into(), kept.into());
            }
            let replacement = Replacement { path: &dest, attrs: &attrs, new_mode: None, instead: None };
            let content =
                fs::File::open(file.path()).map_err(|e| fail!("could not read the download: {e}"))?;
            write_atomically(host, &replacement, &mut BufReader::new(content))?;
            if attrs.attributes.is_some() {
                attrs.apply(host, &dest)?;
            }
            add_path_info(host, &mut result);
            Applied::with(result)
        }))
    }
}

/// The file has the digest already.
fn already(args: &GetUrlArgs, dest: &str, mut result: Map, host: &Host) -> Result<Plan> {
    let change = args.attrs.plan(host, dest)?;
    result.shift_remove("changed");
    let msg = "file already exists";
    result.insert("msg".into(), msg.into());
    add_path_info(host, &mut result);
    let mut plan = Plan::unchanged(result.clone());
    if !change.is_empty() {
        plan.result.insert("msg".into(), format!("{msg} but file attributes changed").into());
        plan.apply = Some(Box::new(move |host: &Host| {
            change.apply(host)?;
            result.shift_remove("msg");
            add_path_info(host, &mut result);
            Applied::with(result)
        }));
    }
    Ok(plan)
}

fn with(mut error: ModuleError, result: Map) -> ModuleError {
    error.result.extend(result);
    error
}
