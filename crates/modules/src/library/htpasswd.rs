//! `htpasswd`: names and passwords for web servers.

mod hash;

use std::fs;
use std::path::Path;

use crate::args::Expanded;
use crate::files::{FileAttrs, Replacement, strerror, write_atomically};
use crate::system::textfile;
use crate::{Applied, Effects, Host, Module, Plan, Resource, Result, args, fail, result};

use hash::Scheme;

args! {
    pub struct HtpasswdArgs {
        /// The file.
        path: Expanded = required(), aliases(&["dest", "destfile"]);
        /// The user.
        name: String = required(), aliases(&["username"]);
        /// The password; a user that is not there yet needs one.
        password: Option<String> = no_log();
        /// How a new password is hashed: `apr_md5_crypt`, `md5_crypt`, `ldap_sha1` or `plaintext`.
        hash_scheme: String = default("apr_md5_crypt"), aliases(&["crypt_scheme"]);
        /// Whether the user should be there.
        state: String = choices(&["present", "absent"]), default("present");
        /// Make the file if it is not there.
        create: bool = default("yes");
    }
    with { attrs: FileAttrs }
}

pub struct Htpasswd;

impl Module for Htpasswd {
    type Args = HtpasswdArgs;
    const NAME: &'static str = "htpasswd";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Add users to a file of passwords for web servers, or remove them.";

    fn effects(args: &HtpasswdArgs) -> Effects {
        Effects::writes([Resource::Path(args.path.0.clone())])
    }

    fn plan(args: HtpasswdArgs, host: &Host) -> Result<Plan> {
        let HtpasswdArgs { path: Expanded(path), name, password, hash_scheme, state, create, attrs } = args;
        let scheme = Scheme::named(&hash_scheme)?;
        let before = textfile::read(host, &path)?;
        let there = before.is_some();
        let entries = Entries::parse(before.as_deref().unwrap_or_default())?;
        let mut after = None;
        let mut msg;
        if state == "absent" {
            if !there {
                let warnings = [format!("{path} does not exist")];
                return Ok(Plan::unchanged(
                    result! {"msg": format!("{name} not present"), "warnings": warnings},
                ));
            }
            msg = format!("{name} not present");
            if entries.hash(&name).is_some() {
                msg = format!("Remove {name}");
                after = Some(entries.with(&name, None));
            }
        } else {
            if !there && !create {
                return Err(fail!("Destination {path} does not exist"));
            }
            let given =
                || password.as_deref().ok_or_else(|| fail!("secret must be unicode or bytes, not None"));
            let good = match entries.hash(&name) {
                Some(hash) => hash::verify(hash, given()?)?,
                None => false,
            };
            msg = match (good, there) {
                (true, _) => format!("{name} already present"),
                (false, true) => format!("Add/update {name}"),
                (false, false) if host.check() => format!("Create {path}"),
                (false, false) => format!("Created {path} and added {name}"),
            };
            if !good && host.check() {
                after = Some(String::new());
            } else if !good {
                if name.contains([':', '\n', '\r', '\t', '\0']) {
                    return Err(fail!("user contains invalid characters: '{name}'"));
                }
                after = Some(entries.with(&name, Some(&scheme.hash(given()?)?)));
            }
        }
        let attributes = if there { attrs.plan(host, &path)? } else { attrs.plan_new(host, &path)? };
        if !attributes.is_empty() || (!there && host.check() && !attrs.is_empty()) {
            msg += if after.is_some() { " and " } else { "" };
            msg += "ownership, perms or SE linux context changed";
        }
        let result = result! {"msg": msg};
        if after.is_none() && attributes.is_empty() {
            return Ok(Plan::unchanged(result));
        }
        Ok(Plan::change(result, move |host| {
            match after {
                Some(text) => write(&path, &text, &attrs, host)?,
                None => attributes.apply(host)?,
            }
            Applied::done()
        }))
    }
}

/// Lines of users, and all others as they are.
struct Entries(Vec<Line>);

enum Line {
    User(String, String),
    Other(String),
}

impl Entries {
    /// Blank lines do not stay.
    fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let line = |(at, line): (usize, &str)| match line.split_once(':') {
            _ if line.trim_start().starts_with('#') => Ok(Line::Other(line.to_owned())),
            Some((user, hash)) if !hash.contains(':') => {
                Ok(Line::User(user.to_owned(), hash.trim_end().to_owned()))
            }
            _ => Err(fail!("malformed htpasswd file (error reading line {})", at + 1)),
        };
        lines.map(line).collect::<Result<_>>().map(Self)
    }

    fn hash(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|line| match line {
            Line::User(user, hash) if user == name => Some(hash.as_str()),
            _ => None,
        })
    }

    /// The file with this hash for the user, or without the user.
    fn with(&self, name: &str, hash: Option<&str>) -> String {
        let mut text = String::new();
        let mut done = false;
        for line in &self.0 {
            match (line, hash) {
                (Line::Other(line), _) => text.push_str(line),
                (Line::User(user, _), None) if user == name => continue,
                (Line::User(user, _), Some(hash)) if user == name => {
                    if std::mem::replace(&mut done, true) {
                        continue;
                    }
                    text.push_str(&format!("{user}:{hash}"));
                }
                (Line::User(user, hash), _) => text.push_str(&format!("{user}:{hash}")),
            }
            text.push('\n');
        }
        if let Some(hash) = hash.filter(|_| !done) {
            text.push_str(&format!("{name}:{hash}\n"));
        }
        text
    }
}

fn write(path: &str, text: &str, attrs: &FileAttrs, host: &Host) -> Result<()> {
    if let Some(dir) = Path::new(path).parent() {
        fs::create_dir_all(host.path(dir))
            .map_err(|e| fail!("could not make {}: {}", dir.display(), strerror(&e)))?;
    }
    // A link stays one.
    let real = fs::canonicalize(host.path(path)).ok().filter(|_| host.is_real());
    let target = real.map_or_else(|| path.to_owned(), |real| real.to_string_lossy().into_owned());
    let replacement = Replacement { path: &target, attrs, new_mode: None, instead: None };
    write_atomically(host, &replacement, &mut text.as_bytes())?;
    // Attributes as of chattr are for the file in its place.
    attrs.plan(host, &target)?.apply(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_others_stay() {
        let entries = Entries::parse("# users\n\nada:one\nbob:two\n").unwrap();
        assert_eq!(entries.with("ada", Some("three")), "# users\nada:three\nbob:two\n");
        assert_eq!(entries.with("eve", Some("four")), "# users\nada:one\nbob:two\neve:four\n");
        assert_eq!(entries.with("bob", None), "# users\nada:one\n");
        assert!(Entries::parse("ada\n").is_err());
    }

    #[test]
    fn a_user_is_added_once() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::at(dir.path(), dir.path());
        let module = crate::find("community.general.htpasswd").unwrap();
        let run = |args: crate::Value| {
            let plan = (module.plan)(args.as_object().unwrap(), &host);
            let outcome = plan.map_or_else(|e| e.into_outcome(), |plan| plan.carry_out(&host));
            (outcome.result["changed"] == true, outcome.result["msg"].as_str().unwrap().to_owned())
        };
        let args = |more: crate::Value| {
            let mut args = crate::json!({"path": "/w/users", "name": "ada"});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            args
        };
        use crate::json;
        let missing = run(args(json!({"password": "x", "create": false})));
        assert_eq!(missing, (false, "Destination /w/users does not exist".into()));
        let made = run(args(json!({"password": "x", "mode": "0640"})));
        assert_eq!(
            made,
            (true, "Created /w/users and added ada and ownership, perms or SE linux context changed".into())
        );
        assert_eq!(run(args(json!({"password": "x"}))), (false, "ada already present".into()));
        assert_eq!(run(args(json!({"password": "y"}))), (true, "Add/update ada".into()));
        assert_eq!(run(args(json!({"state": "absent"}))), (true, "Remove ada".into()));
        assert_eq!(run(args(json!({"state": "absent"}))), (false, "ada not present".into()));
    }
}
