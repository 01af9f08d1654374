//! Which distribution this is.

use std::collections::HashMap;

use serde_json::json;

use super::{Facts, text};

/// Families, by `distribution`. What is not here is its own family.
const FAMILIES: &[(&str, &[&str])] = &[
    (
        "RedHat",
        &[
            "RedHat",
            "RHEL",
            "Fedora",
            "CentOS",
            "Scientific",
            "SLC",
            "Ascendos",
            "CloudLinux",
            "PSBM",
            "OracleLinux",
            "OVS",
            "OEL",
            "Amazon",
            "Amzn",
            "Virtuozzo",
            "XenServer",
            "Alibaba",
            "EulerOS",
            "openEuler",
            "AlmaLinux",
            "Rocky",
            "TencentOS",
            "EuroLinux",
            "Kylin Linux Advanced Server",
            "MIRACLE",
        ],
    ),
    (
        "Debian",
        &[
            "Debian",
            "Ubuntu",
            "Raspbian",
            "Neon",
            "KDE neon",
            "Linux Mint",
            "SteamOS",
            "Devuan",
            "Kali",
            "Cumulus Linux",
            "Pop!_OS",
            "Parrot",
            "Pardus GNU/Linux",
            "Uos",
            "Deepin",
            "OSMC",
            "Linux Mint Debian Edition",
        ],
    ),
    (
        "Suse",
        &[
            "SuSE",
            "SLES",
            "SLED",
            "openSUSE",
            "openSUSE Tumbleweed",
            "SLES_SAP",
            "SUSE_LINUX",
            "openSUSE Leap",
            "ALP-Dolomite",
            "SL-Micro",
            "openSUSE MicroOS",
        ],
    ),
    ("Archlinux", &["Archlinux", "Antergos", "Manjaro"]),
    ("Mandrake", &["Mandrake", "Mandriva"]),
    ("Slackware", &["Slackware"]),
    ("Altlinux", &["Altlinux"]),
    ("SMGL", &["SMGL"]),
    ("Gentoo", &["Gentoo", "Funtoo"]),
    ("Alpine", &["Alpine"]),
    ("NA", &["NA"]),
    ("ClearLinux", &["Clear Linux OS", "Clear Linux Mix"]),
];

/// What is found.
#[derive(Default)]
struct Found {
    name: String,
    version: String,
    release: String,
    /// When it is not simply the first part of the version.
    major: Option<String>,
    minor: Option<String>,
    /// File and variety, when a file other than `os-release` decided.
    file: Option<(&'static str, &'static str)>,
    /// Its content said nothing (Arch's release file is empty).
    unparsed: bool,
    /// The word that was looked for in that file, where the name is not a file's own.
    search: Option<&'static str>,
    /// An empty release is shown as it is.
    blank_release: bool,
}

pub fn collect(facts: &mut Facts<'_>) {
    let text =
        facts.read("/etc/os-release").or_else(|| facts.read("/usr/lib/os-release")).unwrap_or_default();
    let os = text::settings(&text);
    let found = find(facts, &os);
    let family =
        FAMILIES.iter().find(|(_, names)| names.contains(&found.name.as_str())).map(|(family, _)| *family);
    facts.add("distribution", found.name.as_str());
    facts.add("distribution_release", if found.blank_release { "" } else { or_na(&found.release) });
    facts.add("distribution_version", or_na(&found.version));
    let major = found.major.unwrap_or_else(|| found.version.split('.').next().unwrap_or_default().to_owned());
    facts.add("distribution_major_version", or_na(&major));
    if let Some((path, variety)) = found.file {
        facts.add("distribution_file_path", path);
        facts.add("distribution_file_variety", variety);
        if !found.unparsed {
            facts.add("distribution_file_parsed", true);
        }
    }
    if let Some(word) = found.search {
        facts.add("distribution_file_search_string", word);
    }
    if let Some(minor) = found.minor {
        facts.add("distribution_minor_version", minor);
    }
    facts.add("os_family", family.unwrap_or(&found.name));
}

fn or_na(text: &str) -> &str {
    if text.is_empty() { "NA" } else { text }
}

fn find(facts: &Facts<'_>, os: &HashMap<String, String>) -> Found {
    let get = |key: &str| os.get(key).cloned().unwrap_or_default();
    let (id, version) = (get("ID"), get("VERSION_ID"));
    let named = |name: &str, variety: &'static str| Found {
        name: name.to_owned(),
        version: version.clone(),
        release: get("VERSION_CODENAME"),
        file: Some(("/etc/os-release", variety)),
        ..Found::default()
    };
    match id.as_str() {
        "debian" => debian(facts, &get, named("Debian", "Debian")),
        // Its point release is not part of the version.
        "raspbian" => Found { version: version.clone(), ..debian(facts, &get, named("Debian", "Debian")) },
        "ubuntu" => named("Ubuntu", "Debian"),
        "kali" => Found { release: get("VERSION_CODENAME"), ..named("Kali", "Debian") },
        "linuxmint" => named("Linux Mint", "Debian"),
        "pop" => named("Pop!_OS", "NA"),
        "devuan" => named("Devuan", "Debian"),
        "parrot" => named("Parrot", "Debian"),
        "rhel" => Found { search: Some("Red Hat"), ..red_hat(facts, named("RedHat", "RedHat"), &get) },
        "centos" => centos(red_hat(facts, named("CentOS", "CentOS"), &get)),
        "rocky" => red_hat(facts, named("Rocky", "RedHat"), &get),
        "almalinux" => red_hat(facts, named("AlmaLinux", "RedHat"), &get),
        "fedora" => {
            let found = red_hat(facts, named("Fedora", "RedHat"), &get);
            Found { blank_release: os.get("VERSION_CODENAME").is_some_and(String::is_empty), ..found }
        }
        "ol" => Found {
            search: Some("Oracle Linux"),
            ..red_hat(facts, named("OracleLinux", "OracleLinux"), &get)
        },
        "amzn" => {
            let minor = version.split_once('.').map_or("NA", |(_, m)| m).to_owned();
            Found { minor: Some(minor), release: "NA".into(), ..named("Amazon", "Amazon") }
        }
        "opensuse-leap" => suse(named("openSUSE Leap", "SUSE")),
        "opensuse-tumbleweed" => Found { blank_release: true, ..named("openSUSE Tumbleweed", "SUSE") },
        "sles" => suse(named("SLES", "SUSE")),
        "sles_sap" => suse(named("SLES_SAP", "SUSE")),
        "sled" => suse(named("SLED", "SUSE")),
        "alpine" => Found {
            version: facts.read("/etc/alpine-release").unwrap_or(version.clone()),
            release: "NA".into(),
            file: Some(("/etc/alpine-release", "Alpine")),
            ..named("Alpine", "Alpine")
        },
        "arch" | "archarm" => Found {
            release: "NA".into(),
            file: Some(("/etc/arch-release", "Archlinux")),
            unparsed: facts.read("/etc/arch-release").unwrap_or_default().is_empty(),
            ..named("Archlinux", "Archlinux")
        },
        "manjaro" => named("Manjaro", "Archlinux"),
        "gentoo" => named("Gentoo", "NA"),
        "" => Found { name: "OtherLinux".into(), ..Found::default() },
        _ => {
            let name = get("NAME");
            named(if name.is_empty() { &id } else { &name }, "NA")
        }
    }
}

/// Debian's point release is in a file of its own.
fn debian(facts: &Facts<'_>, get: &impl Fn(&str) -> String, mut found: Found) -> Found {
    let point = facts.read("/etc/debian_version").unwrap_or_default();
    if found.version.is_empty() {
        // Testing and unstable have no number; `trixie/sid` names the next one.
        let pretty = get("PRETTY_NAME");
        let name = pretty.rsplit(' ').next().unwrap_or_default();
        found.version = name.to_owned();
        found.release = name.split('/').next().unwrap_or_default().to_owned();
        found.major = Some(name.to_owned());
        return found;
    }
    if let Some((major, minor)) = point.split_once('.')
        && major == found.version
    {
        found.minor = Some(minor.to_owned());
        found.version = point;
    }
    found
}

/// The release files of this family say more than `os-release`, for those that keep their minor version out of it.
fn red_hat(facts: &Facts<'_>, mut found: Found, get: &impl Fn(&str) -> String) -> Found {
    let file = match found.name.as_str() {
        "CentOS" => "/etc/centos-release",
        "OracleLinux" => "/etc/oracle-release",
        _ => "/etc/redhat-release",
    };
    if let Some(line) = facts.read(file) {
        found.file = Some((file, found.file.map_or("RedHat", |(_, variety)| variety)));
        if let Some(version) = line.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit())) {
            let parts: Vec<&str> = version.split('.').take(2).collect();
            found.version = parts.join(".");
        }
        let inner = line.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
        if let Some((release, _)) = inner {
            release.clone_into(&mut found.release);
        }
        if line.contains("Stream") {
            found.release = "Stream".into();
        }
    } else {
        found.release = get("VERSION_CODENAME");
    }
    found
}

/// Only Stream is found by its own file.
fn centos(mut found: Found) -> Found {
    if found.file.is_some() && found.release != "Stream" {
        found.file = Some(("/etc/redhat-release", "RedHat"));
    }
    found
}

fn suse(mut found: Found) -> Found {
    if let Some((_, minor)) = found.version.clone().split_once('.') {
        found.release = minor.to_owned();
    }
    found
}

/// `lsb_release`: its own file, or what Debian's program of that name makes of `os-release`.
pub fn collect_lsb(facts: &mut Facts<'_>) {
    let text = facts.read("/etc/lsb-release").unwrap_or_default();
    let file = text::settings(&text);
    let os = text::settings(&facts.read("/etc/os-release").unwrap_or_default());
    let program = crate::process::find_program(facts.host, "lsb_release").is_some();
    let get = |map: &HashMap<String, String>, key: &str| map.get(key).cloned().filter(|v| !v.is_empty());
    let first = get(&file, "DISTRIB_ID").is_some();
    if !first && !program {
        facts.add("lsb", json!({}));
        return;
    }
    let id = get(&file, "DISTRIB_ID").or_else(|| {
        let id = get(&os, "ID")?;
        let mut letters = id.chars();
        Some(letters.next()?.to_uppercase().chain(letters).collect())
    });
    let release = get(&file, "DISTRIB_RELEASE").or_else(|| get(&os, "VERSION_ID"));
    let major = release.as_ref().map(|r| r.split('.').next().unwrap_or_default().to_owned());
    let codename = get(&file, "DISTRIB_CODENAME").or_else(|| get(&os, "VERSION_CODENAME"));
    let description = get(&file, "DISTRIB_DESCRIPTION").or_else(|| get(&os, "PRETTY_NAME"));
    let mut lsb = protocol::Map::new();
    for (key, value) in [
        ("id", id),
        ("release", release),
        ("major_release", major),
        ("codename", codename),
        ("description", description),
    ] {
        if let Some(value) = value {
            lsb.insert(key.into(), value.into());
        }
    }
    facts.add("lsb", lsb);
}
