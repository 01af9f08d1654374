//! `package_facts`: which packages the host has, as facts.

mod apt;
mod cli;

use crate::args::python_repr;
use crate::{
    Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, Value, args, fail, json, result,
};

args! {
    pub struct PackageFactsArgs {
        /// The managers of packages to ask; `auto` asks all.
        manager: Vec<String> = default("auto"), elements("str");
        /// Stop at the first manager that has packages, or ask all.
        strategy: String = choices(&["first", "all"]), default("first");
    }
}

/// The managers, in the order in which `auto` tries them.
const MANAGERS: [&str; 7] = ["apk", "apt", "pacman", "pkg", "pkg_info", "portage", "rpm"];

/// Other names of managers.
const ALIASES: [(&str, &str); 7] = [
    ("dnf", "rpm"),
    ("dnf5", "rpm"),
    ("yum", "rpm"),
    ("zypper", "rpm"),
    ("pkg5", "pkg"),
    ("pkgng", "pkg"),
    ("openbsd_pkg", "pkg_info"),
];

pub struct PackageFacts;

impl Module for PackageFacts {
    type Args = PackageFactsArgs;
    const NAME: &'static str = "package_facts";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Gather the installed packages as facts.";

    fn effects(_: &PackageFactsArgs) -> Effects {
        Effects::reads([Resource::Path("/".into())])
    }

    fn plan(args: PackageFactsArgs, host: &Host) -> Result<Plan> {
        let names = wanted(&args.manager)?;
        let mut packages = Map::new();
        let mut warnings: Vec<String> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        let mut found = false;
        for name in &names {
            if found && args.strategy == "first" {
                break;
            }
            let manager =
                ALIASES.iter().find(|(alias, _)| alias == name).map_or(name.as_str(), |(_, real)| *real);
            if seen.contains(&manager) {
                continue;
            }
            seen.push(manager);
            match installed(host, manager) {
                Ok(list) if list.is_empty() => {
                    warnings.push(format!("Found \"{manager}\" but no associated packages"));
                }
                Ok(list) => {
                    found = true;
                    list.into_iter().for_each(|package| add(&mut packages, package, manager));
                }
                Err(Trouble::Asking(why)) => {
                    warnings.push(format!("Failed to retrieve packages with {manager}: {why}"));
                    warnings.push(format!("Found \"{manager}\" but no associated packages"));
                }
                // What `auto` only tried is not missed.
                Err(Trouble::Unusable(why)) if args.manager.iter().any(|asked| asked == manager) => {
                    warnings.push(format!(
                        "Requested package manager {manager} was not usable by this module: {why}"
                    ));
                }
                Err(Trouble::Unusable(_)) => {}
            }
        }
        if !found {
            let names = python_repr(&json!(names));
            let error = fail!(
                "Could not detect a supported package manager from the following list: {names}, or the required Python \
                 library is not installed. Check warnings for details."
            );
            return Err(warned(error, warnings));
        }
        let mut result = result! {"ansible_facts": json!({"packages": packages})};
        if !warnings.is_empty() {
            result.insert("warnings".into(), warnings.into());
        }
        Ok(Plan::unchanged(result))
    }
}

fn warned(error: ModuleError, warnings: Vec<String>) -> ModuleError {
    if warnings.is_empty() { error } else { error.with("warnings", warnings) }
}

/// The managers to ask, with all of them in the place of `auto`.
fn wanted(asked: &[String]) -> Result<Vec<String>> {
    let mut names: Vec<String> = asked.iter().map(|name| name.to_lowercase()).collect();
    if let Some(at) = names.iter().position(|name| name == "auto") {
        names.remove(at);
        names.extend(MANAGERS.iter().chain(ALIASES.iter().map(|(alias, _)| alias)).map(|n| (*n).to_owned()));
    }
    let known =
        |name: &&String| MANAGERS.contains(&name.as_str()) || ALIASES.iter().any(|(alias, _)| alias == name);
    let unknown: Vec<&str> = names.iter().filter(|name| !known(name)).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(names);
    }
    if asked.iter().any(|name| name == "auto") {
        return Err(fail!("Could not auto detect a usable package manager, check warnings for details."));
    }
    Err(fail!("Unsupported package managers requested: {}", unknown.join(", ")))
}

/// Why a manager has no packages for us.
enum Trouble {
    /// It is not there.
    Unusable(String),
    /// It is, and failed.
    Asking(String),
}

fn installed(host: &Host, manager: &str) -> Result<Vec<Map>, Trouble> {
    match manager {
        "apt" => apt::installed(host),
        "apk" => cli::apk(host),
        "pacman" => cli::pacman(host),
        "rpm" => cli::rpm(host),
        other => Err(Trouble::Unusable(format!("provision does not support the package manager '{other}'"))),
    }
}

/// Packages of one name are a list.
fn add(packages: &mut Map, mut package: Map, manager: &str) {
    package.insert("source".into(), manager.into());
    let Some(name) = package.get("name").and_then(Value::as_str).map(str::to_owned) else { return };
    match packages.get_mut(&name) {
        Some(Value::Array(list)) => list.push(package.into()),
        _ => drop(packages.insert(name, json!([package]))),
    }
}
