//! `pip`: Python packages, in virtual environments or the system's own.
//!
//! pip takes half a second to say that nothing is to do. Where an isolated environment's `*.dist-info` answer for
//! everything that is asked, and for what that needs in turn, it is not started; in every doubt it is.

mod installed;
mod requirement;

use std::path::{Path, PathBuf};

use crate::args::Expanded;
use crate::process::find_program;
use crate::{
    Applied, Effects, Host, Module, ModuleError, Plan, Process, ProcessOutput, Resource, Result, args, fail,
    result, words,
};
use installed::Installed;
use requirement::Requirement;

args! {
    pub struct PipArgs {
        /// Packages, with versions if wanted, or addresses of them.
        name: Option<Vec<String>>;
        /// Version of the one package.
        version: Option<String>;
        /// A file of requirements on the host.
        requirements: Option<String>;
        /// The virtual environment; made when it is not there.
        virtualenv: Option<Expanded>;
        /// Should a new environment see the system's packages?
        virtualenv_site_packages: bool = default("no");
        /// What makes an environment.
        virtualenv_command: Expanded = default("virtualenv");
        /// The Python of a new environment.
        virtualenv_python: Option<String>;
        /// More arguments for pip.
        extra_args: Option<String>;
        /// Install as editable.
        editable: bool = default("no");
        /// Directory to run in.
        chdir: Option<Expanded>;
        /// The pip to use.
        executable: Option<Expanded>;
        /// Umask of the installation, octal.
        umask: Option<String>;
        /// What should be.
        state: String = choices(&["present", "absent", "latest", "forcereinstall"]), default("present");
        /// Change a Python that the system's package manager looks after.
        break_system_packages: bool = default("no");
    }
    checks {
        mutually_exclusive(&["name", "requirements"]),
        mutually_exclusive(&["executable", "virtualenv"]),
        required_one_of(&["name", "requirements"])
    }
}

pub struct Pip;

impl Module for Pip {
    type Args = PipArgs;
    const NAME: &'static str = "pip";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Install, update and remove Python packages.";

    fn effects(args: &PipArgs) -> Effects {
        let place = args.virtualenv.as_ref().or(args.executable.as_ref()).map(|p| p.0.clone());
        let mut effects = match &args.virtualenv {
            Some(dir) => Effects::writes([Resource::Path(dir.0.clone())]),
            None => Effects::writes([Resource::Named("pip", place.unwrap_or_default())]),
        };
        effects.unknown = args.virtualenv.is_none();
        match &args.requirements {
            Some(file) if file.starts_with('/') => effects.and_reads(Resource::Path(file.clone())),
            _ => effects,
        }
    }

    fn plan(args: PipArgs, host: &Host) -> Result<Plan> {
        Call::new(args)?.plan(host)
    }
}

struct Call {
    args: PipArgs,
    /// What is handed to pip, and what of it is a name with versions.
    packages: Vec<(String, Option<Requirement>)>,
    extra: Vec<String>,
    umask: Option<u32>,
    dir: PathBuf,
    environment: Option<PathBuf>,
}

impl Call {
    fn new(args: PipArgs) -> Result<Self> {
        if args.state == "latest" && args.version.is_some() {
            return Err(fail!("version is incompatible with state=latest"));
        }
        let umask = args.umask.as_deref().map(|text| {
            u32::from_str_radix(text.trim().trim_start_matches("0o"), 8).map_err(|_| {
                fail!("umask must be an octal integer")
                    .with("details", format!("invalid literal for int() with base 8: '{text}'"))
            })
        });
        let extra = words::split(args.extra_args.as_deref().unwrap_or_default()).map_err(ModuleError::new)?;
        let dir = args.chdir.as_ref().map(|d| PathBuf::from(&d.0)).filter(|d| d.is_dir());
        let dir = dir.unwrap_or_else(std::env::temp_dir);
        let mut packages: Vec<_> = whole(args.name.as_deref().unwrap_or_default())
            .into_iter()
            .map(|text| (text.clone(), Requirement::parse(&text)))
            .collect();
        if let Some(version) = &args.version {
            match packages.as_mut_slice() {
                [(_, Some(one))] if one.has_versions() => {
                    return Err(fail!(
                        "The 'version' argument conflicts with any version specifier provided along with a \
                         package name. Please keep the version specifier, but remove the 'version' argument."
                    ));
                }
                [(_, Some(one))] => *one = one.with_version(version),
                [] | [_] => {}
                _ => {
                    return Err(fail!(
                        "'version' argument is ambiguous when installing multiple package distributions. Please \
                         specify version restrictions next to each package in 'name' argument."
                    ));
                }
            }
        }
        let environment = args.virtualenv.as_ref().map(|e| dir.join(&e.0));
        Ok(Self { packages, extra, umask: umask.transpose()?, dir, environment, args })
    }

    fn plan(self, host: &Host) -> Result<Plan> {
        if self.args.name.is_some() && self.packages.is_empty() {
            return Ok(Plan::unchanged(result! {}));
        }
        if let Some(environment) = &self.environment
            && !environment.join("bin/activate").exists()
        {
            let create = self.creation(host, environment)?;
            let make = move |host: &Host| {
                let said = self.process(&create).run(host).map_err(|e| not_started(&create, &e))?;
                if !said.success() {
                    return Err(failed(&create, &said.out(), &said.err()));
                }
                self.run(host, Some(said))
            };
            return Ok(Plan { check: Some(result! {}), ..Plan::change(result! {}, make) });
        }
        let pip = self.pip(host)?;
        let installed = self.environment.as_deref().filter(|_| self.is_plain(host)).and_then(Installed::read);
        if let Some(plan) = installed.and_then(|i| self.plan_of_files(host, &pip, &i)) {
            return Ok(plan);
        }
        let mut check = result! {"changed": true};
        let told = self.extra.is_empty() && !self.args.editable && self.args.requirements.is_none();
        if host.check() && told && self.args.state != "latest" {
            let (said, list) = self.list(host, &pip)?;
            let there =
                |one: &Option<Requirement>| one.as_ref().is_some_and(|one| is_listed(&said.out(), one));
            let changed = match self.args.state.as_str() {
                "absent" => self.packages.iter().any(|p| there(&p.1)),
                "present" => !self.packages.iter().all(|p| there(&p.1)),
                _ => false,
            };
            check = result! {"changed": changed, "cmd": list.join(" "), "stdout": said.out(), "stderr": said.err()};
        }
        if host.check() && check.get("changed") == Some(&false.into()) {
            return Ok(Plan::unchanged(check));
        }
        Ok(Plan { check: Some(check), ..Plan::change(result! {}, move |host| self.run(host, None)) })
    }

    /// Is nothing asked for but that some packages are there?
    fn is_plain(&self, host: &Host) -> bool {
        let harmless = [
            "FIND_LINKS",
            "INDEX_URL",
            "EXTRA_INDEX_URL",
            "NO_INDEX",
            "CERT",
            "DEFAULT_TIMEOUT",
            "NO_INPUT",
            "DISABLE_PIP_VERSION_CHECK",
            "CONFIG_FILE",
            "NO_CACHE_DIR",
            "CACHE_DIR",
            "TRUSTED_HOST",
            "PROXY",
            "RETRIES",
        ];
        let harmless = |name: &str| name.strip_prefix("PIP_").is_none_or(|n| harmless.contains(&n));
        self.args.state == "present"
            && self.extra.is_empty()
            && !self.args.editable
            && host.environment().keys().all(|k| harmless(k))
            && std::env::vars_os().all(|(k, _)| harmless(&k.to_string_lossy()))
    }

    /// The answer from the directories alone, if they have one.
    fn plan_of_files(&self, host: &Host, pip: &[String], installed: &Installed) -> Option<Plan> {
        if let Some(file) = &self.args.requirements {
            let said = installed.satisfied(&installed::requirements(&self.dir.join(file), 8)?)?;
            if host.check() {
                return Some(Plan::unchanged(result! {}));
            }
            return Some(Plan::unchanged(self.result(pip, said, String::new())));
        }
        let wanted: Vec<_> =
            self.packages.iter().map(|p| Requirement::parse(&text(p))).collect::<Option<_>>()?;
        let said = installed.satisfied(&wanted)?;
        if host.check() {
            let list = format!("{} list --format=freeze", pip.join(" "));
            return Some(Plan::unchanged(result! {"cmd": list, "stdout": installed.freeze(), "stderr": ""}));
        }
        Some(Plan::unchanged(self.result(pip, said, String::new())))
    }

    fn result(&self, pip: &[String], stdout: String, stderr: String) -> crate::Map {
        let args = &self.args;
        result! {
            "cmd": self.command(pip), "name": args.name, "requirements": args.requirements, "state": args.state,
            "stderr": stderr, "stdout": stdout, "version": args.version,
            "virtualenv": self.environment.as_ref().map(|e| e.to_string_lossy()),
        }
    }

    /// The pip that is meant.
    fn pip(&self, host: &Host) -> Result<Vec<String>> {
        let show = |path: PathBuf| vec![path.to_string_lossy().into_owned()];
        let missing =
            |names: &str| fail!("Unable to find any of {names} to use.  pip needs to be installed.");
        if let Some(environment) = &self.environment {
            let bin = environment.join("bin");
            let found = ["pip3", "pip"].iter().map(|name| bin.join(name)).find(|p| p.exists());
            return found.map(show).ok_or_else(|| {
                let place = bin.display();
                fail!("Unable to find pip in the virtualenv, {}, under any of these names: pip3, pip. Make sure pip \
                       is present in the virtualenv {place}.", environment.display())
            });
        }
        if let Some(program) = &self.args.executable {
            if program.0.starts_with('/') {
                return Ok(vec![program.0.clone()]);
            }
            return find_program(host, &program.0).map(show).ok_or_else(|| missing(&program.0));
        }
        if let Some(python) = host.python() {
            return Ok([python, "-m", "pip"].map(str::to_owned).into());
        }
        let system = Path::new("/usr/bin/python3");
        let python = if system.exists() { Some(system.to_owned()) } else { find_program(host, "python3") };
        match python {
            Some(python) => Ok([show(python), vec!["-m".into(), "pip".into()]].concat()),
            None => find_program(host, "pip3").map(show).ok_or_else(|| missing("pip3")),
        }
    }

    fn command(&self, pip: &[String]) -> Vec<String> {
        let mut command = pip.to_vec();
        let verb: &[&str] = match self.args.state.as_str() {
            "absent" => &["uninstall", "-y"],
            "latest" => &["install", "-U"],
            "forcereinstall" => &["install", "-U", "--force-reinstall"],
            _ => &["install"],
        };
        command.extend(verb.iter().map(|&w| w.to_owned()));
        command.extend(self.extra.iter().cloned());
        if self.args.editable && self.args.state != "absent" {
            command.push("-e".into());
        }
        match &self.args.requirements {
            Some(file) => command.extend(["-r".to_owned(), file.clone()]),
            None => command.extend(self.packages.iter().map(text)),
        }
        command
    }

    fn process(&self, command: &[String]) -> Process {
        let (program, rest) = command.split_first().map_or(("", &[] as &[String]), |(p, r)| (p.as_str(), r));
        let process = Process::new(program).args(rest).cwd(&self.dir).umask(self.umask);
        if self.args.break_system_packages { process.env("PIP_BREAK_SYSTEM_PACKAGES", "1") } else { process }
    }

    fn pip_process(&self, host: &Host, command: &[String]) -> Process {
        let process = self.process(command);
        match &self.environment {
            // What a package's installation starts is that of the environment.
            Some(environment) => {
                let path = host.env("PATH").unwrap_or_default();
                process.env("PATH", format!("{}:{path}", environment.join("bin").display()))
            }
            None => process,
        }
    }

    fn list(&self, host: &Host, pip: &[String]) -> Result<(ProcessOutput, Vec<String>)> {
        let list = [pip, &["list".to_owned(), "--format=freeze".to_owned()]].concat();
        let said = self.pip_process(host, &list).run(host).map_err(|e| not_started(&list, &e))?;
        if said.success() { Ok((said, list)) } else { Err(failed(&list, &said.out(), &said.err())) }
    }

    /// Run pip; its words, and the list before and after where those do not tell, say whether something changed.
    fn run(&self, host: &Host, made: Option<ProcessOutput>) -> Result<Applied> {
        let pip = self.pip(host)?;
        let absent = self.args.state == "absent";
        let address =
            self.packages.iter().any(|p| ["git+", "hg+", "svn+", "bzr+"].iter().any(|v| p.0.contains(v)));
        let compare = !absent && (self.args.requirements.is_some() || address);
        let before = if compare { Some(self.list(host, &pip)?.0.out()) } else { None };
        let command = self.command(&pip);
        let said = self.pip_process(host, &command).run(host).map_err(|e| not_started(&command, &e))?;
        let (mut out, mut err) = (said.out(), said.err());
        let gone = said.rc == 1 && absent && (out.contains("not installed") || err.contains("not installed"));
        if !said.success() && !gone {
            return Err(failed(&command, &out, &err));
        }
        let changed = match before {
            _ if absent => out.contains("Successfully uninstalled"),
            Some(before) => before != self.list(host, &pip)?.0.out(),
            None => out.contains("Successfully installed"),
        };
        let changed = changed || made.is_some();
        if let Some(made) = made {
            out.insert_str(0, &made.out());
            err.insert_str(0, &made.err());
        }
        let mut result = self.result(&pip, out, err);
        result.insert("changed".into(), changed.into());
        Applied::with(result)
    }

    /// The command that makes the environment.
    fn creation(&self, host: &Host, environment: &Path) -> Result<Vec<String>> {
        let mut command = words::split(&self.args.virtualenv_command.0).map_err(ModuleError::new)?;
        let Some(program) = command.first_mut() else { return Err(fail!("virtualenv_command is empty")) };
        if !program.contains('/') {
            let found = find_program(host, program).ok_or_else(|| {
                let path = host.env("PATH").unwrap_or_default();
                fail!("Failed to find required executable \"{program}\" in paths: {path}:/sbin:/usr/sbin:/usr/local/sbin")
            })?;
            *program = found.to_string_lossy().into_owned();
        }
        let venv =
            command.windows(2).any(|w| w[0] == "-m" && w[1] == "venv") || command[0].contains("pyvenv");
        if venv && self.args.virtualenv_python.is_some() {
            return Err(fail!(
                "virtualenv_python should not be used when using the venv module or pyvenv as virtualenv_command"
            ));
        }
        if self.args.virtualenv_site_packages {
            command.push("--system-site-packages".into());
        }
        if let Some(python) = &self.args.virtualenv_python {
            command.push(format!("-p{python}"));
        }
        command.push(environment.to_string_lossy().into_owned());
        Ok(command)
    }
}

/// A package as it is handed to pip.
fn text((written, parsed): &(String, Option<Requirement>)) -> String {
    parsed.as_ref().map_or_else(|| written.clone(), Requirement::text)
}

/// Lists are split at commas, which versions have as well: put together what belongs together.
fn whole(names: &[String]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    for name in names {
        match whole.last_mut() {
            Some(last) if name.trim_start().starts_with(['<', '>', '=', '!', '~']) => {
                last.push(',');
                last.push_str(name.trim());
            }
            _ => whole.push(name.trim().to_owned()),
        }
    }
    whole
}

fn is_listed(list: &str, wanted: &Requirement) -> bool {
    list.lines().filter_map(|l| l.split_once("==")).any(|(name, version)| {
        requirement::normal(name) == requirement::normal(&wanted.name) && wanted.accepts(version.trim())
    })
}

fn failed(command: &[String], out: &str, err: &str) -> ModuleError {
    let out = if out.is_empty() { String::new() } else { format!("stdout: {out}") };
    ModuleError::new(format!("{out}\n:stderr: {err}")).with("cmd", command.to_vec())
}

fn not_started(command: &[String], error: &std::io::Error) -> ModuleError {
    fail!("Error executing command.")
        .with("cmd", command.join(" "))
        .with("rc", error.raw_os_error().unwrap_or(257))
        .with("stdout", "")
        .with("stderr", "")
}
