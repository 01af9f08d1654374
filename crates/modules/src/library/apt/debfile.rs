//! `deb`: a package from a file on the host, or from a URL.

use tempfile::TempDir;

use crate::http::{Options, fetch_file};
use crate::system::{dpkg, program, version};
use crate::{Host, Process, Result, fail, result};

use super::AptArgs;
use super::command::{Answer, Apt, environment};

pub struct Install {
    path: String,
    /// Packages of the index that it needs first.
    needs: Vec<String>,
    /// Where it was downloaded to.
    _fetched: Option<TempDir>,
}

/// Is the file's package installed in that version; if not, what does it need?
pub fn plan(args: &AptArgs, path: &str, host: &Host) -> Result<(Option<Install>, Answer)> {
    let fetched = match path.contains("://") {
        true => Some(fetch_file(host, path, Options::default())?),
        false => None,
    };
    let path = fetched.as_ref().map_or(path.into(), |fetched| fetched.path.to_string_lossy());
    let path = &*path;
    let file = host.path(path);
    if let Err(error) = std::fs::File::open(&file) {
        let (number, text) = match error.raw_os_error() {
            Some(2) => (2, "No such file or directory"),
            Some(13) => (13, "Permission denied"),
            other => (other.unwrap_or(0), "Input/output error"),
        };
        let why = format!("E:Could not open file {path} - open ({number}: {text})");
        return Err(fail!("Unable to install package: {why}"));
    }
    let process = program::process(host, "dpkg-deb")?.arg("-f").arg(&file).args(["Package", "Version"]);
    let output = program::run(host, &process)?;
    if !output.success() {
        return Err(fail!("Unable to install package: {}", output.err().trim()));
    }
    let text = output.out();
    let field = |name: &str| {
        let value = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
        value.unwrap_or_default().trim().to_owned()
    };
    let (name, offered) = (field("Package"), field("Version"));
    let status = dpkg::status(host)?;
    if let Some(now) = status.find(&name).filter(|p| p.installed()) {
        let order = version::compare(&offered, &now.version);
        if order.is_eq() {
            let result = result! {"changed": false, "stdout": "", "stderr": ""};
            return Ok((None, Answer::new(false, result, None)));
        }
        if order.is_lt() && !args.allow_downgrade && !args.force {
            return Err(fail!("A later version is already installed: {name} {}", now.version));
        }
    }
    let simulation = environment(program::process(host, "apt-get")?.args(["-y", "-s", "--allow-downgrades"]));
    let output = program::run(host, &simulation.arg("install").arg(&file))?;
    let said = output.out();
    if !output.success() {
        let unmet = said.lines().find_map(|l| l.split_once("Depends: ").map(|p| p.1));
        let unmet = unmet.map(|u| u.split(" but ").next().unwrap_or(u).trim());
        return Err(match unmet {
            Some(unmet) => fail!("Dependency is not satisfiable: {unmet}\n"),
            None => fail!("Unable to install package: {}", output.err().trim()),
        });
    }
    let inst = said.lines().filter_map(|l| l.strip_prefix("Inst ")?.split(' ').next());
    let needs: Vec<String> = inst.filter(|n| *n != name).map(str::to_owned).collect();
    let install = Install { path: path.to_owned(), needs, _fetched: fetched.map(|fetched| fetched.dir) };
    let answer = if host.check() { install.dpkg(args, host, true)? } else { nothing() };
    Ok((Some(install), answer))
}

fn nothing() -> Answer {
    Answer::new(true, result! {"changed": true}, None)
}

impl Install {
    pub fn run(&self, args: &AptArgs, host: &Host) -> Result<Answer> {
        if !self.needs.is_empty() {
            Apt::new("install", self.needs.clone()).run(args, host, false)?;
        }
        self.dpkg(args, host, false)
    }

    fn dpkg(&self, args: &AptArgs, host: &Host, simulate: bool) -> Result<Answer> {
        let options = args.dpkg_options.split(',').map(str::trim).filter(|o| !o.is_empty());
        let mut process: Process = environment(program::process(host, "dpkg")?);
        process = process.args(options.map(|o| format!("--{o}")));
        if simulate {
            process = process.arg("--simulate");
        }
        if args.force {
            process = process.arg("--force-all");
        }
        let output = program::run(host, &process.arg("-i").arg(host.path(&self.path)))?;
        let (out, err) = (output.out(), output.err());
        if !output.success() {
            let error = fail!("dpkg -i {} failed", self.path);
            return Err(error.with("stdout", out).with("stderr", err));
        }
        let prepared = host.diff().then(|| out.trim_end().to_owned());
        Ok(Answer::new(true, result! {"changed": true, "stdout": out, "stderr": err}, prepared))
    }
}
