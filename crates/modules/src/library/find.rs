//! `find`: files of directories that fit.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::stat::of_metadata;
use crate::args::{Expanded, Raw};
use crate::files::{Algorithm, Mode, checksum, errno_text, owners};
use crate::python_regex::{Flags, Kind, PythonRegex, uncaught};
use crate::{Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, Value, args, fail, result};

args! {
    pub struct FindArgs {
        /// Directories to look in.
        paths: Vec<Expanded> = required(), aliases(&["name", "path"]);
        /// Names that fit, as a shell's patterns or regular expressions.
        patterns: Vec<String> = aliases(&["pattern"]);
        /// Names that do not.
        excludes: Vec<String> = aliases(&["exclude"]);
        /// Patterns are regular expressions.
        use_regex: bool = default("no");
        /// Look in the directories inside, too.
        recurse: bool = default("no");
        /// How far down.
        depth: Option<i64>;
        /// What is looked for.
        file_type: String = choices(&["any", "directory", "file", "link"]), default("file");
        /// Names that begin with a point, too.
        hidden: bool = default("no");
        /// Go into directories that are links.
        follow: bool = default("no");
        /// At least this old; with a minus at most.
        age: Option<String>;
        /// Which time that is.
        age_stamp: String = choices(&["atime", "ctime", "mtime"]), default("mtime");
        /// At least this big; with a minus at most.
        size: Option<String>;
        /// A regular expression that a line has to begin with.
        contains: Option<String>;
        /// `contains` is looked for in the whole file.
        read_whole_file: bool = default("no");
        /// Encoding of the files for `contains`.
        encoding: Option<String>;
        /// Permissions.
        mode: Option<Raw>;
        /// These permissions, not at least these.
        exact_mode: bool = default("yes");
        /// Compute checksums.
        get_checksum: bool = default("no");
        /// Which.
        checksum_algorithm: String = aliases(&["checksum", "checksum_algo"]),
            choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]), default("sha1");
        /// Stop after so many.
        limit: Option<i64>;
    }
}

pub struct Find;

impl Module for Find {
    type Args = FindArgs;
    const NAME: &'static str = "find";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Find files by name, age, size and content.";

    fn effects(args: &FindArgs) -> Effects {
        Effects::reads(args.paths.iter().map(|path| Resource::Path(path.0.clone())))
    }

    fn plan(args: FindArgs, host: &Host) -> Result<Plan> {
        let mut search = Search::new(&args, host)?;
        let mut skipped = Map::new();
        for path in &args.paths {
            let top = match path.trim_end_matches('/') {
                "" if !path.is_empty() => "/",
                top => top,
            };
            if top.is_empty() || !host.path(top).is_dir() {
                skipped.insert(path.0.clone(), format!("'{}' is not a directory", path.0).into());
                continue;
            }
            match search.directory(top, 1) {
                Ok(()) => {}
                Err(Stop::Encoding(why)) => drop(skipped.insert(path.0.clone(), why.into())),
                Err(Stop::Failed(error)) => return Err(error),
            }
            if search.full() {
                break;
            }
        }
        let msg = match (skipped.is_empty(), search.full()) {
            (false, _) => "Not all paths examined, check warnings for details",
            (true, true) => "Limit of matches reached",
            (true, false) => "All paths examined",
        };
        let warnings: Vec<String> = skipped
            .iter()
            .map(|(path, why)| {
                format!(
                    "Skipped '{path}' path due to this access issue: {}\n",
                    why.as_str().unwrap_or_default()
                )
            })
            .collect();
        // Those below say nothing on the terminal.
        skipped.extend(search.closed);
        let mut result = result! {
            "files": search.found, "changed": false, "msg": msg, "matched": search.found.len(),
            "examined": search.examined, "skipped_paths": skipped,
        };
        if !warnings.is_empty() {
            result.insert("warnings".into(), warnings.into());
        }
        Ok(Plan::unchanged(result))
    }
}

/// Names that fit.
enum Names {
    Patterns(Vec<glob::Pattern>),
    Regexes(Vec<PythonRegex>),
}

impl Names {
    fn new(texts: &[String], use_regex: bool) -> Result<Self> {
        if use_regex {
            let made = texts.iter().map(|text| PythonRegex::new(text, Flags::default(), Kind::Text));
            return Ok(Self::Regexes(made.collect::<Result<_, _>>().map_err(uncaught)?));
        }
        // As Python's fnmatch: what is no pattern is itself.
        let made = texts.iter().map(|text| {
            glob::Pattern::new(text).or_else(|_| glob::Pattern::new(&glob::Pattern::escape(text)))
        });
        Ok(Self::Patterns(made.collect::<Result<_, _>>().map_err(|e| fail!("{e}"))?))
    }

    fn fit(&self, name: &str) -> bool {
        match self {
            Self::Patterns(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
            Self::Regexes(regexes) => regexes.iter().any(|regex| regex.matches_start(name).is_some()),
        }
    }
}

struct Search<'a> {
    args: &'a FindArgs,
    host: &'a Host,
    names: Option<Names>,
    excluded: Names,
    contains: Option<PythonRegex>,
    /// In seconds and bytes.
    age: Option<i64>,
    size: Option<i64>,
    mode: Option<Mode>,
    now: f64,
    found: Vec<Value>,
    examined: u64,
    /// Directories that may not be read, with the reason.
    closed: Map,
}

/// Why a path is not looked through to its end.
enum Stop {
    /// A file is not in the encoding.
    Encoding(String),
    Failed(ModuleError),
}

impl From<ModuleError> for Stop {
    fn from(error: ModuleError) -> Self {
        Self::Failed(error)
    }
}

impl<'a> Search<'a> {
    fn new(args: &'a FindArgs, host: &'a Host) -> Result<Self> {
        let named = |name: &str, text: &str| fail!("failed to process {name}").with(name, text);
        let age = args.age.as_deref().map(|text| amount(text, AGES).ok_or_else(|| named("age", text)));
        let size = args.size.as_deref().map(|text| amount(text, SIZES).ok_or_else(|| named("size", text)));
        if let Some(encoding) =
            args.encoding.as_deref().filter(|e| !e.to_lowercase().replace('-', "").eq("utf8"))
        {
            return Err(fail!("argument 'encoding' is not supported: {encoding}; utf-8 is"));
        }
        if let Some(limit) = args.limit.filter(|limit| *limit <= 0) {
            return Err(fail!("limit cannot be {limit} (use None for unlimited)"));
        }
        let contains =
            args.contains.as_deref().map(|text| PythonRegex::new(text, Flags::default(), Kind::Text));
        Ok(Self {
            args,
            host,
            names: match args.patterns.is_empty() {
                true => None,
                false => Some(Names::new(&args.patterns, args.use_regex)?),
            },
            excluded: Names::new(&args.excludes, args.use_regex)?,
            contains: contains.transpose().map_err(uncaught)?,
            age: age.transpose()?,
            size: size.transpose()?,
            mode: args.mode.as_ref().map(|mode| Mode::from_value(&mode.0)),
            now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            found: Vec::new(),
            examined: 0,
            closed: Map::new(),
        })
    }

    fn full(&self) -> bool {
        self.args.limit.is_some_and(|limit| limit > 0 && self.found.len() as i64 >= limit)
    }

    /// What is in a directory, in the order of names; `depth` is that of its entries.
    fn directory(&mut self, dir: &str, depth: i64) -> Result<(), Stop> {
        if self.host.is_cancelled() {
            return Err(ModuleError::new("it was stopped").into());
        }
        let entries = match fs::read_dir(self.host.path(dir)) {
            Ok(entries) => entries,
            Err(error) => {
                self.closed.insert(dir.into(), format!("{}: '{dir}'", errno_text(&error, None)).into());
                return Ok(());
            }
        };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        self.examined += names.len() as u64;
        if self.args.depth.is_some_and(|most| depth > most) {
            return Ok(());
        }
        let mut inside = Vec::new();
        for name in names {
            let path = format!("{}/{name}", dir.trim_end_matches('/'));
            let real = self.host.path(&path);
            let Ok(meta) = fs::symlink_metadata(&real) else { continue };
            if meta.is_dir() || meta.is_symlink() && self.args.follow && real.is_dir() {
                inside.push(path.clone());
            }
            if name.starts_with('.') && !self.args.hidden {
                continue;
            }
            if self.fits(&name, &path, &real, &meta)? {
                self.found.push(self.entry(&path, &real, &meta).into());
                if self.full() {
                    return Ok(());
                }
            }
        }
        if self.args.recurse {
            for path in inside {
                self.directory(&path, depth + 1)?;
                if self.full() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn fits(&self, name: &str, path: &str, real: &Path, meta: &Metadata) -> Result<bool, Stop> {
        let right_type = match self.args.file_type.as_str() {
            "directory" => meta.is_dir(),
            "file" => meta.is_file(),
            "link" => meta.is_symlink(),
            _ => true,
        };
        Ok(right_type
            && self.names.as_ref().is_none_or(|names| names.fit(name))
            && !self.excluded.fit(name)
            && self.has_age(meta)
            && self.has_mode(meta)?
            && (!meta.is_file() || self.has_size(meta))
            && (self.args.file_type != "file" || self.has_content(path, real)?))
    }

    fn has_age(&self, meta: &Metadata) -> bool {
        let Some(age) = self.age else { return true };
        let (whole, nano) = match self.args.age_stamp.as_str() {
            "atime" => (meta.atime(), meta.atime_nsec()),
            "ctime" => (meta.ctime(), meta.ctime_nsec()),
            _ => (meta.mtime(), meta.mtime_nsec()),
        };
        let old = self.now - (whole as f64 + nano as f64 / 1e9);
        if age >= 0 { old >= age as f64 } else { old <= age.unsigned_abs() as f64 }
    }

    fn has_size(&self, meta: &Metadata) -> bool {
        match self.size {
            Some(size) if size >= 0 => meta.size() >= size.unsigned_abs(),
            Some(size) => meta.size() <= size.unsigned_abs(),
            None => true,
        }
    }

    fn has_mode(&self, meta: &Metadata) -> Result<bool> {
        let Some(mode) = &self.mode else { return Ok(true) };
        let current = meta.mode() & 0o7777;
        let wanted = mode.resolve(0, false).map_err(ModuleError::new)?;
        // As Ansible: one of the permissions is enough.
        Ok(if self.args.exact_mode { current == wanted } else { current & wanted != 0 })
    }

    /// A line that begins with the pattern, or the pattern somewhere in the whole file.
    fn has_content(&self, path: &str, real: &Path) -> Result<bool, Stop> {
        let Some(regex) = &self.contains else { return Ok(true) };
        let Ok(file) = open(real) else { return Ok(false) };
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let mut piece = reader.by_ref().take(LONGEST);
            let read = match self.args.read_whole_file {
                true => piece.read_to_end(&mut bytes),
                false => piece.read_until(b'\n', &mut bytes),
            };
            if !read.is_ok_and(|count| count > 0) {
                return Ok(false);
            }
            let Ok(text) = std::str::from_utf8(&bytes) else {
                let encoding = self.args.encoding.as_deref();
                let encoding =
                    encoding.unwrap_or("None (default determined by the Python built-in function \"open\")");
                return Err(Stop::Encoding(format!(
                    "Failed to read the file {path} due to an encoding error. current encoding: {encoding}"
                )));
            };
            if self.args.read_whole_file {
                return Ok(regex.is_match(text));
            }
            if regex.matches_start(text).is_some() {
                return Ok(true);
            }
        }
    }

    fn entry(&self, path: &str, real: &Path, meta: &Metadata) -> Map {
        let mut entry = of_metadata(path, meta);
        for key in ["exists", "blocks", "block_size", "device_type"] {
            entry.shift_remove(key);
        }
        entry.insert("gr_name".into(), owners::group_name(self.host, meta.gid()).into());
        entry.insert("pw_name".into(), owners::user_name(self.host, meta.uid()).into());
        if self.args.get_checksum && meta.is_file() {
            let algorithm = Algorithm::from_word(&self.args.checksum_algorithm).unwrap_or(Algorithm::Sha1);
            if let Ok(sum) = checksum(real, algorithm) {
                entry.insert("checksum".into(), sum.into());
            }
        }
        entry
    }
}

/// The longest line that is looked at in one piece, in bytes (files of `/proc` may have no end).
const LONGEST: u64 = 256 << 20;

/// Opens a file, without waiting: what would keep the reader waiting for more (`/proc/kmsg`) cannot be read.
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)
}

const AGES: &[(char, i64)] = &[('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
const SIZES: &[(char, i64)] = &[('b', 1), ('k', 1 << 10), ('m', 1 << 20), ('g', 1 << 30), ('t', 1 << 40)];

/// `-2w` in the smallest unit.
fn amount(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let text = text.to_lowercase();
    let unit = units.iter().find(|(letter, _)| text.ends_with(*letter));
    let digits = unit.map_or(text.as_str(), |(letter, _)| text.trim_end_matches(*letter));
    digits.parse::<i64>().ok()?.checked_mul(unit.map_or(1, |(_, factor)| *factor))
}
