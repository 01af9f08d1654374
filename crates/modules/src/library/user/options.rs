//! From arguments to options of `useradd`, `usermod` and `chage`.

use std::collections::BTreeSet;

use crate::system::accounts::{self, User as Entry};
use crate::{Host, Map, Result, fail, result};

use super::UserArgs;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// What has to change in an existing account.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// Options of `usermod`.
    pub usermod: Vec<String>,
    /// The hash to set.
    pub password: Option<String>,
    /// Options of `chage`.
    pub ages: Vec<String>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.usermod.is_empty() && self.password.is_none() && self.ages.is_empty()
    }

    /// Password ages for a new account.
    pub fn ages_of(args: &UserArgs) -> Vec<String> {
        ages(args, None)
    }

    pub fn between(args: &UserArgs, now: &Entry, host: &Host) -> Result<Self> {
        let mut options: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| options.extend(words.iter().map(|w| (*w).to_owned()));
        if let Some(uid) = args.uid.filter(|uid| *uid != i64::from(now.uid)) {
            add(&["-u", &uid.to_string()]);
            if args.non_unique {
                add(&["-o"]);
            }
        }
        if let Some(name) = &args.group {
            let group = group(host, name)?;
            if group.gid != now.gid {
                add(&["-g", &group.gid.to_string()]);
            }
        }
        if let Some(wanted) = &args.groups {
            let primary = match &args.group {
                Some(name) => group(host, name)?.gid,
                None => now.gid,
            };
            let wanted = group_names(wanted, host, Some(primary))?;
            let current = memberships(&args.name, now.gid, host)?;
            if args.append {
                let lacking: Vec<_> = wanted.difference(&current).cloned().collect();
                if !lacking.is_empty() {
                    add(&["-a", "-G", &lacking.join(",")]);
                }
            } else if wanted != current {
                add(&["-G", &Vec::from_iter(wanted).join(",")]);
            }
        }
        if let Some(comment) = args.comment.as_ref().filter(|c| **c != now.comment) {
            add(&["-c", comment]);
        }
        if let Some(home) = args.home.as_ref().filter(|h| h.0 != now.home) {
            add(&["-d", &home.0]);
            if args.move_home {
                add(&["-m"]);
            }
        }
        if let Some(shell) = args.shell.as_ref().filter(|s| s.0 != now.shell) {
            add(&["-s", &shell.0]);
        }
        let shadow = accounts::shadow(host, &args.name);
        let no_shadow = shadow.is_none();
        let shadow = shadow.unwrap_or_default();
        match args.expires.map(day) {
            // An account without an entry gets one.
            Some(None) if no_shadow || shadow.expires.is_some_and(|e| e >= 0) => add(&["-e", ""]),
            Some(Some(wanted)) if shadow.expires != Some(wanted) => add(&["-e", &date(wanted)]),
            _ => {}
        }
        if let Some(days) = args.password_expire_account_disable.filter(|d| shadow.inactive != Some(*d)) {
            add(&["-f", &days.to_string()]);
        }
        let bare = |text: &str| text.trim_start_matches('!').to_owned();
        let password = args
            .password
            .clone()
            .filter(|p| args.update_password == "always" && bare(p) != bare(&shadow.password));
        if password.is_none() {
            match args.password_lock {
                Some(true) if !shadow.password.starts_with('!') => add(&["-L"]),
                Some(false) if shadow.password.starts_with('!') => add(&["-U"]),
                _ => {}
            }
        }
        Ok(Self { usermod: options, password, ages: ages(args, Some(&shadow)) })
    }
}

fn ages(args: &UserArgs, now: Option<&accounts::Shadow>) -> Vec<String> {
    let pairs = [
        ("-M", args.password_expire_max, now.and_then(|s| s.max)),
        ("-m", args.password_expire_min, now.and_then(|s| s.min)),
        ("-W", args.password_expire_warn, now.and_then(|s| s.warn)),
    ];
    let mut options = Vec::new();
    for (option, wanted, now) in pairs {
        if let Some(days) = wanted.filter(|w| now != Some(*w)) {
            options.extend([option.to_owned(), days.to_string()]);
        }
    }
    options
}

pub fn for_useradd(args: &UserArgs, host: &Host) -> Result<Vec<String>> {
    let mut options: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| options.extend(words.iter().map(|w| (*w).to_owned()));
    if let Some(uid) = args.uid {
        add(&["-u", &uid.to_string()]);
        if args.non_unique {
            add(&["-o"]);
        }
    }
    match &args.group {
        Some(name) => add(&["-g", &group(host, name)?.gid.to_string()]),
        // useradd would fail to make the group that is there, so the account joins it instead.
        None => {
            if let Some(own) = accounts::find_group(host, &args.name)? {
                add(&["-N", "-g", &own.gid.to_string()]);
            }
        }
    }
    if let Some(groups) = &args.groups {
        let names = group_names(groups, host, None)?;
        if !names.is_empty() {
            add(&["-G", &Vec::from_iter(names).join(",")]);
        }
    }
    if let Some(comment) = &args.comment {
        add(&["-c", comment]);
    }
    if let Some(home) = &args.home {
        add(&["-d", &home.0]);
    }
    if let Some(shell) = &args.shell {
        add(&["-s", &shell.0]);
    }
    match args.expires.map(day) {
        Some(Some(wanted)) => add(&["-e", &date(wanted)]),
        Some(None) => add(&["-e", ""]),
        None => {}
    }
    if let Some(days) = args.password_expire_account_disable {
        add(&["-f", &days.to_string()]);
    }
    if args.create_home {
        add(&["-m"]);
        if let Some(skeleton) = &args.skeleton {
            add(&["-k", skeleton]);
        }
        if let Some(umask) = &args.umask {
            add(&["-K", &format!("UMASK={umask}")]);
        }
    } else {
        add(&["-M"]);
    }
    if args.system {
        add(&["-r"]);
    }
    for (key, value) in [("UID_MIN", args.uid_min), ("UID_MAX", args.uid_max)] {
        if let Some(value) = value {
            add(&["-K", &format!("{key}={value}")]);
        }
    }
    Ok(options)
}

/// All groups that are named have to be there.
pub fn check_groups(args: &UserArgs, host: &Host) -> Result<()> {
    if let Some(name) = &args.group {
        group(host, name)?;
    }
    group_names(args.groups.as_deref().unwrap_or_default(), host, None).map(|_| ())
}

fn group(host: &Host, name: &str) -> Result<accounts::Group> {
    accounts::find_group_or_gid(host, name)?.ok_or_else(|| fail!("Group {name} does not exist"))
}

/// Names of the groups that are named or numbered, without the primary one.
fn group_names(words: &[String], host: &Host, primary: Option<u32>) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for word in words.iter().map(|w| w.trim()).filter(|w| !w.is_empty()) {
        let group = group(host, word)?;
        if primary != Some(group.gid) {
            names.insert(group.name);
        }
    }
    Ok(names)
}

/// Supplementary groups of the user.
fn memberships(name: &str, primary: u32, host: &Host) -> Result<BTreeSet<String>> {
    let groups = accounts::groups(host)?.into_iter();
    Ok(groups.filter(|g| g.gid != primary && g.members.iter().any(|m| m == name)).map(|g| g.name).collect())
}

/// The day since 1970 of a time; `None` for never.
fn day(expires: f64) -> Option<i64> {
    (expires >= 0.0).then(|| (expires / DAY).floor() as i64)
}

/// `1970-01-01` for day 0 (the algorithm of Howard Hinnant's `civil_from_days`).
fn date(day: i64) -> String {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    let y = yoe + era * 400 + i64::from(m <= 2);
    format!("{y:04}-{m:02}-{d:02}")
}

/// A password that is not a hash would lock the user out; Ansible warns.
pub fn warnings(args: &UserArgs) -> Map {
    let Some(password) = &args.password else { return Map::new() };
    if looks_hashed(password) {
        return Map::new();
    }
    result! {"warnings": [
        "The input password appears not to have been hashed. The 'password' argument must be encrypted for \
         this module to work properly."
    ]}
}

fn looks_hashed(password: &str) -> bool {
    let password = password.trim_start_matches('!');
    if password.is_empty() || ["*", "x", "*************"].contains(&password) {
        return true;
    }
    let salted = |c: char| c.is_ascii_alphanumeric() || "./".contains(c);
    let fields: Vec<&str> = password.split('$').collect();
    match fields[..] {
        ["", _, .., hash] if fields.len() >= 4 => hash.len() >= 22 && hash.chars().all(salted),
        _ => password.len() == 13 && password.chars().all(salted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Args;

    fn scratch() -> (tempfile::TempDir, Host) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join("etc").join(name), text).unwrap();
        put("passwd", "ada:x:1000:1000:Ada:/home/ada:/bin/sh\n");
        put("group", "ada:x:1000:\nadm:x:4:ada\nsudo:x:27:\n");
        put("shadow", "ada:!$6$s$h:19000:0:99999:7:::\n");
        let host = Host::at(dir.path(), dir.path());
        (dir, host)
    }

    fn changes(host: &Host, args: Map) -> Changes {
        let args = UserArgs::parse(&args).unwrap();
        let now = accounts::find_user(host, "ada").unwrap().unwrap();
        Changes::between(&args, &now, host).unwrap()
    }

    #[test]
    fn only_what_differs_is_changed() {
        let (_dir, host) = scratch();
        let same = result! {
            "name": "ada", "uid": "1000", "groups": "adm,ada", "shell": "/bin/sh", "password": "$6$s$h",
            "group": 1000, "password_expire_max": 99999, "expires": -1, "password_lock": true
        };
        assert!(changes(&host, same).is_empty());
        let other = result! {"name": "ada", "groups": ["sudo"], "append": true, "comment": "",
        "expires": 1_893_456_000_i64, "password_expire_warn": 3, "password_lock": false};
        let changes = changes(&host, other);
        assert_eq!(changes.usermod, ["-a", "-G", "sudo", "-c", "", "-e", "2030-01-01", "-U"]);
        assert_eq!(changes.ages, ["-W", "3"]);
    }

    #[test]
    fn a_missing_group_is_an_error() {
        let (_dir, host) = scratch();
        let args = UserArgs::parse(&result! {"name": "x", "groups": "nosuch"}).unwrap();
        assert_eq!(check_groups(&args, &host).unwrap_err().msg, "Group nosuch does not exist");
    }

    #[test]
    fn days_become_dates() {
        assert_eq!(
            (date(0), date(21915), date(11016)),
            ("1970-01-01".into(), "2030-01-01".into(), "2000-02-29".into())
        );
    }
}
