//! Making and changing an account.

use crate::system::accounts::{self, User as Entry};
use crate::system::program;
use crate::{Applied, Host, Map, ModuleError, Plan, Process, Result, fail};

use super::options::{self, Changes};
use super::{UserArgs, describe, home, sshkey};

/// What the programs said, for the result.
#[derive(Default)]
pub struct Said {
    out: String,
    err: String,
}

impl Said {
    /// Run a program that has to succeed.
    pub fn run(&mut self, host: &Host, name: &str, process: &Process) -> Result<()> {
        let output = program::run(host, process)?;
        if !output.success() {
            let error = ModuleError::new(output.err()).with("name", name);
            return Err(error.with("rc", output.rc));
        }
        self.out += &output.out();
        self.err += &output.err();
        Ok(())
    }

    pub fn into_result(self) -> Map {
        let mut map = Map::new();
        for (key, text) in [("stdout", self.out), ("stderr", self.err)] {
            if !text.is_empty() {
                map.insert(key.into(), text.into());
            }
        }
        map
    }
}

pub fn create(args: UserArgs, host: &Host) -> Result<Plan> {
    options::check_groups(&args, host)?;
    let warnings = options::warnings(&args);
    let plan = Plan::change(warnings.clone(), move |host| {
        let mut said = Said::default();
        let made = match &args.home {
            Some(wanted) if args.create_home => home::make_missing_parent(host, &args, &wanted.0)?,
            _ => false,
        };
        let options = options::for_useradd(&args, host)?;
        let process = program::process(host, "useradd")?.args(options).arg("--").arg(&args.name);
        said.run(host, &args.name, &process)?;
        if made && let Some(user) = accounts::find_user(host, &args.name)? {
            home::give(host, &user.home, user.uid, user.gid)?;
        }
        if let Some(password) = &args.password {
            let lock = args.password_lock == Some(true);
            set_password(host, &mut said, &args.name, password, lock)?;
        }
        set_ages(host, &mut said, &args, &Changes::ages_of(&args))?;
        let mut result = finish(&args, host, &mut said)?;
        result.insert("create_home".into(), args.create_home.into());
        result.insert("system".into(), args.system.into());
        result.extend(said.into_result());
        Applied::with(result)
    });
    Ok(Plan { check: Some(warnings), ..plan })
}

pub fn modify(args: UserArgs, found: Entry, host: &Host) -> Result<Plan> {
    options::check_groups(&args, host)?;
    let changes = Changes::between(&args, &found, host)?;
    let mut result = describe(&args, &found);
    result.extend(options::warnings(&args));
    result.insert("append".into(), args.append.into());
    result.insert("move_home".into(), args.move_home.into());
    let wanted_home = args.home.as_ref().map_or(found.home.as_str(), |h| &h.0);
    let home_missing = args.create_home && !host.path(wanted_home).exists();
    let key = sshkey::plan(&args, &found.home, host)?;
    if let Some(key) = &key {
        result.extend(key.result.clone());
    }
    let key_missing = key.as_ref().is_some_and(|k| k.missing);
    if changes.is_empty() && !home_missing && !key_missing {
        return Ok(Plan::unchanged(result));
    }
    Ok(Plan::change(result, move |host| {
        let mut said = Said::default();
        if !changes.usermod.is_empty() {
            let process = program::process(host, "usermod")?.args(&changes.usermod).arg("--").arg(&args.name);
            said.run(host, &args.name, &process)?;
        }
        if let Some(password) = &changes.password {
            let lock = args.password_lock.unwrap_or(false);
            set_password(host, &mut said, &args.name, password, lock)?;
        }
        set_ages(host, &mut said, &args, &changes.ages)?;
        let mut result = finish(&args, host, &mut said)?;
        result.extend(said.into_result());
        Applied::with(result)
    }))
}

/// Home directory and key, when the account itself is right; then what the account has become.
fn finish(args: &UserArgs, host: &Host, said: &mut Said) -> Result<Map> {
    let user = accounts::find_user(host, &args.name)?;
    let user = user.ok_or_else(|| fail!("failed to look up user name: {}", args.name))?;
    if args.create_home && !host.path(&user.home).exists() {
        home::make(host, args, &user.home)?;
        home::give(host, &user.home, user.uid, user.gid)?;
    }
    let mut result = describe(args, &user);
    if let Some(key) = sshkey::plan(args, &user.home, host)? {
        let made = sshkey::generate(args, &user, key, host, said)?;
        result.extend(made);
    }
    Ok(result)
}

/// Hand the hash to `chpasswd` over its input.
fn set_password(host: &Host, said: &mut Said, name: &str, hash: &str, lock: bool) -> Result<()> {
    if hash.contains(['\n', ':']) {
        return Err(fail!("invalid field '{}'", "password").with("name", name));
    }
    let hash = if lock { format!("!{}", hash.trim_start_matches('!')) } else { hash.to_owned() };
    let process = program::process(host, "chpasswd")?.arg("-e").stdin(format!("{name}:{hash}\n"));
    said.run(host, name, &process)
}

fn set_ages(host: &Host, said: &mut Said, args: &UserArgs, ages: &[String]) -> Result<()> {
    if ages.is_empty() {
        return Ok(());
    }
    let process = program::process(host, "chage")?.args(ages).arg("--").arg(&args.name);
    said.run(host, &args.name, &process)
}
