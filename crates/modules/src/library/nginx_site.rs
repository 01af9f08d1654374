//! `nginx_site`: a site of nginx, its file and the link that enables it. See `docs/modules-own.md`.
//!
//! A change that nginx's own test refuses is taken back. The former file is kept as a hard link beside it while the
//! test runs, so what comes back is the very same file.

mod link;
mod place;

use std::fs;

use crate::args::{Expanded, Raw};
use crate::files::{FileAttrs, Side, backup, checksum, file_diff};
use crate::process::find_program;
use crate::system::program;
use crate::{
    Applied, Blob, Effects, Host, Module, ModuleError, Plan, Process, Resource, Result, args, fail, result,
    words,
};

use link::Link;
use place::Place;

args! {
    pub struct NginxSiteArgs {
        /// Name of the file and of the link.
        name: String = required();
        /// Text of the site.
        content: Option<Blob>;
        /// Template on the controller, which sends what it renders as `content`.
        src: Option<String>;
        /// `enabled`, `disabled` or `absent`.
        state: String = choices(&["enabled", "disabled", "absent"]), default("enabled");
        /// Owner of the file.
        owner: String = default("root");
        /// Group of the file.
        group: String = default("root");
        /// Permissions of the file.
        mode: Raw = default("0644");
        /// Where `sites-available` and `sites-enabled` are.
        config_dir: Expanded = default("/etc/nginx");
        /// Command that has to succeed with the new state in place; empty for none.
        validate: String = default("nginx -t");
        /// Keep the old file beside the new one.
        backup: bool = default("no");
    }
    checks { mutually_exclusive(&["src", "content"]) }
}

pub struct NginxSite;

impl Module for NginxSite {
    type Args = NginxSiteArgs;
    const NAME: &'static str = "nginx_site";
    const COLLECTION: &'static str = "";
    const DOC: &'static str =
        "Enable, disable and remove a site of nginx; a change counts only if nginx's test passes.";

    fn effects(args: &NginxSiteArgs) -> Effects {
        let dir = &args.config_dir.0;
        Effects::writes([
            Resource::Path(format!("{dir}/sites-available/{}", args.name)),
            Resource::Path(format!("{dir}/sites-enabled/{}", args.name)),
        ])
        .and_reads(Resource::Path(dir.clone()))
        .and_reads(Resource::Package("nginx".into()))
    }

    fn plan(args: NginxSiteArgs, host: &Host) -> Result<Plan> {
        if args.src.is_some() {
            return Err(fail!("src is a template for the controller, which has not rendered it"));
        }
        let name = &args.name;
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(fail!("name has to be one component of a path: {name}"));
        }
        let dir = args.config_dir.0.trim_end_matches('/');
        let path = format!("{dir}/sites-available/{name}");
        let link = Link::look(host, &format!("{dir}/sites-enabled/{name}"), &path)?;
        let attrs = attributes(&args);
        attrs.verify(host, &path)?;
        let place = Place::look(host, &path)?;
        if args.state == "enabled" && args.content.is_none() && !place.exists {
            return Err(fail!("{path} is not there, and neither src nor content is given"));
        }
        let write = match &args.content {
            Some(content) if args.state != "absent" => {
                let same = place.exists
                    && checksum(&host.path(&path), crate::files::Algorithm::Sha256).ok()
                        == Some(content.hash().to_string());
                if same { None } else { Some(content.clone()) }
            }
            _ => None,
        };
        // Owner and mode are those of the file that is written or left, not of one that is only linked to.
        let keep_attributes = args.state != "absent" && args.content.is_some();
        let attributes_differ =
            keep_attributes && write.is_none() && place.exists && !attrs.plan(host, &path)?.is_empty();
        let remove = args.state == "absent" && place.exists;
        let wanted = args.state == "enabled";
        let result = result! {"name": name, "state": args.state, "path": path, "link": link.path};
        if write.is_none() && !attributes_differ && !remove && link.is_right(wanted) {
            return Ok(Plan::unchanged(result));
        }
        let mut diffs = Vec::new();
        if host.diff() {
            if write.is_some() || remove {
                let after = match &write {
                    Some(content) => Side::of(content.read(host)?, Some(&path)),
                    None => Side::Absent,
                };
                diffs.push(file_diff(Side::of_file(&host.path(&path), &path), after));
            }
            diffs.extend(link.diff(wanted));
        }
        let change = Change {
            place,
            link,
            write,
            attrs,
            remove,
            wanted,
            validate: args.validate,
            backup: args.backup,
        };
        let mut plan = Plan::change(result, move |host| change.carry_out(host));
        plan.diff = diffs;
        Ok(plan)
    }
}

fn attributes(args: &NginxSiteArgs) -> FileAttrs {
    FileAttrs {
        owner: Some(args.owner.clone()),
        group: Some(args.group.clone()),
        ..FileAttrs::with_mode(Some(args.mode.clone()))
    }
}

struct Change {
    place: Place,
    link: Link,
    write: Option<Blob>,
    attrs: FileAttrs,
    remove: bool,
    /// Is the link wanted?
    wanted: bool,
    validate: String,
    backup: bool,
}

impl Change {
    fn carry_out(self, host: &Host) -> Result<Applied> {
        let mut result = crate::Map::new();
        let kept = match self.backup && (self.write.is_some() || self.remove) {
            true => backup(host, &self.place.path)?,
            false => None,
        };
        if let Some(kept) = &kept {
            result.insert("backup_file".into(), kept.as_str().into());
        }
        let former = self.place.keep(host)?;
        let done = self.bring_about(host).and_then(|()| self.test(host));
        let Err(error) = done else {
            former.forget();
            return Applied::with(result);
        };
        // Both, whatever becomes of the first.
        let (file, link) = (former.put_back(), self.link.put_back(host));
        if let Some(kept) = kept {
            let _ = fs::remove_file(host.path(kept));
        }
        let back: Vec<String> = [file, link].into_iter().filter_map(|r| r.err()).map(|e| e.msg).collect();
        if back.is_empty() {
            return Err(error);
        }
        let msg = format!("{}; and the former state could not be put back: {}", error.msg, back.join("; "));
        Err(ModuleError { msg, ..error })
    }

    fn bring_about(&self, host: &Host) -> Result<()> {
        // What is enabled is there before its link, and goes after it.
        if let Some(content) = &self.write {
            self.place.write(host, content, &self.attrs)?;
        } else if !self.remove && self.place.exists {
            self.place.set_attributes(host, &self.attrs)?;
        }
        self.link.make(host, self.wanted)?;
        if self.remove {
            self.place.remove(host)?;
        }
        Ok(())
    }

    fn test(&self, host: &Host) -> Result<()> {
        let command = words::split(&self.validate).map_err(|e| fail!("validate: {e}"))?;
        let Some((name, arguments)) = command.split_first() else { return Ok(()) };
        let path = find_program(host, name).ok_or_else(|| fail!("{name} (validate) is not there"))?;
        let output = program::run(host, &Process::new(path).args(arguments))?;
        if output.success() {
            return Ok(());
        }
        Err(ModuleError::new(format!(
            "failed to validate: {} says no, the former state is back",
            self.validate
        ))
        .with("changed", false)
        .with("rc", output.rc)
        .with("stdout", output.out())
        .with("stderr", output.err()))
    }
}
