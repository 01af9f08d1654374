//! `ini_file`: options in the sections of a file.

mod text;

use text::{Ini, Wanted};

use serde_json::Value;

use crate::args::{Expanded, Raw, python_text};
use crate::files::{FileAttrs, Replacement, add_path_info, backup, real_path, strerror, write_atomically};
use crate::system::textfile;
use crate::{Applied, Effects, Host, Module, ModuleError, Plan, Resource, Result, args, fail, result};

args! {
    pub struct IniFileArgs {
        /// The file.
        path: Expanded = required(), aliases(&["dest"]);
        /// The section; none is what comes before the first.
        section: Option<String>;
        /// Options that tell sections of one name apart: dictionaries with option, value or values.
        section_has_values: Option<Vec<Raw>>;
        /// The option.
        option: Option<String>;
        /// Its value.
        value: Option<String>;
        /// Its values, if it may be there more than once.
        values: Vec<String>;
        /// Keep the old file under a name with the time.
        backup: bool = default("no");
        /// Whether it should be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// No other values of the option.
        exclusive: bool = default("yes");
        /// No blanks around the equals sign.
        no_extra_spaces: bool = default("no");
        /// Lines that differ only in blanks are right.
        ignore_spaces: bool = default("no");
        /// Make the file if it is not there.
        create: bool = default("yes");
        /// An option may be there without a value.
        allow_no_value: bool = default("no");
        /// Use the place of a line that is commented out.
        modify_inactive_option: bool = default("yes");
        /// Write to what a link points to.
        follow: bool = default("no");
    }
    with { attrs: FileAttrs }
    checks { mutually_exclusive(&["value", "values"]) }
}

pub struct IniFile;

impl Module for IniFile {
    type Args = IniFileArgs;
    const NAME: &'static str = "ini_file";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Keep options in the sections of an INI file.";

    fn effects(args: &IniFileArgs) -> Effects {
        Effects::writes([Resource::Path(args.path.0.clone())])
    }

    fn plan(args: IniFileArgs, host: &Host) -> Result<Plan> {
        let present = args.state == "present";
        let mut values: Vec<Option<String>> = Vec::new();
        for value in args.value.iter().chain(&args.values) {
            if !values.contains(&Some(value.clone())) {
                values.push(Some(value.clone()));
            }
        }
        if present && values.is_empty() {
            if !args.allow_no_value {
                let msg = "Parameter 'value(s)' must be defined if state=present and allow_no_value=False.";
                return Err(ModuleError::new(msg));
            }
            values.push(None);
        }
        let mut target = args.path.0.clone();
        if args.follow && host.path(&target).is_symlink() {
            target = real_path(&host.path(&target)).to_string_lossy().into_owned();
        }
        let real = host.path(&target);
        if !real.exists() && !args.create {
            return Err(fail!("Destination {target} does not exist!").with("rc", 257));
        }
        if real.is_dir() {
            return Err(fail!("Path {target} is a directory"));
        }
        let before = match std::fs::read(&real) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| fail!("{target} is not UTF-8"))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(fail!("could not read {target}: {}", strerror(&e))),
        };
        let conditions = args.section_has_values.as_deref().map(conditions).transpose()?.unwrap_or_default();
        let wanted = Wanted {
            values,
            exclusive: args.exclusive,
            spaces: !args.no_extra_spaces,
            ignore_spaces: args.ignore_spaces,
            inactive: args.modify_inactive_option,
        };
        let mut ini = Ini::new(&before);
        let msg = match (&args.option, present) {
            (Some(option), true) => ini.set(args.section.as_deref(), &conditions, option, &wanted),
            (None, true) => ini.add_section(args.section.as_deref(), &conditions),
            (Some(option), false) => ini.remove(args.section.as_deref(), &conditions, option, &wanted),
            (None, false) => ini.remove_section(args.section.as_deref(), &conditions),
        };
        let after = ini.text();
        // An absent option makes no file.
        let write = after != before && (present || !before.is_empty());
        let change = match real.exists() {
            true => args.attrs.plan(host, &target)?,
            false => Default::default(),
        };
        let mut result = result! {"msg": msg, "path": args.path.0};
        add_path_info(host, &mut result);
        let mut plan = Plan::unchanged(result.clone());
        if host.diff() {
            let header = format!("{} (content)", args.path.0);
            plan.diff.push(textfile::diff(&before, if write { &after } else { &before }, &header, &header));
        }
        if write || !change.is_empty() {
            plan.apply = Some(Box::new(move |host: &Host| {
                if write {
                    if args.backup
                        && let Some(kept) = backup(host, &target)?
                    {
                        result.insert("backup_file".into(), kept.into());
                    }
                    make_parent(&target, host)?;
                    let new =
                        Replacement { path: &target, attrs: &args.attrs, new_mode: None, instead: None };
                    write_atomically(host, &new, &mut after.as_bytes())?;
                    args.attrs.plan(host, &target)?.apply(host)?;
                } else {
                    change.apply(host)?;
                }
                add_path_info(host, &mut result);
                Applied::with(result)
            }));
        }
        Ok(plan)
    }
}

fn make_parent(path: &str, host: &Host) -> Result<()> {
    let Some(parent) = std::path::Path::new(path).parent() else { return Ok(()) };
    let made = std::fs::create_dir_all(host.path(parent));
    made.map_err(|e| fail!("could not make {}: {}", parent.display(), strerror(&e)))
}

/// Options with the values that a section has to have.
fn conditions(entries: &[Raw]) -> Result<Vec<(String, Vec<String>)>> {
    let mut list = Vec::new();
    for entry in entries {
        let Value::Object(map) = &entry.0 else {
            return Err(fail!("section_has_values has to be a list of dictionaries"));
        };
        let Some(option) = map.get("option").and_then(Value::as_str) else {
            return Err(fail!("missing required arguments: option found in section_has_values"));
        };
        let values = match (map.get("value"), map.get("values")) {
            (Some(value), _) => vec![python_text(value)],
            (None, Some(Value::Array(values))) => values.iter().map(python_text).collect(),
            _ => Vec::new(),
        };
        list.push((option.to_owned(), values));
    }
    Ok(list)
}
