//! The program git, as the arguments want it run.

use std::path::{Path, PathBuf};

use super::{GitArgs, umask};
use crate::system::program;
use crate::{Host, ModuleError, Process, ProcessOutput, Result, words};

/// How git is called for one clone.
pub struct Git {
    program: PathBuf,
    /// The remote's address; a path as an URL, so that depth counts there, too.
    pub repo: String,
    dest: PathBuf,
    bare: bool,
    umask: Option<u32>,
    ssh: Option<String>,
}

impl Git {
    pub fn new(args: &GitArgs, host: &Host) -> Result<Self> {
        let name = args.executable.as_ref().map_or("git", |path| path.0.as_str());
        let mut git = Self {
            program: program::required(host, name)?,
            repo: String::new(),
            dest: host.path(args.dest.trim_end_matches('/')),
            bare: args.bare,
            umask: umask(args.umask.as_ref())?,
            ssh: ssh(args),
        };
        git.repo = git.url(&args.repo);
        Ok(git)
    }

    /// An address in the form in which it is given to git.
    pub fn url(&self, repo: &str) -> String {
        if repo.starts_with('/') { format!("file://{repo}") } else { repo.to_owned() }
    }

    pub fn dest(&self) -> &Path {
        &self.dest
    }

    /// Is the clone there?
    pub fn is_there(&self, host: &Host) -> bool {
        if self.bare {
            return self.dest.join("config").exists();
        }
        let dir = self.dest.join(".git");
        dir.join("config").exists() || dir.is_file() && self.run(host, &["rev-parse", "HEAD"]).is_ok()
    }

    /// Run it, in the clone if that is there.
    pub fn run(&self, host: &Host, args: &[&str]) -> Result<ProcessOutput> {
        let mut process =
            Process::new(&self.program).args(args).umask(self.umask).env("GIT_TERMINAL_PROMPT", "0");
        if let Some(ssh) = &self.ssh {
            process = process.env("GIT_SSH_COMMAND", ssh.as_str());
        }
        if self.dest.is_dir() {
            process = process.cwd(&self.dest);
        }
        program::run(host, &process)
    }

    /// Run it; `what` is said if it fails, by default what git says itself.
    pub fn check(&self, host: &Host, args: &[&str], what: Option<&str>) -> Result<String> {
        let output = self.run(host, args)?;
        if output.success() {
            return Ok(output.out());
        }
        let msg = what.map_or_else(|| output.err().trim_end().to_owned(), str::to_owned);
        let program = self.program.to_string_lossy();
        let line: Vec<String> =
            std::iter::once(&*program).chain(args.iter().copied()).map(words::quote).collect();
        Err(ModuleError::new(msg)
            .with("cmd", line.join(" "))
            .with("rc", output.rc)
            .with("stdout", output.out())
            .with("stderr", output.err()))
    }

    /// The commit that is checked out.
    pub fn head(&self, host: &Host) -> Result<String> {
        Ok(self.check(host, &["rev-parse", "HEAD"], None)?.trim().to_owned())
    }

    /// Have files of the repository been changed?
    pub fn has_changes(&self, host: &Host) -> Result<bool> {
        let said = self.check(host, &["status", "--porcelain"], None)?;
        Ok(said.lines().any(|line| !line.starts_with("??")))
    }

    /// The branch that the remote's HEAD is; `None` if the clone does not know.
    pub fn default_branch(&self, host: &Host) -> Result<Option<String>> {
        if self.bare {
            let said = self.run(host, &["symbolic-ref", "--short", "HEAD"])?;
            return Ok(said.success().then(|| said.out().trim().to_owned()));
        }
        let said = self.run(host, &["symbolic-ref", "--short", "refs/remotes/origin/HEAD"])?;
        let name = said.out();
        Ok(name.trim().split_once('/').filter(|_| said.success()).map(|(_, branch)| branch.to_owned()))
    }

    /// Are there submodules that are not where they should be?
    pub fn stale_submodules(&self, host: &Host) -> Result<bool> {
        if !self.dest.join(".gitmodules").exists() {
            return Ok(false);
        }
        let said = self.check(host, &["submodule", "status", "--recursive"], None)?;
        Ok(said.lines().any(|line| line.starts_with(['-', '+', 'U'])))
    }
}

/// The command for SSH, if the arguments say something about it.
fn ssh(args: &GitArgs) -> Option<String> {
    let mut line = vec!["ssh".to_owned(), "-o".to_owned(), "BatchMode=yes".to_owned()];
    if args.accept_hostkey {
        line.extend(["-o", "StrictHostKeyChecking=no"].map(str::to_owned));
    } else if args.accept_newhostkey {
        line.extend(["-o", "StrictHostKeyChecking=accept-new"].map(str::to_owned));
    }
    if let Some(key) = &args.key_file {
        line.extend(["-o", "IdentitiesOnly=yes", "-i"].map(str::to_owned));
        line.push(words::quote(key));
    }
    // Written as for a shell: git runs the line with one.
    line.extend(args.ssh_opts.clone());
    (line.len() > 3).then(|| line.join(" "))
}
