//! `fetch`: a file of the host to the controller. What is transferred is in [`crate::fetch`].

use std::path::{Component, Path, PathBuf};

use lang::{Result, Value};

use super::{Input, Prepared, Remote};
use crate::map;
use crate::settings::to_bool;

/// Arguments of `fetch`.
pub struct Fetch {
    pub src: String,
    dest: String,
    flat: bool,
    pub fail_on_missing: bool,
    pub validate_checksum: bool,
    /// Where a relative `dest` begins.
    base: PathBuf,
    /// Directory of the host in the tree that `dest` is without `flat`.
    host: String,
}

/// As ansible-core does: other arguments are ignored, what is no boolean is false, check mode is skipped before anything
/// is looked at.
pub fn fetch(input: &Input<'_>) -> Result<Prepared> {
    if input.settings.is_some_and(|s| s.check) {
        let msg = "check mode not (yet) supported for this module";
        return Ok(Prepared::Done(map! {"skipped": true, "changed": false, "msg": msg}));
    }
    input.not_in_background("fetch")?;
    for (name, shown) in [("src", "source"), ("dest", "dest")] {
        if !matches!(input.args.get(name), Some(Value::Str(_) | Value::Null) | None) {
            return Err(input.error(format!("Invalid type supplied for {shown} option, it must be a string")));
        }
    }
    let (Some(src), Some(dest)) = (input.text("src"), input.text("dest")) else {
        return Err(input.error("src and dest are required"));
    };
    let flag = |name: &str, default: bool| match input.args.get(name) {
        None => default,
        Some(value) => to_bool(value).unwrap_or(false),
    };
    Ok(Prepared::Remote(Remote::Fetch(Fetch {
        src,
        dest,
        flat: flag("flat", false),
        fail_on_missing: flag("fail_on_missing", true),
        validate_checksum: flag("validate_checksum", true),
        base: input.ctx.play.play.basedir.to_path_buf(),
        host: input.host.to_owned(),
    })))
}

impl Fetch {
    /// Where the file goes; nothing a host says can lead out of `dest`. An error if that is a directory.
    pub fn destination(&self, remote: &str) -> std::result::Result<PathBuf, String> {
        let name = Path::new(remote).file_name().map(PathBuf::from).unwrap_or_default();
        let dest = normal(&self.base.join(super::files::expand_home(&self.dest)));
        if !self.flat {
            let below = normal(&Path::new("/").join(remote));
            return Ok(dest
                .join(self.host.replace('/', "_"))
                .join(below.strip_prefix("/").unwrap_or(&below)));
        }
        if self.dest.ends_with('/') {
            let dest = dest.join(name);
            if dest.is_dir() {
                return Err(format!(
                    "calculated dest '{}' is an existing directory, use another path that does not point to an existing directory",
                    dest.display()
                ));
            }
            return Ok(dest);
        }
        if dest.is_dir() {
            return Err(
                "dest is an existing directory, use a trailing slash if you want to fetch src into that directory".into(),
            );
        }
        Ok(dest)
    }
}

/// Without `.` and `..`, as text: links are not looked at.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}
