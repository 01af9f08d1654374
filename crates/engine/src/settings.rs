//! A task's keywords, rendered for one host (and one item of its loop): how to connect, whom to become, which
//! mode, what to do about failures.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lang::keywords::Keyword;
use lang::playbook::Task;
use lang::template::{Scope, Templar};
use lang::{Error, Result, Value};
use protocol::{Become, Secret};
use transport::{Connection, Target};

use crate::options::Options;

/// The longest `timeout` of a task, in seconds.
const LONGEST_TIMEOUT: u64 = 100_000_000;

/// The keywords of a task that do not decide whether and with what it runs.
#[derive(Clone, Debug)]
pub struct Settings {
    pub check: bool,
    pub diff: bool,
    pub no_log: bool,
    pub ignore_errors: bool,
    pub ignore_unreachable: bool,
    pub environment: BTreeMap<String, String>,
    /// Seconds; 0 for none.
    pub timeout: u64,
    /// `async`, seconds; 0 for none.
    pub background: u64,
    /// Seconds between two looks at a background job; 0 not to wait for it.
    pub poll: u64,
    pub r#become: Option<Become>,
    /// `ansible_python_interpreter` of the host it runs on, if that is a certain one.
    pub python: Option<String>,
}

/// Renders keywords of one task in one scope.
pub struct Keywords<'a> {
    pub task: &'a Task,
    pub templar: &'a Templar,
    pub scope: &'a Arc<dyn Scope>,
}

impl Keywords<'_> {
    /// The rendered value of a keyword; `None` when nobody wrote it or it is null. One that is `omit` leaves it to what
    /// is written around the task.
    pub fn value(&self, keyword: Keyword) -> Result<Option<Value>> {
        for value in self.task.written(keyword) {
            match self.render(value) {
                Ok(Value::Omit) => {}
                Ok(Value::Null) => return Ok(None),
                Ok(value) => return Ok(Some(value)),
                Err(e) => {
                    return Err(Error::new(format!("The field '{keyword}' has an invalid value"))
                        .at(value.pos().or(Some(&self.task.pos)))
                        .caused_by(e));
                }
            }
        }
        Ok(None)
    }

    fn render(&self, value: &Value) -> Result<Value> {
        if value.has_template() { self.templar.render(value, self.scope) } else { Ok(value.clone()) }
    }

    pub fn bool(&self, keyword: Keyword) -> Result<Option<bool>> {
        let Some(value) = self.value(keyword)? else { return Ok(None) };
        to_bool(&value).map(Some).ok_or_else(|| self.invalid(keyword, "bool", &value))
    }

    pub fn int(&self, keyword: Keyword) -> Result<Option<i64>> {
        let Some(value) = self.value(keyword)? else { return Ok(None) };
        to_int(&value).map(Some).ok_or_else(|| self.invalid(keyword, "int", &value))
    }

    pub fn float(&self, keyword: Keyword) -> Result<Option<f64>> {
        let Some(value) = self.value(keyword)? else { return Ok(None) };
        let number = match &value {
            Value::Float(f) => Some(*f),
            Value::Str(text) => text.as_str().trim().parse().ok(),
            other => to_int(other).map(|i| i as f64),
        };
        number.map(Some).ok_or_else(|| self.invalid(keyword, "float", &value))
    }

    pub fn text(&self, keyword: Keyword) -> Result<Option<String>> {
        Ok(self.value(keyword)?.map(|v| text_of(&v)))
    }

    /// `timeout`, in seconds.
    fn timeout(&self, options: &Options) -> Result<u64> {
        let Some(seconds) = self.int(Keyword::Timeout)? else { return Ok(options.task_timeout) };
        match u64::try_from(seconds) {
            Ok(seconds) if seconds <= LONGEST_TIMEOUT => Ok(seconds),
            _ => Err(Error::new(format!(
                "Timeout {seconds} is invalid, it must be between 0 and {LONGEST_TIMEOUT}."
            ))
            .at(Some(&self.task.pos))),
        }
    }

    fn invalid(&self, keyword: Keyword, kind: &str, value: &Value) -> Error {
        let pos = self.task.keyword(keyword).and_then(Value::pos).or(Some(&self.task.pos));
        let what = match value {
            Value::List(_) | Value::Map(_) => format!("of type '{}'", value.type_name()),
            value => modules::args_repr(&value.to_json()),
        };
        let cause = Error::new(format!("The value {what} could not be converted to '{kind}'.")).at(pos);
        Error::new(format!("Error processing keyword '{keyword}'")).at(pos).caused_by(cause)
    }

    /// A variable, rendered; `None` when nothing defines it or it is null.
    pub fn variable(&self, name: &str) -> Result<Option<Value>> {
        let Some(value) = self.scope.get(name)? else { return Ok(None) };
        match self.render(&value)? {
            Value::Null | Value::Omit | Value::Undefined(_) => Ok(None),
            value => Ok(Some(value)),
        }
    }

    /// The first of several variables that is defined, as text.
    pub fn variables_text(&self, names: &[&str]) -> Result<Option<String>> {
        for name in names {
            if let Some(value) = self.variable(name)? {
                return Ok(Some(text_of(&value)));
            }
        }
        Ok(None)
    }

    fn variables_bool(&self, names: &[&str]) -> Result<Option<bool>> {
        for name in names {
            if let Some(value) = self.variable(name)? {
                return Ok(Some(to_bool(&value).unwrap_or_else(|| value.is_truthy())));
            }
        }
        Ok(None)
    }

    /// All settings.
    pub fn settings(&self, options: &Options) -> Result<Settings> {
        let background = self.int(Keyword::Async)?.unwrap_or(0).max(0) as u64;
        let mut environment = self.environment()?;
        if (background > 0 || self.task.module.is_builtin("async_status"))
            && let Some(dir) = self.variables_text(&["ansible_async_dir"])?
        {
            environment.insert("ANSIBLE_ASYNC_DIR".into(), dir);
        }
        Ok(Settings {
            check: self.bool(Keyword::CheckMode)?.unwrap_or(options.check),
            diff: self.bool(Keyword::Diff)?.unwrap_or(options.diff),
            no_log: self.bool(Keyword::NoLog)?.unwrap_or(options.no_log),
            ignore_errors: self.bool(Keyword::IgnoreErrors)?.unwrap_or(options.ignore_errors),
            ignore_unreachable: self.bool(Keyword::IgnoreUnreachable)?.unwrap_or(false),
            environment,
            timeout: self.timeout(options)?,
            background,
            poll: self.int(Keyword::Poll)?.map_or(options.poll_interval, |p| p.max(0) as u64),
            r#become: self.become_user(options)?,
            python: None,
        })
    }

    /// The Python interpreter that the host is configured with; `None` if it is to be asked what it has.
    pub fn python(&self, options: &Options) -> Result<Option<String>> {
        let set = self.variables_text(&["ansible_python_interpreter"])?.or(options.python.clone());
        Ok(set.filter(|name| !name.is_empty() && !name.starts_with("auto")))
    }

    fn environment(&self) -> Result<BTreeMap<String, String>> {
        let mut environment = BTreeMap::new();
        // The play's environment may need facts that gathering has yet to bring.
        let gathering = self.task.module.is_builtin("gather_facts") || self.task.module.is_builtin("setup");
        for value in self.task.keywords(Keyword::Environment) {
            let rendered = match self.render(value) {
                Ok(rendered) => rendered,
                Err(e) if gathering && !e.is_pending() => self.renderable_members(value)?,
                Err(e) => return Err(e),
            };
            let dicts = match &rendered {
                Value::List(items) => items.to_vec(),
                other => vec![other.clone()],
            };
            for dict in dicts {
                match dict {
                    Value::Map(map) => {
                        environment.extend(
                            map.iter()
                                .filter(|(_, v)| !matches!(v, Value::Omit))
                                .map(|(k, v)| (k.to_string(), text_of(v))),
                        );
                    }
                    Value::Null | Value::Omit => {}
                    other => {
                        return Err(Error::new(format!(
                            "environment must be a dictionary, received {} ({})",
                            text_of(&other),
                            other.type_name()
                        ))
                        .at(value.pos().or(Some(&self.task.pos))));
                    }
                }
            }
        }
        Ok(environment)
    }

    /// The members of an environment that can be worked out already.
    fn renderable_members(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::List(items) => {
                Value::list(items.iter().map(|item| self.renderable_members(item)).collect::<Result<_>>()?)
            }
            Value::Map(map) => {
                let mut known = lang::Map::new();
                for (name, value) in map.iter() {
                    match self.render(value) {
                        Ok(value) => {
                            known.insert(name.clone(), value);
                        }
                        Err(e) if e.is_pending() => return Err(e),
                        Err(_) => {}
                    }
                }
                Value::map(known)
            }
            other => match self.render(other) {
                Err(e) if e.is_pending() => return Err(e),
                rendered => rendered.unwrap_or(Value::Null),
            },
        })
    }

    fn become_user(&self, options: &Options) -> Result<Option<Become>> {
        let defaults = &options.r#become;
        let wanted = match self.variables_bool(&["ansible_become"])? {
            Some(wanted) => wanted,
            None => self.bool(Keyword::Become)?.unwrap_or(defaults.r#become),
        };
        if !wanted {
            return Ok(None);
        }
        let method = match self.variables_text(&["ansible_become_method"])? {
            Some(method) => method,
            None => {
                self.text(Keyword::BecomeMethod)?.or(defaults.method.clone()).unwrap_or_else(|| "sudo".into())
            }
        };
        let method = method.strip_prefix("ansible.builtin.").unwrap_or(&method).to_owned();
        let method = method.strip_prefix("community.general.").unwrap_or(&method).to_owned();
        if !["sudo", "su", "doas"].contains(&method.as_str()) {
            return Err(Error::new(format!(
                "Invalid become method specified, could not find matching plugin: '{method}'."
            ))
            .with_help("supported are sudo, su and doas"));
        }
        let of_method = |part: &str| format!("ansible_{method}_{part}");
        let setting =
            |part: &str, keyword: Option<Keyword>, default: Option<String>| -> Result<Option<String>> {
                let general = format!("ansible_become_{part}");
                if let Some(value) = self.variables_text(&[&general, &of_method(part)])? {
                    return Ok(Some(value));
                }
                match keyword {
                    Some(keyword) => Ok(self.text(keyword)?.or(default)),
                    None => Ok(default),
                }
            };
        let user = setting("user", Some(Keyword::BecomeUser), defaults.user.clone())?
            .unwrap_or_else(|| "root".into());
        let exe = setting("exe", Some(Keyword::BecomeExe), defaults.exe.clone())?;
        let flags = setting("flags", Some(Keyword::BecomeFlags), defaults.flags.clone())?;
        let password = match setting("password", None, None)? {
            Some(password) => Some(password),
            None => setting("pass", None, None)?,
        };
        Ok(Some(Become {
            user,
            exe,
            flags: flags.map(|f| split_words(&f)),
            password: password.map(Secret::new).or(defaults.password.clone()),
            method,
        }))
    }

    /// How to reach a host, named `name`, whose variables the scope has.
    pub fn target(&self, name: &str, options: &Options) -> Result<Target> {
        let defaults = &options.connection;
        let connection = match self.variables_text(&["ansible_connection"])? {
            Some(connection) => connection,
            None => self
                .text(Keyword::Connection)?
                .or(defaults.connection.clone())
                .unwrap_or_else(|| "ssh".into()),
        };
        let short = connection.rsplit('.').next().unwrap_or(&connection);
        let kind = match short {
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" => Connection::Ssh,
            "local" => Connection::Local,
            "docker" => Connection::Docker,
            "chroot" => Connection::Chroot,
            _ => {
                return Err(Error::new(format!("The connection plugin '{connection}' was not found"))
                    .with_help("supported are ssh, local, docker and chroot"));
            }
        };
        let mut target = Target::new(name, kind);
        let per_kind = |part: &str| -> [String; 3] {
            [format!("ansible_{short}_{part}"), format!("ansible_ssh_{part}"), format!("ansible_{part}")]
        };
        let text = |part: &str| -> Result<Option<String>> {
            let names = per_kind(part);
            self.variables_text(&[&names[0], &names[1], &names[2]])
        };
        if let Some(host) = text("host")? {
            target.host = host;
        }
        if let Some(port) = text("port")? {
            let number = port.trim().parse().map_err(|_| Error::new(format!("'{port}' is not a port")))?;
            target.port = Some(number);
        }
        target.port = target.port.or(defaults.remote_port);
        target.user = match text("user")? {
            Some(user) => Some(user),
            None => self.text(Keyword::RemoteUser)?.or(defaults.remote_user.clone()),
        };
        let names = [
            &format!("ansible_{short}_password"),
            "ansible_ssh_password",
            "ansible_ssh_pass",
            "ansible_password",
        ];
        let password = match self.variables_text(&names)? {
            Some(password) => Some(password),
            None => text("pass")?,
        };
        target.password = password.map(Secret::new).or(defaults.password.clone());
        if matches!(kind, Connection::Ssh) {
            target.private_key_file = self
                .variables_text(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?
                .map(PathBuf::from)
                .or(defaults.private_key_file.clone());
            target.private_key_passphrase =
                self.variables_text(&["ansible_ssh_private_key_passphrase"])?.map(Secret::new);
            let words =
                |text: Option<String>, default: &[String]| text.map_or(default.to_vec(), |t| split_words(&t));
            target.ssh_args = words(self.variables_text(&["ansible_ssh_args"])?, &defaults.ssh_args);
            target.ssh_common_args =
                words(self.variables_text(&["ansible_ssh_common_args"])?, &defaults.ssh_common_args);
            target
                .ssh_common_args
                .extend(words(self.variables_text(&["ansible_ssh_extra_args"])?, &defaults.ssh_extra_args));
            target.host_key_checking = self
                .variables_bool(&["ansible_ssh_host_key_checking", "ansible_host_key_checking"])?
                .unwrap_or(defaults.host_key_checking);
        }
        let timeout = self.variables_text(&["ansible_ssh_timeout", "ansible_timeout"])?;
        let seconds = timeout.and_then(|t| t.trim().parse().ok()).unwrap_or(defaults.timeout);
        target.timeout = Duration::from_secs(seconds);
        target.program = self.variables_text(&["ansible_docker_command", "ansible_chroot_exe"])?;
        target.program_args =
            self.variables_text(&["ansible_docker_extra_args"])?.map_or(Vec::new(), |t| split_words(&t));
        Ok(target)
    }
}

/// A value as text, the way Python's `str` shows it.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_str().to_owned(),
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(i) => i.to_string(),
        Value::BigInt(digits) => digits.to_string(),
        other => modules::args_repr(&other.to_json()),
    }
}

/// A boolean as Ansible's keywords take one.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(f) if *f == 0.0 => Some(false),
        Value::Float(f) if *f == 1.0 => Some(true),
        Value::Str(text) => modules::args::parse_bool(text.as_str()),
        _ => None,
    }
}

/// An integer, also from text.
pub fn to_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Float(f) if f.fract() == 0.0 => Some(*f as i64),
        Value::Str(text) => text.as_str().trim().parse().ok(),
        _ => None,
    }
}

/// Words as a shell would split them (quotes and backslashes); what is not well formed is split at spaces.
pub fn split_words(text: &str) -> Vec<String> {
    shlex::split(text).unwrap_or_else(|| text.split_whitespace().map(str::to_owned).collect())
}
