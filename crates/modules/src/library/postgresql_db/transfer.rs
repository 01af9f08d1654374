//! `state: dump` and `state: restore`.

use crate::process::find_program;
use crate::system::postgres::Server;
use crate::words::quote;
use crate::{Applied, Host, Plan, Result, fail, result};

use super::PostgresqlDbArgs;

/// Programs that pack and unpack, by the end of the file's name.
const PACKERS: &[(&str, &str)] = &[(".gz", "gzip"), (".bz2", "bzip2"), (".xz", "xz")];

pub fn plan(args: PostgresqlDbArgs, host: &Host) -> Result<Plan> {
    let (command, packed) = if args.state == "dump" { dump(&args, host)? } else { restore(&args, host)? };
    let result = result! {"db": args.name, "executed_commands": Vec::<String>::new()};
    let mut check = result;
    check.insert("changed".into(), false.into());
    let plan = Plan::change(crate::Map::new(), move |host| {
        let server = Server::new(&args.login, &args.name);
        // The shell only joins programs; every word of it is quoted, and the password is in the environment.
        let process = server.program(host, "sh")?.arg("-c").arg(&command);
        let output = process.run(host).map_err(|e| fail!("could not run sh: {e}"))?;
        // Ansible does not show what was said when something is unpacked on the way.
        let unpacked = packed && args.state == "restore";
        let shown = if unpacked { "cmd: ****".to_owned() } else { command.clone() };
        if !output.success() {
            let error = fail!("{}", output.err()).with("cmd", shown).with("rc", output.rc);
            return Err(error.with("stdout", output.out()));
        }
        let executed = if unpacked { Vec::new() } else { vec![command] };
        let said = if unpacked { String::new() } else { output.out() };
        Applied::with(result! {
            "cmd": shown, "executed_commands": executed, "msg": said, "rc": 0, "stderr": output.err()
        })
    });
    Ok(Plan { check: Some(check), ..plan })
}

fn path(host: &Host, name: &str) -> Result<String> {
    let found =
        find_program(host, name).ok_or_else(|| fail!("{name} is needed on the host, and is not there"))?;
    Ok(found.display().to_string())
}

fn packer(target: &str) -> Option<&'static str> {
    PACKERS.iter().find(|(end, _)| target.ends_with(end)).map(|(_, program)| *program)
}

fn words(text: &str) -> Result<Vec<String>> {
    crate::words::split(text).map_err(|e| fail!("{e}"))
}

fn dump(args: &PostgresqlDbArgs, host: &Host) -> Result<(String, bool)> {
    let server = Server::new(&args.login, &args.name);
    let target = &args.target;
    let mut command = vec![path(host, "pg_dump")?, quote(&args.name)];
    command.extend(server.options().iter().map(|o| quote(o)));
    let mut to_file = false;
    if target.ends_with(".tar") {
        command.push("--format=t".into());
    } else if target.ends_with(".pgc") {
        command.push("--format=c".into());
    } else if target.ends_with(".dir") {
        command.extend(["--format=d".into(), format!("--file={}", quote(target))]);
        to_file = true;
    }
    command.extend(words(args.dump_extra_args.as_deref().unwrap_or_default())?.iter().map(|w| quote(w)));
    command.extend(words(&args.target_opts)?.iter().map(|w| quote(w)));
    let command = command.join(" ");
    if to_file {
        return Ok((command, false));
    }
    match packer(target) {
        None => Ok((format!("{command} > {}", quote(target)), false)),
        Some(packer) => {
            // The exit status is that of pg_dump, not of the packer.
            let packer = path(host, packer)?;
            let pipe = format!("{{ {command}; echo $? >&4; }} | {packer} > {}", quote(target));
            Ok((format!("exit $({{ {pipe}; }} 4>&1)"), true))
        }
    }
}

fn restore(args: &PostgresqlDbArgs, host: &Host) -> Result<(String, bool)> {
    let server = Server::new(&args.login, &args.name);
    let target = &args.target;
    let format = [(".tar", "Tar"), (".pgc", "Custom"), (".dir", "Directory")];
    let format = format.iter().find(|(end, _)| target.ends_with(end)).map(|(_, format)| *format);
    let program = path(host, if format.is_some() { "pg_restore" } else { "psql" })?;
    let mut command = vec![program, format!("--dbname={}", quote(&args.name))];
    command.extend(server.options().iter().map(|o| quote(o)));
    command.extend(format.map(|f| format!("--format={f}")));
    command.extend(words(&args.target_opts)?.iter().map(|w| quote(w)));
    let unpacker = packer(target).filter(|_| format.is_none());
    if format.is_none() && unpacker.is_none() {
        command.push(format!("--file={}", quote(target)));
    } else if format.is_some() {
        command.push(quote(target));
    }
    let command = command.join(" ");
    match unpacker {
        None => Ok((command, false)),
        Some(packer) => Ok((format!("{} -dc {} | {command}", path(host, packer)?, quote(target)), true)),
    }
}
