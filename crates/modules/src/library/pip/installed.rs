//! What is installed in a virtual environment, read from its `*.dist-info` directories: no pip is started.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::requirement::{Requirement, normal};

struct Distribution {
    name: String,
    version: String,
    requires: Vec<String>,
}

/// The distributions of an environment that sees no others.
pub struct Installed {
    site: PathBuf,
    python: String,
    all: BTreeMap<String, Distribution>,
}

impl Installed {
    /// `None` where the directory does not tell everything: the system's packages are seen as well, or
    /// something is installed another way (eggs, editable).
    pub fn read(environment: &Path) -> Option<Self> {
        let config = fs::read_to_string(environment.join("pyvenv.cfg")).ok()?;
        let isolated = config.lines().filter_map(|l| l.split_once('=')).any(|(key, value)| {
            key.trim() == "include-system-site-packages" && value.trim().eq_ignore_ascii_case("false")
        });
        let mut pythons = fs::read_dir(environment.join("lib")).ok()?.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((name.strip_prefix("python")?.to_owned(), entry.path().join("site-packages")))
        });
        let (python, site) = pythons.next()?;
        if !isolated || pythons.next().is_some() {
            return None;
        }
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(&site).ok()?.flatten() {
            let name = entry.file_name().into_string().ok()?;
            if name.contains(".egg") || name.starts_with("__editable__") {
                return None;
            }
            if name.ends_with(".dist-info") {
                let one = Distribution::read(&entry.path())?;
                all.insert(normal(&one.name), one);
            }
        }
        Some(Self { site, python, all })
    }

    pub fn has(&self, wanted: &Requirement) -> bool {
        self.all.get(&normal(&wanted.name)).is_some_and(|d| wanted.accepts(&d.version))
    }

    /// The words of pip for what it would find in place, with everything that this needs in turn; `None` where
    /// pip would have something to do or has to decide.
    pub fn satisfied(&self, wanted: &[Requirement]) -> Option<String> {
        let mut said = String::new();
        let mut seen = HashSet::new();
        for one in wanted {
            if one.has_extras() || one.marker.is_some() || !self.has(one) {
                return None;
            }
            let found = self.all.get(&normal(&one.name))?;
            said.push_str(&format!(
                "Requirement already satisfied: {} in {} ({})\n",
                one.text(),
                self.site.display(),
                found.version
            ));
            self.complete(found, &mut seen).then_some(())?;
        }
        Some(said)
    }

    /// Is everything there that a distribution needs?
    fn complete<'a>(&'a self, of: &'a Distribution, seen: &mut HashSet<&'a str>) -> bool {
        if !seen.insert(&of.name) {
            return true;
        }
        of.requires.iter().all(|text| {
            let Some(one) = Requirement::parse(text) else { return false };
            if one.marker.as_deref().is_some_and(|m| self.does_not_apply(m)) {
                return true;
            }
            let found = self.all.get(&normal(&one.name)).filter(|d| one.accepts(&d.version));
            !one.has_extras() && found.is_some_and(|found| self.complete(found, seen))
        })
    }

    /// Is the marker certainly false here? One clause of several joined by `and` is enough.
    fn does_not_apply(&self, marker: &str) -> bool {
        if marker.contains(" or ") {
            return false;
        }
        marker.split(" and ").any(|clause| {
            let clause = clause.trim_matches(['(', ')', ' ']);
            let Some((variable, rest)) = clause
                .split_once(char::is_whitespace)
                .or_else(|| clause.find(['<', '>', '=', '!', '~']).map(|at| clause.split_at(at)))
            else {
                return false;
            };
            let rest: String = rest.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
            let equal = |ours: &str| match (rest.strip_prefix("=="), rest.strip_prefix("!=")) {
                (Some(value), _) => value != ours,
                (_, Some(value)) => value == ours,
                _ => false,
            };
            match variable {
                "extra" => rest.starts_with("=="),
                "sys_platform" => equal("linux"),
                "platform_system" => equal("Linux"),
                "os_name" => equal("posix"),
                "python_version" => {
                    Requirement::parse(&format!("python{rest}")).is_some_and(|r| !r.accepts(&self.python))
                }
                _ => false,
            }
        })
    }

    /// As `pip list --format=freeze` prints it.
    pub fn freeze(&self) -> String {
        self.all.values().map(|d| format!("{}=={}\n", d.name, d.version)).collect()
    }
}

impl Distribution {
    /// The head of METADATA (core metadata: the fields of a mail, up to the first empty line).
    fn read(dir: &Path) -> Option<Self> {
        let text = String::from_utf8_lossy(&fs::read(dir.join("METADATA")).ok()?).into_owned();
        let fields: Vec<(&str, &str)> =
            text.lines().take_while(|l| !l.is_empty()).filter_map(|l| l.split_once(": ")).collect();
        let first = |name: &str| fields.iter().find(|f| f.0 == name).map(|f| f.1.trim().to_owned());
        let requires = fields.iter().filter(|f| f.0 == "Requires-Dist").map(|f| f.1.to_owned()).collect();
        Some(Self { name: first("Name")?, version: first("Version")?, requires })
    }
}

/// The requirements of a file, if it has nothing but names and versions; files that it includes come along.
pub fn requirements(file: &Path, depth: usize) -> Option<Vec<Requirement>> {
    let mut all = Vec::new();
    for line in fs::read_to_string(file).ok()?.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(other) = line.strip_prefix("-r ") {
            let dir = file.parent().unwrap_or(Path::new("/"));
            all.extend(requirements(&dir.join(other.trim()), depth.checked_sub(1)?)?);
        } else {
            all.push(Requirement::parse(line)?);
        }
    }
    Some(all)
}
