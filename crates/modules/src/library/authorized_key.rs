//! `authorized_key`: who may log in as a user with which SSH key.

mod keyfile;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::Path;

use crate::args::Expanded;
use crate::files::add_path_info;
use crate::system::textfile::{self, Rights};
use crate::system::{accounts, program};
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, args, fail, json, result};

use keyfile::{Key, KeyFile};

args! {
    pub struct AuthorizedKeyArgs {
        /// The user whose file it is.
        user: String = required();
        /// One or more keys, a line each; or `file://` and a path of the host.
        key: String = required();
        /// The file, instead of `.ssh/authorized_keys` in the home directory.
        path: Option<Expanded>;
        /// Make the directory of the file, with its owner and mode.
        manage_dir: bool = default("yes");
        /// Whether the keys should be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// Options in front of the key.
        key_options: Option<String>;
        /// Remove all other keys.
        exclusive: bool = default("no");
        /// Only for keys from a URL, which are not supported.
        validate_certs: bool = default("yes");
        /// Comment of the key, instead of its own.
        comment: Option<String>;
        /// Write through a symbolic link instead of replacing it.
        follow: bool = default("no");
    }
}

pub struct AuthorizedKey;

impl Module for AuthorizedKey {
    type Args = AuthorizedKeyArgs;
    const NAME: &'static str = "authorized_key";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Add or remove SSH keys with which a user may log in.";

    fn effects(args: &AuthorizedKeyArgs) -> Effects {
        let effects = match &args.path {
            Some(path) => Effects::writes([Resource::Path(path.0.clone())]),
            None => Effects::writes([Resource::Named("authorized_key", args.user.clone())]),
        };
        effects.and_reads(Resource::User(args.user.clone()))
    }

    fn plan(args: AuthorizedKeyArgs, host: &Host) -> Result<Plan> {
        let text = read_keys(&args, host)?;
        let user = accounts::find_user(host, &args.user)?;
        let path = match (&args.path, &user) {
            (Some(path), _) => path.0.clone(),
            (None, Some(user)) => format!("{}/.ssh/authorized_keys", user.home),
            (None, None) if host.check() => {
                return Err(fail!(
                    "Either user must exist or you must provide full path to key file in check mode"
                ));
            }
            (None, None) => return Err(no_user(&args.user)),
        };
        let before = textfile::read(host, &path)?;
        let mut file = KeyFile::parse(before.as_deref().unwrap_or_default());
        let changed = apply_keys(&args, &text, &mut file)?;
        let mut result = describe(&args, &path);
        if !changed {
            show_file(&args, host, &mut result);
            return Ok(Plan::unchanged(result));
        }
        let Some(user) = user else { return Err(no_user(&args.user)) };
        let after = file.text();
        let diff =
            host.diff().then(|| textfile::diff(before.as_deref().unwrap_or_default(), &after, &path, &path));
        let plan = Plan::change(result, move |host| {
            if args.manage_dir {
                let dir = Path::new(&path).parent().unwrap_or(Path::new("/"));
                manage_dir(&host.path(dir), user.uid, user.gid)
                    .map_err(|e| fail!("Failed to create directory {} : {e}", dir.display()))?;
            }
            if !args.follow {
                // Ansible's rename replaces a link; writing through it would give a file to someone else.
                let place = host.path(&path);
                if place.is_symlink() {
                    fs::remove_file(&place).map_err(|e| fail!("could not replace {path}: {e}"))?;
                }
            }
            let rights = Rights { uid: Some(user.uid), gid: Some(user.gid), mode: Some(0o600), force: true };
            textfile::write(host, &path, after.as_bytes(), rights)?;
            let mut result = Map::new();
            show_file(&args, host, &mut result);
            Applied::with(result)
        });
        Ok(Plan { diff: diff.into_iter().collect(), ..plan })
    }
}

fn no_user(name: &str) -> crate::ModuleError {
    fail!("Failed to lookup user {name}: \"getpwnam(): name not found: '{name}'\"")
}

fn read_keys(args: &AuthorizedKeyArgs, host: &Host) -> Result<String> {
    if args.key.starts_with("http://") || args.key.starts_with("https://") || args.key.starts_with("ftp://") {
        return Err(program::refuse("key", "keys are not downloaded from a URL; use a lookup or get_url"));
    }
    match args.key.strip_prefix("file://") {
        Some(path) => {
            textfile::read(host, path)?.ok_or_else(|| fail!("Error getting key from: {}", args.key))
        }
        None => Ok(args.key.clone()),
    }
}

/// Bring the file's content to what is asked for; was anything to do?
fn apply_keys(args: &AuthorizedKeyArgs, text: &str, file: &mut KeyFile) -> Result<bool> {
    let mut changed = false;
    let mut wanted = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let mut key = Key::parse(line).ok_or_else(|| fail!("invalid key specified: {line}"))?;
        if let Some(options) = &args.key_options {
            key.options = keyfile::options(options);
        }
        if let Some(comment) = &args.comment {
            key.comment = comment.clone();
        }
        wanted.push(key.body.clone());
        if args.state == "present" {
            changed |= file.put(key);
        } else {
            changed |= file.remove(&key.body);
        }
    }
    if args.exclusive && args.state == "present" {
        changed |= file.keep_only(&wanted);
    }
    Ok(changed)
}

fn describe(args: &AuthorizedKeyArgs, path: &str) -> Map {
    result! {
        "user": args.user, "key": args.key, "path": args.path.as_ref().map(|p| p.0.clone()),
        "manage_dir": args.manage_dir, "state": args.state, "key_options": args.key_options,
        "exclusive": args.exclusive, "comment": args.comment, "validate_certs": args.validate_certs,
        "follow": args.follow, "keyfile": path
    }
}

/// With `path`, Ansible describes the file, too.
fn show_file(args: &AuthorizedKeyArgs, host: &Host, result: &mut Map) {
    if let Some(path) = &args.path {
        result.insert("path".into(), json!(path.0));
        add_path_info(host, result);
    }
}

fn manage_dir(dir: &Path, uid: u32, gid: u32) -> std::io::Result<()> {
    if !dir.exists() {
        fs::DirBuilder::new().mode(0o700).create(dir)?;
    }
    chown(dir, Some(uid), Some(gid))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}
