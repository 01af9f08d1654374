//! `cron`: named jobs, and variables, of a user's crontab or of a file in `/etc/cron.d`.
//!
//! A job is two lines, a comment with its name and the job itself: `#Ansible: NAME`. The same marks as Ansible's, so
//! that what one has written the other finds.

mod table;

use nix::unistd::geteuid;

use crate::files::strerror;
use crate::system::textfile::{self, Rights};
use crate::{Applied, Effects, Host, Module, Plan, Process, Resource, Result, args, fail, json};

use table::Table;

args! {
    pub struct CronArgs {
        /// Name of the job or, with `env`, of the variable.
        name: String = required();
        /// The user whose crontab it is; in `cron_file`, the user who runs the job.
        user: Option<String>;
        /// The command or, with `env`, the value of the variable.
        job: Option<String> = aliases(&["value"]);
        /// A file to use instead of a crontab, below `/etc/cron.d` if it is not absolute.
        cron_file: Option<String> = kind("path");
        /// Should it be there?
        state: String = choices(&["absent", "present"]), default("present");
        /// Keep a copy of the crontab as it was.
        backup: bool = default("no");
        /// Minute.
        minute: String = default("*");
        /// Hour.
        hour: String = default("*");
        /// Day of the month.
        day: String = default("*"), aliases(&["dom"]);
        /// Month.
        month: String = default("*");
        /// Day of the week.
        weekday: String = default("*"), aliases(&["dow"]);
        /// A time with a name.
        special_time: Option<String> =
            choices(&["reboot", "yearly", "annually", "monthly", "weekly", "daily", "hourly"]);
        /// Write the job as a comment, so that it does not run.
        disabled: bool = default("no");
        /// It is a variable.
        env: bool = default("no");
        /// The variable behind which a new one is put.
        insertafter: Option<String>;
        /// The variable before which a new one is put.
        insertbefore: Option<String>;
    }
    checks { mutually_exclusive(&["insertafter", "insertbefore"]) }
}

pub struct Cron;

impl Module for Cron {
    type Args = CronArgs;
    const NAME: &'static str = "cron";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Manage named jobs and variables of crontabs.";

    fn effects(args: &CronArgs) -> Effects {
        match file_of(args) {
            Some(file) => Effects::writes([Resource::Path(file)]),
            None => Effects::writes([Resource::Named("cron", args.user.clone().unwrap_or_default())]),
        }
    }

    fn plan(args: CronArgs, host: &Host) -> Result<Plan> {
        check(&args)?;
        let file = file_of(&args);
        let before = match &file {
            Some(file) => textfile::read(host, file)?.unwrap_or_default(),
            None => crontab(host, args.user.as_deref())?,
        };
        let mut table = Table::parse(&before);
        let changed = change(&args, &mut table)?;
        let mut result = crate::result! {"jobs": table.jobs(), "envs": table.variables()};
        if let Some(file) = &args.cron_file {
            result.insert("cron_file".into(), file.as_str().into());
        }
        if args.job.as_ref().is_some_and(|job| job.contains(['\n', '\r'])) {
            result.insert("warnings".into(), json!(["Job should not contain line breaks"]));
        }
        // A crontab whose last line has no end is mended.
        if !changed && (before.is_empty() || before.ends_with(['\n', '\r'])) {
            return Ok(Plan::unchanged(result));
        }
        let after = table.to_string();
        let header = match (&file, &args.user) {
            (Some(file), _) => file.clone(),
            (None, Some(user)) => format!("crontab for user \"{user}\""),
            (None, None) => "crontab".to_owned(),
        };
        let diff = host.diff().then(|| textfile::diff(&before, &after, &header, &header));
        let plan = Plan::change(result, move |host| {
            let mut applied = crate::Map::new();
            if args.backup {
                applied.insert("backup_file".into(), keep(&before)?.into());
            }
            match &file {
                Some(file) => textfile::write(host, file, after.as_bytes(), Rights::default())?,
                None => install(host, args.user.as_deref(), &after)?,
            }
            Applied::with(applied)
        });
        Ok(match diff {
            Some(diff) => plan.with_diff(diff),
            None => plan,
        })
    }
}

/// What cannot be meant.
fn check(args: &CronArgs) -> Result<()> {
    let present = args.state == "present";
    let times = [&args.minute, &args.hour, &args.day, &args.month, &args.weekday];
    if args.special_time.is_some() && times.iter().any(|t| *t != "*") {
        return Err(fail!("You cannot combine special_time with any of the time or day/date parameters."));
    }
    if args.cron_file.is_some() && args.user.is_none() && present {
        return Err(fail!("To use cron_file=... parameter you must specify user=... as well"));
    }
    if args.job.is_none() && present {
        return Err(fail!("You must specify 'job' to install a new cron job or variable"));
    }
    if (args.insertafter.is_some() || args.insertbefore.is_some()) && !args.env {
        return Err(fail!("Insertafter and insertbefore parameters are valid only with env=yes"));
    }
    Ok(())
}

/// Bring the table to what the arguments say; whether that changed it.
fn change(args: &CronArgs, table: &mut Table) -> Result<bool> {
    let job = args.job.as_deref().unwrap_or_default();
    if args.env {
        if args.state == "absent" {
            return Ok(table.remove_variable(&args.name));
        }
        let place = match (&args.insertafter, &args.insertbefore) {
            (Some(name), _) => Some((name.as_str(), 1)),
            (_, Some(name)) => Some((name.as_str(), 0)),
            _ => None,
        };
        return table
            .set_variable(&args.name, &format!("{}=\"{job}\"", args.name), place)
            .map_err(|missing| fail!("Variable named '{missing}' not found."));
    }
    if args.state == "absent" {
        return Ok(table.remove_job(&args.name));
    }
    Ok(table.set_job(&args.name, &line(args, job)))
}

/// The line of a job.
fn line(args: &CronArgs, job: &str) -> String {
    let job = job.trim_matches(['\r', '\n']);
    let off = if args.disabled { "#" } else { "" };
    let user = match (&args.cron_file, &args.user) {
        (Some(_), Some(user)) => format!("{user} "),
        _ => String::new(),
    };
    match &args.special_time {
        Some(time) => format!("{off}@{time} {user}{job}"),
        None => format!(
            "{off}{} {} {} {} {} {user}{job}",
            args.minute, args.hour, args.day, args.month, args.weekday
        ),
    }
}

fn file_of(args: &CronArgs) -> Option<String> {
    let file = args.cron_file.as_ref()?;
    Some(if file.starts_with('/') { file.clone() } else { format!("/etc/cron.d/{file}") })
}

/// The crontab of a user, read without a process where root can.
fn crontab(host: &Host, user: Option<&str>) -> Result<String> {
    const SPOOL: &str = "/var/spool/cron/crontabs";
    if geteuid().is_root() && host.path(SPOOL).is_dir() {
        let user = user.unwrap_or("root");
        // A name with a slash is nobody's, and must not lead elsewhere.
        if !user.is_empty() && !user.contains('/') && user != "." && user != ".." {
            let text = textfile::read(host, &format!("{SPOOL}/{user}"))?.unwrap_or_default();
            return Ok(table::without_header(&text));
        }
    }
    let output =
        command(user).arg("-l").run(host).map_err(|e| fail!("could not run crontab: {}", strerror(&e)))?;
    match output.rc {
        // 1: there is none.
        0 | 1 => Ok(table::without_header(&output.out())),
        _ => Err(fail!("Unable to read crontab").with("rc", output.rc).with("stderr", output.err())),
    }
}

fn command(user: Option<&str>) -> Process {
    let process = Process::new("crontab");
    match user {
        Some(user) => process.args(["-u", user]),
        None => process,
    }
}

/// Hand the new crontab to crontab(1), which checks it and tells the daemon.
fn install(host: &Host, user: Option<&str>, text: &str) -> Result<()> {
    use std::io::Write;
    let problem = |e: std::io::Error| fail!("could not write a temporary crontab: {}", strerror(&e));
    let mut file = tempfile::Builder::new().prefix("crontab").tempfile_in(host.tmp()).map_err(problem)?;
    file.write_all(text.as_bytes()).map_err(problem)?;
    let output = command(user)
        .arg(file.path())
        .run(host)
        .map_err(|e| fail!("could not run crontab: {}", strerror(&e)))?;
    if output.success() {
        return Ok(());
    }
    let error = fail!("Failed to install new cronfile: {}", file.path().display());
    Err(error.with("rc", output.rc).with("stdout", output.out()).with("stderr", output.err()))
}

/// Keep the crontab as it was in a file of its own, readable for its owner alone.
fn keep(text: &str) -> Result<String> {
    let problem = |e: std::io::Error| fail!("could not keep the old crontab: {}", strerror(&e));
    let (mut file, path) = tempfile::Builder::new()
        .prefix("crontab")
        .tempfile()
        .map_err(problem)?
        .keep()
        .map_err(|e| problem(e.error))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(problem)?;
    Ok(path.to_string_lossy().into_owned())
}
