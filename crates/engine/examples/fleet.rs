//! What a run costs by the number of hosts, on a simulated fleet.
//!
//!     cargo run --release -p engine --example fleet [HOSTS...] [--strategy NAME] [--latency MS] [--plot FILE]
//!
//! For each number of hosts (10, 100, 1000 and 10000 by default) one process is all the hosts and another runs the play on
//! them, so that what is measured is the controller alone: the time of the run, its processor time, and the most
//! memory it had. The hosts are simulated (`tests/simulated`): their agents speak the real protocol with latency and
//! failures, but over Unix sockets and without SSH, and their modules do nothing. Results are checked.

#[path = "fleet/plot.rs"]
mod plot;
#[path = "../tests/simulated/mod.rs"]
mod simulated;
#[path = "../tests/support/mod.rs"]
mod support;

/// As in `provision`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use engine::event::{Event, HostStats, Reporter};
use engine::{Options, profile};

type Failure = Box<dyn std::error::Error>;

/// What was measured with one number of hosts.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Measured {
    pub hosts: usize,
    pub seconds: f64,
    pub cpu_seconds: f64,
    /// Memory before the run, and the most there was, in MiB.
    pub before: f64,
    pub most: f64,
}

struct Arguments {
    sizes: Vec<usize>,
    strategy: String,
    latency: u64,
    plot: Option<PathBuf>,
    profile: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["--be-hosts", socket, latency] => be_hosts(Path::new(socket), latency),
        ["--be-controller", dir, size] => be_controller(Path::new(dir), size),
        _ => arguments(&words).and_then(|arguments| measure_all(&arguments)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(words: &[&str]) -> Result<Arguments, Failure> {
    let mut parsed =
        Arguments { sizes: Vec::new(), strategy: "linear".into(), latency: 20, plot: None, profile: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match *word {
            "--strategy" => parsed.strategy = (*value()?).to_owned(),
            "--latency" => parsed.latency = value()?.parse()?,
            "--plot" => parsed.plot = Some(value()?.into()),
            "--profile" => parsed.profile = true,
            size => parsed.sizes.push(size.parse().map_err(|_| format!("'{size}' is no number of hosts"))?),
        }
    }
    if parsed.sizes.is_empty() {
        parsed.sizes = vec![10, 100, 1000, 10_000];
    }
    Ok(parsed)
}

fn measure_all(arguments: &Arguments) -> Result<(), Failure> {
    println!(
        "A simulation: {} tasks, strategy {}, {} ms of latency, no SSH and no work of modules.\n",
        simulated::playbook::TASKS,
        arguments.strategy,
        arguments.latency
    );
    println!(
        "{:>8} {:>10} {:>10} {:>12} {:>14} {:>14}",
        "hosts", "time", "CPU", "CPU a host", "memory", "a host"
    );
    let mut all = Vec::new();
    for size in &arguments.sizes {
        let measured = measure(*size, arguments)?;
        println!(
            "{:>8} {:>8.2} s {:>8.2} s {:>9.2} ms {:>10.1} MiB {:>10.3} MiB",
            measured.hosts,
            measured.seconds,
            measured.cpu_seconds,
            1000.0 * measured.cpu_seconds / measured.hosts as f64,
            measured.most,
            (measured.most - measured.before) / measured.hosts as f64,
        );
        all.push(measured);
    }
    if let Some(path) = &arguments.plot {
        std::fs::write(path, plot::svg(&all, &arguments.strategy))?;
        println!("\ndrawn: {}", path.display());
    }
    Ok(())
}

/// One size, in processes of its own.
fn measure(size: usize, arguments: &Arguments) -> Result<Measured, Failure> {
    let dir = tempfile::tempdir()?;
    simulated::playbook::write(dir.path(), size, &arguments.strategy)?;
    let socket = dir.path().join("hosts.sock");
    let own = std::env::current_exe()?;
    let latency = arguments.latency.to_string();
    let hosts = Command::new(&own).arg("--be-hosts").arg(&socket).arg(latency).spawn()?;
    let _hosts = Ended(hosts);
    while !socket.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = Command::new(&own)
        .arg("--be-controller")
        .arg(dir.path())
        .arg(size.to_string())
        .envs(arguments.profile.then_some(("FLEET_PROFILE", "1")))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the run on {size} hosts went wrong").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A process that ends with its owner.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn be_hosts(socket: &Path, latency: &str) -> Result<(), Failure> {
    more_files();
    let latency = Duration::from_millis(latency.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, simulated::server::listen(socket, latency))?;
    Ok(())
}

fn be_controller(dir: &Path, size: &str) -> Result<(), Failure> {
    more_files();
    let size: usize = size.parse()?;
    let fleet = Rc::new(simulated::Simulation::There { socket: dir.join("hosts.sock") });
    let seen = Rc::new(RefCell::new(Seen::default()));
    let wanted = std::env::var_os("FLEET_PROFILE").map(|_| Instant::now());
    let options = Options { profile: wanted, ..Options::default() };
    let prepared = support::prepare::prepare(dir, options, fleet, Box::new(Count(seen.clone())), false);
    let (run, playbook) =
        prepared.map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default())?;
    let before = memory("VmRSS");
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, run.playbooks(&[playbook]));
    let seconds = begun.elapsed().as_secs_f64();
    run.finish();
    run.close();
    if let Some(error) = run.broken.borrow().as_ref() {
        return Err(error.to_string().into());
    }
    check(size, &seen.borrow())?;
    if let Some(profile) = &seen.borrow().profile {
        eprintln!("{:?}", profile.parts);
    }
    let measured =
        Measured { hosts: size, seconds, cpu_seconds: cpu_seconds(), before, most: memory("VmHWM") };
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

/// Is the recap what the hosts' fates make of it?
fn check(size: usize, seen: &Seen) -> Result<(), Failure> {
    let expected = (0..size).map(|host| (simulated::name(host), simulated::expected(host)));
    match expected.zip(&seen.recap).find(|(expected, actual)| expected != *actual) {
        Some((expected, actual)) => Err(format!("expected {expected:?}, not {actual:?}").into()),
        None if seen.recap.len() != size => Err(format!("{} hosts in the recap", seen.recap.len()).into()),
        None => Ok(()),
    }
}

/// What the reporter keeps.
#[derive(Default)]
struct Seen {
    recap: Vec<(String, HostStats)>,
    profile: Option<std::sync::Arc<profile::Profile>>,
}

/// Keeps the recap, and nothing of the results.
struct Count(Rc<RefCell<Seen>>);

impl Reporter for Count {
    fn event(&mut self, event: &Event) {
        if let Event::Stats { hosts, profile, .. } = event {
            *self.0.borrow_mut() = Seen { recap: hosts.clone(), profile: profile.clone() };
        }
    }
}

/// A line of `/proc/self/status`, in MiB.
fn memory(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0);
    kib / 1024.0
}

/// Processor time of this process, of user and system.
fn cpu_seconds() -> f64 {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(0.0, |t| Duration::from(t).as_secs_f64())
}

/// As many open files as the system allows: one for each host.
fn more_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}
