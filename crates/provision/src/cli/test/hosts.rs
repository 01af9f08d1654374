//! The hosts of one test: `docker-test/hosts.sh` starts and removes them, by the name of the run.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tokio::process::Command;

use super::Failure;
use super::checkout::Checkout;
use super::child::{self, Stop};
use super::signals::Signals;

/// One for each group of the stock inventory.
pub const NAMES: [&str; 2] = ["web1", "db1"];

/// A container of a `docker run` that was cut off may appear after everything was removed.
const TRIES: usize = 5;

/// Make the image that hosts start from, unless it is there; its name.
pub async fn base_image(checkout: &Checkout, signals: &mut Signals) -> Result<String, Stop> {
    let mut command = Command::new("bash");
    command.arg(checkout.script("base-image.sh"));
    let (status, output) = child::quiet(&mut command, signals).await?;
    if !status.success() {
        return Err(Stop::failed(format!("the image was not made: {}", ended(status))));
    }
    let image = output.lines().last().unwrap_or_default().trim().to_owned();
    if image.is_empty() {
        return Err(Stop::failed("base-image.sh does not say which image it has made"));
    }
    Ok(image)
}

/// The hosts, and the directory with what it takes to log in to them.
pub struct Hosts {
    run: String,
    script: PathBuf,
    dir: Option<TempDir>,
    path: PathBuf,
    up: bool,
}

impl Hosts {
    /// Name the run, and make its directory. Nothing is started yet.
    pub fn new(checkout: &Checkout) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new()
            .prefix("provision-test-")
            .tempdir()
            .map_err(|e| Failure::new(format!("could not make a directory for the test: {e}")))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            run: format!("test-{:x}-{:x}", now.as_millis() & 0xffff_ffff, std::process::id()),
            script: checkout.script("hosts.sh"),
            path: dir.path().to_owned(),
            dir: Some(dir),
            up: false,
        })
    }

    /// The inventory that says how to reach them.
    pub fn inventory(&self) -> PathBuf {
        self.path.join("inventory")
    }

    /// The container of one of them.
    pub fn container(&self, name: &str) -> String {
        format!("{}-{name}", self.run)
    }

    pub fn up(&self) -> bool {
        self.up
    }

    pub async fn start(&mut self, image: &str, signals: &mut Signals) -> Result<(), Stop> {
        let mut command = Command::new("bash");
        command.arg(&self.script).args(["up", &self.run]).arg(&self.path).args(NAMES).env("IMAGE", image);
        let (status, _) = child::shown(&mut command, signals).await?;
        if !status.success() {
            return Err(Stop::failed(format!("the hosts were not started: {}", ended(status))));
        }
        self.up = true;
        Ok(())
    }

    /// Remove all that was started. Signals that come now are heard and change nothing.
    pub async fn remove(&self, signals: &mut Signals) -> Result<(), Failure> {
        let removal = self.remove_all();
        tokio::pin!(removal);
        loop {
            tokio::select! {
                done = &mut removal => return done,
                _ = signals.next() => eprintln!("The hosts are being removed; that takes a few seconds."),
            }
        }
    }

    async fn remove_all(&self) -> Result<(), Failure> {
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let mut command = Command::new("bash");
            command.arg(&self.script).args(["down", &self.run]);
            match output(&mut command).await {
                Ok(_) => {}
                Err(e) => last = e,
            }
            // Looked up apart from the removal, which is what could be at fault.
            match self.left().await {
                Ok(left) if left.is_empty() => return Ok(()),
                Ok(left) => last = format!("{} still there; {last}", left.join(", ")),
                Err(e) => last = e,
            }
        }
        Err(Failure::new(format!(
            "the hosts could not be removed ({}): try `docker-test/hosts.sh down {}`",
            last.trim_end_matches("; "),
            self.run
        )))
    }

    /// What is still there of this run.
    async fn left(&self) -> Result<Vec<String>, String> {
        let mut command = Command::new("bash");
        command.arg(&self.script).arg("list");
        let listed = output(&mut command).await?;
        let of_this_run = listed.lines().filter(|line| line.split(' ').next() == Some(self.run.as_str()));
        Ok(of_this_run.map(str::to_owned).collect())
    }

    /// Leave the hosts and the directory where they are, and say how to go on.
    pub fn keep(&mut self) {
        if let Some(dir) = self.dir.take() {
            self.path = dir.keep();
        }
        let path = self.path.display();
        println!("==> The hosts {} are kept", NAMES.join(" and "));
        println!("    playbooks   -i inventory/hosts -i {path}/inventory");
        println!("    a shell     docker exec -it {} bash", self.container(NAMES[0]));
        println!("    remove them docker-test/hosts.sh down {} && rm -r {path}", self.run);
    }
}

/// Run a command that nothing interrupts; what it printed, or why it failed.
async fn output(command: &mut Command) -> Result<String, String> {
    // A group of its own: Ctrl-C is not for it.
    let output = command.stdin(Stdio::null()).process_group(0).output().await.map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// How a script ended, after it has said why.
fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("see above (exit code {code})"),
        (None, signal) => format!("it was ended by signal {}", signal.unwrap_or_default()),
    }
}
