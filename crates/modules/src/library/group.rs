//! `group`: groups of the host, by `groupadd`, `groupmod` and `groupdel`.

use crate::system::accounts::{self, Group as Entry};
use crate::system::program;
use crate::{Applied, Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, args, fail, result};

args! {
    pub struct GroupArgs {
        /// Name of the group.
        name: String = required();
        /// Whether the group should be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// Number of the group.
        gid: Option<i64>;
        /// Delete a group also when it is the primary group of a user.
        force: bool = default("no");
        /// Make a new group a system group.
        system: bool = default("no");
        /// Use the `lgroupadd` family, which only looks at local files.
        local: bool = default("no");
        /// Allow a number that another group has.
        non_unique: bool = default("no");
        /// Smallest number for a new group, instead of the one in `/etc/login.defs`.
        gid_min: Option<i64>;
        /// Largest number for a new group.
        gid_max: Option<i64>;
    }
    checks { required_if("non_unique", "True", &["gid"]) }
}

pub struct Group;

impl Module for Group {
    type Args = GroupArgs;
    const NAME: &'static str = "group";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Manage presence of groups on a host.";

    fn effects(args: &GroupArgs) -> Effects {
        Effects::writes([Resource::Group(args.name.clone())])
    }

    fn plan(args: GroupArgs, host: &Host) -> Result<Plan> {
        if args.local {
            for (name, value) in [("gid_min", args.gid_min), ("gid_max", args.gid_max)] {
                if value.is_some() {
                    return Err(fail!("'{name}' can not be used with 'local'"));
                }
            }
        }
        let found = if args.local {
            accounts::groups(host)?.into_iter().find(|g| g.name == args.name)
        } else {
            accounts::find_group(host, &args.name)?
        };
        if args.state == "absent" {
            return Ok(absent(args, found));
        }
        if args.local
            && !args.non_unique
            && let Some(gid) = args.gid
        {
            let taken = accounts::groups(host)?.into_iter().find(|g| i64::from(g.gid) == gid);
            if let Some(other) = taken.filter(|g| g.name != args.name) {
                let error = fail!("GID '{gid}' already exists with group '{}'", other.name);
                return Err(error.with("name", args.name));
            }
        }
        Ok(present(args, found))
    }
}

fn absent(args: GroupArgs, found: Option<Entry>) -> Plan {
    let result = result! {"name": args.name, "state": "absent"};
    if found.is_none() {
        return Plan::unchanged(result);
    }
    let plan = Plan::change(result, move |host| {
        let force = (args.force && !args.local).then_some("-f");
        run(host, &args, "groupdel", force.into_iter().map(str::to_owned).collect())?;
        Applied::done()
    });
    Plan { check: Some(Map::new()), ..plan }
}

fn present(args: GroupArgs, found: Option<Entry>) -> Plan {
    let Some(found) = found else {
        let plan = Plan::change(Map::new(), move |host| {
            run(host, &args, "groupadd", new_group(&args))?;
            let made = accounts::find_group(host, &args.name)?;
            let gid = made.map(|g| g.gid).ok_or_else(|| fail!("group {} was not made", args.name))?;
            Applied::with(facts(&args, gid))
        });
        return Plan { check: Some(Map::new()), ..plan };
    };
    let result = facts(&args, found.gid);
    match args.gid {
        Some(gid) if gid != i64::from(found.gid) => Plan::change(result, move |host| {
            let mut options = vec!["-g".to_owned(), gid.to_string()];
            if args.non_unique {
                options.push("-o".to_owned());
            }
            run(host, &args, "groupmod", options)?;
            Applied::with(result! {"gid": gid})
        }),
        _ => Plan::unchanged(result),
    }
}

fn facts(args: &GroupArgs, gid: u32) -> Map {
    result! {"name": args.name, "state": "present", "system": args.system, "gid": gid}
}

fn new_group(args: &GroupArgs) -> Vec<String> {
    let mut options = Vec::new();
    if let Some(gid) = args.gid {
        options.extend(["-g".to_owned(), gid.to_string()]);
        if args.non_unique {
            options.push("-o".to_owned());
        }
    }
    if args.system {
        options.push("-r".to_owned());
    }
    for (key, value) in [("GID_MIN", args.gid_min), ("GID_MAX", args.gid_max)] {
        if let Some(value) = value {
            options.extend(["-K".to_owned(), format!("{key}={value}")]);
        }
    }
    options
}

/// Run `groupadd` and the like (or its local sister) and fail with what it says.
fn run(host: &Host, args: &GroupArgs, name: &str, options: Vec<String>) -> Result<()> {
    let name = if args.local { format!("l{name}") } else { name.to_owned() };
    let process = program::process(host, &name)?.args(options).arg("--").arg(&args.name);
    let output = program::run(host, &process)?;
    if output.success() {
        return Ok(());
    }
    Err(ModuleError::new(output.err()).with("name", args.name.clone()))
}
