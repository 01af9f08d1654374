//! `user`: accounts of the host, by `useradd`, `usermod` and `userdel`.
//!
//! What is already so is read from `/etc/passwd`, `/etc/group` and `/etc/shadow`: a converged account starts no
//! process. Password hashes go to `chpasswd` over its input, because arguments of processes are public.

mod account;
mod home;
mod options;
mod sshkey;

use crate::args::Expanded;
use crate::system::accounts::{self, User as Entry};
use crate::system::program;
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, args, result};

args! {
    // Arguments of other systems are accepted, and mean nothing here, as with Ansible.
    #[allow(dead_code)]
    pub struct UserArgs {
        /// Name of the account.
        name: String = required(), aliases(&["user"]);
        /// Whether the account should be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// Number of the account.
        uid: Option<i64>;
        /// Allow a number that another account has.
        non_unique: bool = default("no");
        /// Description (GECOS).
        comment: Option<String>;
        /// Primary group: a name or number.
        group: Option<String>;
        /// Supplementary groups; an empty text means none.
        groups: Option<Vec<String>> = elements("str");
        /// Add `groups` to those that the user is in, instead of replacing them.
        append: bool = default("no");
        /// Login shell.
        shell: Option<Expanded>;
        /// Home directory.
        home: Option<Expanded>;
        /// Make the home directory when it is not there.
        create_home: bool = default("yes"), aliases(&["createhome"]);
        /// Move the old home directory when `home` changes.
        move_home: bool = default("no");
        /// Directory whose content a new home starts with, instead of `/etc/skel`.
        skeleton: Option<String>;
        /// `umask` for a new home.
        umask: Option<String>;
        /// Make a new account a system account.
        system: bool = default("no");
        /// The hash of the password, as `crypt(3)` has it.
        password: Option<String> = no_log();
        /// Set the password always, or only when the account is made.
        update_password: String = choices(&["always", "on_create"]), default("always");
        /// Lock or unlock the password.
        password_lock: Option<bool>;
        /// Seconds since 1970 at which the account ends; negative for never.
        expires: Option<f64>;
        /// Most days between changes of the password.
        password_expire_max: Option<i64>;
        /// Fewest days between changes of the password.
        password_expire_min: Option<i64>;
        /// Days of warning before the password expires.
        password_expire_warn: Option<i64>;
        /// Days after the password expired until the account is disabled.
        password_expire_account_disable: Option<i64>;
        /// With `state: absent`, delete the home directory, too.
        remove: bool = default("no");
        /// With `state: absent`, delete also what is in use; with `generate_ssh_key`, replace the key.
        force: bool = default("no");
        /// Make an SSH key for the user.
        generate_ssh_key: bool = default("no");
        /// Number of bits of the key.
        ssh_key_bits: i64 = default("0");
        /// Type of the key.
        ssh_key_type: String = default("rsa");
        /// File of the key, relative to the home directory; `.ssh/id_<type>` if not given.
        ssh_key_file: Option<Expanded>;
        /// Comment of the key; `ansible-generated on HOSTNAME` if not given.
        ssh_key_comment: Option<String>;
        /// Passphrase of the key.
        ssh_key_passphrase: Option<String> = no_log();
        /// Smallest number for a new account, instead of the one in `/etc/login.defs`.
        uid_min: Option<i64>;
        /// Largest number for a new account.
        uid_max: Option<i64>;
        /// SELinux user; not supported.
        seuser: Option<String>;
        /// Use the `luseradd` family; not supported.
        local: bool = default("no");
        /// Of other systems than Linux, where it means nothing.
        login_class: Option<String>;
        /// Of other systems than Linux, where it means nothing.
        authorization: Option<String>;
        /// Of other systems than Linux, where it means nothing.
        profile: Option<String>;
        /// Of other systems than Linux, where it means nothing.
        role: Option<String>;
        /// Of other systems than Linux, where it means nothing.
        hidden: Option<bool>;
    }
}

pub struct User;

impl Module for User {
    type Args = UserArgs;
    const NAME: &'static str = "user";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Manage user accounts and their attributes.";

    fn effects(args: &UserArgs) -> Effects {
        let mut effects = Effects::writes([Resource::User(args.name.clone())]);
        let groups = args.groups.iter().flatten().chain(&args.group);
        effects.reads.extend(groups.map(|g| Resource::Group(g.clone())));
        if let Some(home) = &args.home {
            effects = effects.and_writes(Resource::Path(home.0.clone()));
        }
        // useradd makes a group with the user's name.
        effects.and_writes(Resource::Group(args.name.clone()))
    }

    fn plan(args: UserArgs, host: &Host) -> Result<Plan> {
        if args.local {
            return Err(program::refuse("local", "only useradd and its family are used"));
        }
        if args.seuser.is_some() {
            return Err(program::refuse("seuser", "SELinux users are not managed"));
        }
        let found = accounts::find_user(host, &args.name)?;
        match (args.state.as_str(), found) {
            ("absent", None) => Ok(Plan::unchanged(result! {"name": args.name, "state": "absent"})),
            ("absent", Some(_)) => Ok(absent(args)),
            (_, None) => account::create(args, host),
            (_, Some(found)) => account::modify(args, found, host),
        }
    }
}

fn absent(args: UserArgs) -> Plan {
    let result = result! {"name": args.name, "state": "absent", "force": args.force, "remove": args.remove};
    let plan = Plan::change(result, move |host| {
        let flags = [(args.force, "-f"), (args.remove, "-r")];
        let flags = flags.iter().filter(|f| f.0).map(|f| f.1);
        let process = program::process(host, "userdel")?.args(flags).arg("--").arg(&args.name);
        let mut said = account::Said::default();
        said.run(host, &args.name, &process)?;
        Applied::with(said.into_result())
    });
    Plan { check: Some(Map::new()), ..plan }
}

/// The keys that a result about an existing account has.
fn describe(args: &UserArgs, user: &Entry) -> Map {
    let mut map = result! {
        "name": args.name, "state": "present", "comment": user.comment, "group": user.gid,
        "home": user.home, "shell": user.shell, "uid": user.uid
    };
    if let Some(groups) = &args.groups {
        map.insert("groups".into(), groups.join(",").into());
    }
    if args.password.is_some() {
        map.insert("password".into(), "NOT_LOGGING_PASSWORD".into());
    }
    map
}
