//! The program's section of supervisor's configuration.

use crate::{Result, Value, fail};

use super::SupervisorProgramArgs;

/// The whole file: a comment, the section, `command` first and the others by name.
pub fn text(args: &SupervisorProgramArgs) -> Result<String> {
    let Some(command) = args.command.as_ref().filter(|c| !c.is_empty()) else {
        return Err(fail!("state is {} but all of the following are missing: command", args.state));
    };
    let number = |value: Option<i64>| value.map(|v| v.to_string());
    let boolean = |value: Option<bool>| value.map(|v| v.to_string());
    let codes =
        args.exitcodes.as_ref().map(|codes| codes.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
    let many = (args.numprocs != 1).then(|| args.numprocs.to_string());
    let name = args
        .process_name
        .clone()
        .or_else(|| (args.numprocs > 1).then(|| "%(program_name)s_%(process_num)02d".to_owned()));
    if args.numprocs < 1 {
        return Err(fail!("numprocs has to be at least 1: {}", args.numprocs));
    }
    let options = [
        ("autorestart", Some(args.autorestart.clone())),
        ("autostart", Some(args.autostart.to_string())),
        ("directory", args.directory.clone()),
        ("environment", environment(args)?),
        ("exitcodes", codes),
        ("killasgroup", boolean(args.killasgroup)),
        ("numprocs", many),
        ("priority", number(args.priority)),
        ("process_name", name),
        ("redirect_stderr", boolean(args.redirect_stderr)),
        ("startretries", number(args.startretries)),
        ("startsecs", number(args.startsecs)),
        ("stderr_logfile", args.stderr_logfile.clone()),
        ("stderr_logfile_backups", number(args.stderr_logfile_backups)),
        ("stderr_logfile_maxbytes", args.stderr_logfile_maxbytes.clone()),
        ("stdout_logfile", args.stdout_logfile.clone()),
        ("stdout_logfile_backups", number(args.stdout_logfile_backups)),
        ("stdout_logfile_maxbytes", args.stdout_logfile_maxbytes.clone()),
        ("stopasgroup", boolean(args.stopasgroup)),
        ("stopsignal", args.stopsignal.clone()),
        ("stopwaitsecs", number(args.stopwaitsecs)),
        ("umask", args.umask.clone()),
        ("user", args.user.clone()),
    ];
    let mut text = format!("# managed by provision\n[program:{}]\n{}", args.name, line("command", command)?);
    for (option, value) in options {
        if let Some(value) = value {
            text += &line(option, &value)?;
        }
    }
    Ok(text)
}

fn line(option: &str, value: &str) -> Result<String> {
    if value.contains(['\n', '\r', '\0']) {
        return Err(fail!("{option} has to be one line"));
    }
    Ok(format!("{option}={}\n", uncommented(value.trim())))
}

/// Nothing, when supervisor has expanded it.
const NOTHING: &str = "%(program_name).0s";

/// A blank with `;` or `#` after it begins a comment. supervisor expands `%(...)s` after it has looked for comments, and
/// with a precision of none that is nothing at all: it keeps the two apart until then.
fn uncommented(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut blank = true;
    for c in value.chars() {
        if blank && matches!(c, ';' | '#') {
            out.push_str(NOTHING);
        }
        blank = c.is_whitespace();
        out.push(c);
    }
    out
}

/// `KEY="value",OTHER="value"`, by key. supervisor knows two kinds of quotes and no way to write one kind inside itself.
fn environment(args: &SupervisorProgramArgs) -> Result<Option<String>> {
    let mut pairs = Vec::new();
    let mut sorted: Vec<(&String, &Value)> = args.environment.iter().collect();
    sorted.sort_by_key(|(key, _)| key.as_str());
    for (key, value) in sorted {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_/.+-():".contains(c);
        if key.is_empty() || !key.chars().all(plain) {
            return Err(fail!("environment: supervisor does not take {key:?} as a name"));
        }
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "True".into(),
            Value::Bool(false) => "False".into(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        if value.contains(['\n', '\r', '\0']) {
            return Err(fail!("environment: the value of {key} has to be one line"));
        }
        let ends = value.starts_with(['"', '\'']) || value.ends_with(['"', '\'']);
        let quote = match (value.contains('"'), value.contains('\'')) {
            (true, true) => None,
            (true, false) => Some('\''),
            _ => Some('"'),
        };
        let Some(quote) = quote.filter(|_| !ends) else {
            return Err(fail!(
                "environment: the value of {key} has quotes that supervisor's configuration cannot express \
                 (both kinds, or one at its beginning or end)"
            ));
        };
        // `%(here)s` is replaced before everything else, however many signs are before it.
        let value = value.replace('%', "%%").replace("%(here)s", &format!("%{NOTHING}(here)s"));
        pairs.push(format!("{key}={quote}{value}{quote}"));
    }
    Ok((!pairs.is_empty()).then(|| pairs.join(",")))
}
