//! Managers whose programs list the packages.

use super::Trouble;
use crate::system::program::{process, run};
use crate::{Host, Map, ProcessOutput, json, result};

/// Run a manager's program, which has to be there.
fn ask(host: &Host, name: &str, args: &[&str]) -> Result<ProcessOutput, Trouble> {
    let process = process(host, name).map_err(|e| Trouble::Unusable(e.msg))?;
    run(host, &process.args(args)).map_err(|e| Trouble::Asking(e.msg))
}

/// What it said, unless it failed.
fn listed(said: ProcessOutput, strict: bool) -> Result<String, Trouble> {
    if said.success() && (said.stderr.is_empty() || !strict) {
        return Ok(said.out());
    }
    Err(Trouble::Asking(format!("Unable to list packages rc={} : {}", said.rc, said.err())))
}

/// Alpine: `name-version-release`, a line each.
pub fn apk(host: &Host) -> Result<Vec<Map>, Trouble> {
    let text = listed(ask(host, "apk", &["info", "-v"])?, false)?;
    Ok(text.lines().map(apk_package).collect())
}

fn apk_package(line: &str) -> Map {
    let mut parts = line.rsplitn(3, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(release), Some(version), Some(name)) => {
            result! {"name": name, "version": version, "release": release}
        }
        _ => result! {"name": line, "version": "", "release": ""},
    }
}

/// Arch: blocks of `Field : value`, where a line without a field goes on with the one before.
pub fn pacman(host: &Host) -> Result<Vec<Map>, Trouble> {
    let text = listed(ask(host, "pacman", &["-Qi"])?, true)?;
    text.split("\n\n").filter(|block| !block.trim().is_empty()).map(pacman_package).collect()
}

fn pacman_package(block: &str) -> Result<Map, Trouble> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in block.lines() {
        match line.split_once(" : ").map(|(field, value)| (field.trim_end(), value)) {
            Some((field, value)) if !line.starts_with(' ') => fields.push((field, value.to_owned())),
            _ => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push_str("  ");
                    value.push_str(line.trim_start());
                }
            }
        }
    }
    let get = |name: &str| {
        let field = fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str());
        field.ok_or_else(|| Trouble::Asking(format!("'{name}'")))
    };
    let provides = match get("Provides")? {
        "None" => None,
        names => {
            Some(names.split("  ").map(|name| name.split('=').next().unwrap_or_default()).collect::<Vec<_>>())
        }
    };
    Ok(result! {
        "name": get("Name")?, "version": get("Version")?, "arch": get("Architecture")?, "provides": provides
    })
}

/// Red Hat and SUSE.
pub fn rpm(host: &Host) -> Result<Vec<Map>, Trouble> {
    let format = "%{NAME}\\t%{VERSION}\\t%{RELEASE}\\t%|EPOCH?{%{EPOCH}}|\\t%|ARCH?{%{ARCH}}|\\n";
    let text = listed(ask(host, "rpm", &["-qa", "--queryformat", format])?, false)?;
    Ok(text.lines().filter_map(rpm_package).collect())
}

/// What a package does not have is null.
fn rpm_package(line: &str) -> Option<Map> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, version, release, epoch, arch] = fields[..] else { return None };
    let epoch = if epoch.is_empty() { json!(null) } else { epoch.into() };
    let arch = if arch.is_empty() { json!(null) } else { arch.into() };
    Some(result! {"name": name, "version": version, "release": release, "epoch": epoch, "arch": arch})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_read() {
        assert_eq!(
            apk_package("busybox-extras-1.36.1-r2"),
            result! {"name": "busybox-extras", "version": "1.36.1", "release": "r2"}
        );
        let block = "Name            : bash\nVersion         : 5.2\nArchitecture    : x86_64\nProvides        : sh=1  \
                     rbash\n                  more\n";
        let package = pacman_package(block).ok().unwrap();
        assert_eq!(package["provides"], json!(["sh", "rbash", "more"]));
        let package = rpm_package("kernel\t3.10.0\t514.el7\t\tx86_64").unwrap();
        assert_eq!((&package["epoch"], &package["release"]), (&json!(null), &json!("514.el7")));
    }
}
