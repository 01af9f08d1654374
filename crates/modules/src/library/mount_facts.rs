//! `mount_facts`: file systems, mounted or listed to be mounted, as facts.

mod device;
mod output;
mod table;

use std::time::Duration;

use crate::args::{Raw, python_repr, python_text};
use crate::files::real_path;
use crate::library::apt::fnmatch;
use crate::system::program;
use crate::{Effects, Host, Map, Module, Plan, Process, Resource, Result, Value, args, fail, json, result};

use table::Row;

args! {
    pub struct MountFactsArgs {
        /// Patterns of devices; only what matches one is gathered.
        devices: Vec<String> = elements("str");
        /// Patterns of kinds of file systems.
        fstypes: Vec<String> = elements("str");
        /// Return all mounts, also several of one mount point. Not given, such are only warned of.
        include_aggregate_mounts: Option<bool>;
        /// The program to ask if a source is `mount`, or if no file lists what is mounted; null for none.
        mount_binary: Option<Raw> = default("mount"), nullable();
        /// What to do when the timeout is over.
        on_timeout: String = choices(&["error", "warn", "ignore"]), default("error");
        /// Where to look: files, `mount`, or `all`, `static` and `dynamic` for the usual ones.
        sources: Vec<String> = elements("str");
        /// How many seconds to wait for each file system and program.
        timeout: Option<f64>;
    }
}

const DYNAMIC: [&str; 3] = ["/etc/mtab", "/proc/mounts", "/etc/mnttab"];
const STATIC: [&str; 3] = ["/etc/fstab", "/etc/vfstab", "/etc/filesystems"];

pub struct MountFacts;

impl Module for MountFacts {
    type Args = MountFactsArgs;
    const NAME: &'static str = "mount_facts";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Gather mounts and the file systems that are to be mounted as facts.";

    fn effects(_: &MountFactsArgs) -> Effects {
        Effects::reads([Resource::Path("/".into())])
    }

    fn plan(args: MountFactsArgs, host: &Host) -> Result<Plan> {
        if let Some(seconds) = args.timeout.filter(|seconds| *seconds <= 0.0) {
            let seconds = python_text(&json!(seconds));
            return Err(fail!("argument 'timeout' must be a positive number or null, not {seconds}"));
        }
        let binary = match &args.mount_binary {
            None => None,
            Some(Raw(Value::String(name))) => Some(name.clone()),
            Some(Raw(other)) => {
                let other = python_text(other);
                return Err(fail!("argument 'mount_binary' must be a string or null, not {other}"));
            }
        };
        let mut limits = Limits::new(&args);
        let rows = rows(&args, binary.as_deref(), &mut limits, host)?;
        let mut mounts = Vec::new();
        let mut devices = device::Devices::default();
        for (source, row) in rows {
            let text = |key: &str| row.fields.get(key).and_then(Value::as_str).unwrap_or_default();
            let mut name = text("device").to_owned();
            let mut uuid = name.strip_prefix("UUID=").map(str::to_owned);
            if let Some(uuid) = &uuid
                && let Some(found) = devices.by_uuid(uuid, &mut limits, host)?
            {
                name = found;
            }
            let wanted = |patterns: &[String], text: &str| {
                patterns.is_empty() || patterns.iter().any(|pattern| fnmatch(pattern, text))
            };
            if !wanted(&args.devices, &name) || !wanted(&args.fstypes, text("fstype")) {
                continue;
            }
            let size = device::size(&row.mount, text("fstype"), &mut limits, host)?;
            if uuid.is_none() {
                uuid = devices.uuid(&name, &mut limits, host)?;
            }
            let mut mount = row.fields;
            mount.extend(size);
            mount.insert("ansible_context".into(), json!({"source": source, "source_data": row.line}));
            mount.insert("uuid".into(), json!(uuid));
            mounts.push((row.mount, source, mount));
        }
        Ok(Plan::unchanged(facts(mounts, args.include_aggregate_mounts, limits.warnings)))
    }
}

/// How long things may take, and what happened when they took longer.
struct Limits {
    timeout: Option<f64>,
    on_timeout: String,
    warnings: Vec<String>,
}

impl Limits {
    fn new(args: &MountFactsArgs) -> Self {
        Self { timeout: args.timeout, on_timeout: args.on_timeout.clone(), warnings: Vec::new() }
    }

    fn duration(&self) -> Option<Duration> {
        self.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    /// Fail, warn or go on.
    fn over(&mut self, msg: String) -> Result<()> {
        match self.on_timeout.as_str() {
            "error" => return Err(fail!("{msg}")),
            "warn" => self.warnings.push(msg),
            _ => {}
        }
        Ok(())
    }

    /// Run a program; `None` when its time was over. How it is shown is the caller's.
    fn run(&mut self, process: Process, shown: &str, host: &Host) -> Result<Option<crate::ProcessOutput>> {
        let process = match self.duration() {
            Some(timeout) => process.timeout(timeout),
            None => process,
        };
        match process.run(host) {
            Ok(said) => Ok(Some(said)),
            Err(e) if e.kind() == std::io::ErrorKind::TimedOut => {
                let seconds = python_text(&json!(self.timeout.unwrap_or_default()));
                self.over(format!("Command {shown} timed out after {seconds} seconds"))?;
                Ok(None)
            }
            Err(e) => Err(fail!("Error executing command: {e}")),
        }
    }
}

/// The sources by name, with what stands for several resolved.
fn sources(args: &MountFactsArgs) -> Result<Vec<String>> {
    let asked = if args.sources.is_empty() { vec!["all".to_owned()] } else { args.sources.clone() };
    let mut sources: Vec<String> = Vec::new();
    let several = |names: [&str; 3]| names.map(str::to_owned);
    for source in asked {
        match source.as_str() {
            "" => return Err(fail!("sources contains an empty string")),
            "all" => {
                sources.extend(several(DYNAMIC));
                sources.extend(several(STATIC));
            }
            "dynamic" => sources.extend(several(DYNAMIC)),
            "static" => sources.extend(several(STATIC)),
            _ => sources.push(source),
        }
    }
    Ok(sources)
}

/// What all sources list, each with the name of its source. A file is read once, whatever its names.
fn rows(
    args: &MountFactsArgs,
    binary: Option<&str>,
    limits: &mut Limits,
    host: &Host,
) -> Result<Vec<(String, Row)>> {
    let sources = sources(args)?;
    let repeated = sources.iter().enumerate().any(|(at, source)| sources[..at].contains(source));
    if repeated {
        limits.warnings.push(format!(
            "mount_facts option 'sources' contains duplicate entries, repeat sources will be ignored: {}",
            python_repr(&json!(sources))
        ));
    }
    let mut fallback = sources.iter().any(|source| DYNAMIC.contains(&source.as_str()));
    let mut seen = Vec::new();
    let mut rows = Vec::new();
    for source in &sources {
        let real = match source.as_str() {
            "mount" => "mount".into(),
            path => real_path(&host.path(path)),
        };
        if seen.contains(&real) {
            continue;
        }
        seen.push(real);
        let found = match source.as_str() {
            "mount" => output::parse(&mounted(binary.unwrap_or_default(), limits, host)?),
            path => table::parse(&content(host, path)),
        };
        if !found.is_empty() && (source == "mount" || DYNAMIC.contains(&source.as_str())) {
            fallback = false;
        }
        rows.extend(found.into_iter().map(|row| (source.clone(), row)));
    }
    if let Some(binary) = binary.filter(|binary| fallback && !binary.is_empty()) {
        let found = output::parse(&mounted(binary, limits, host)?);
        rows.extend(found.into_iter().map(|row| ("mount".to_owned(), row)));
    }
    Ok(rows)
}

/// A file that cannot be read lists nothing.
fn content(host: &Host, path: &str) -> String {
    let bytes = std::fs::read(host.path(path)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// What the program says.
fn mounted(binary: &str, limits: &mut Limits, host: &Host) -> Result<String> {
    let path = program::required(host, binary)?;
    let shown = format!("'{}'", path.display());
    let Some(said) = limits.run(Process::new(&path), &shown, host)? else { return Ok(String::new()) };
    if said.success() {
        return Ok(said.out());
    }
    let why = match said.rc {
        rc if rc < 0 => format!("died with signal {}", -rc),
        rc => format!("returned non-zero exit status {rc}"),
    };
    Err(fail!("Failed to execute {}: Command {shown} {why}.", path.display()))
}

/// The first mount of each mount point; all of them if that is wanted.
fn facts(mounts: Vec<(String, String, Map)>, all: Option<bool>, mut warnings: Vec<String>) -> Map {
    let mut points = Map::new();
    let mut by_source: Vec<(&str, Vec<&str>)> = Vec::new();
    for (point, source, mount) in &mounts {
        if !points.contains_key(point) {
            points.insert(point.clone(), json!(mount));
        }
        match by_source.iter_mut().find(|(name, _)| name == source) {
            Some((_, there)) => there.push(point),
            None => by_source.push((source, vec![point])),
        }
    }
    let repeats = |points: &[&str]| points.iter().enumerate().any(|(at, point)| points[..at].contains(point));
    let repeats: Vec<String> = by_source
        .iter()
        .filter(|(_, points)| repeats(points))
        .map(|(source, points)| format!("{source} ({})", python_repr(&json!(points))))
        .collect();
    if all.is_none() && !repeats.is_empty() {
        warnings.push(format!(
            "mount_facts: ignoring repeat mounts in the following sources: {}. You can disable this warning by \
             configuring the 'include_aggregate_mounts' option as True or False.",
            repeats.join(", ")
        ));
    }
    let list: Vec<Map> = match all {
        Some(true) => mounts.into_iter().map(|(_, _, mount)| mount).collect(),
        _ => Vec::new(),
    };
    let mut result = result! {"ansible_facts": json!({"mount_points": points, "aggregate_mounts": list})};
    if !warnings.is_empty() {
        result.insert("warnings".into(), warnings.into());
    }
    result
}
