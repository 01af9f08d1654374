//! What a task touches on its host.
//!
//! Modules say what their arguments read and write ([`modules::Effects`]); what all of them have in common (owners,
//! commands that validate) is added here, and what one thing means for another: a package brings files, users and
//! services that nobody names, and so do services when they start.

use lang::Map;
use modules::{Effects, Resource};
use serde_json::Value;

/// Everything below this is everything.
const ROOT: &str = "/";

/// Files that accounts are kept in.
const ACCOUNTS: &[&str] =
    &["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"];

/// Directories that are another one's since Debian 10 and its like.
const MERGED: &[(&str, &str)] = &[
    ("/bin", "/usr/bin"),
    ("/sbin", "/usr/sbin"),
    ("/lib", "/usr/lib"),
    ("/var/run", "/run"),
    ("/var/lock", "/run/lock"),
];

/// What a task reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touches {
    pub reads: Vec<Resource>,
    pub writes: Vec<Resource>,
    /// Why it may touch anything, if it may.
    pub unknown: Option<String>,
    /// What it has in common with tasks that it may be in one transaction with.
    pub transaction: Option<String>,
}

impl Touches {
    /// It may touch anything.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { unknown: Some(why.into()), ..Self::default() }
    }

    /// What a call of a module touches. `user` is whom it becomes.
    pub fn of(module: &str, args: &protocol::Map, user: Option<&str>) -> Self {
        let effects = match module {
            "template" | "assemble" => dest_of(args),
            _ if is_of_controller(module) => Some(Effects::none()),
            // Whatever package manager there is: the arguments need not be apt's.
            "package" => Some(Effects::writes(packages(args))),
            _ => modules::find(module).and_then(|entry| (entry.effects)(args).ok()),
        };
        let Some(effects) = effects else { return Self::unknown(format!("what {module} does is not known")) };
        if effects.unknown {
            return Self::unknown(format!("what {module} does is not known"));
        }
        if effects.looks_outside {
            return Self::unknown(format!("{module} looks beyond the host"));
        }
        let transaction = modules::find(module)
            .and_then(|entry| (entry.transaction)(args))
            .map(|common| format!("{} {common}", user.unwrap_or_default()));
        let mut touches = Self { reads: effects.reads, writes: effects.writes, unknown: None, transaction };
        if depends_on_user(module, args) {
            touches.writes.push(Resource::Path(ROOT.into()));
        }
        touches.add_common(module, args);
        if let Some(user) = user.filter(|u| *u != "root") {
            touches.reads.push(Resource::User(user.to_owned()));
        }
        for resource in touches.reads.iter_mut().chain(&mut touches.writes) {
            if let Resource::Path(path) = resource {
                *path = normal(path);
            }
        }
        touches
    }

    fn add_common(&mut self, module: &str, args: &protocol::Map) {
        let text = |name: &str| args.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        let named = |name: &str| text(name).filter(|t| t.parse::<u32>().is_err()).map(str::to_owned);
        match module {
            "user" => {
                let home = named("name").map(|name| format!("/home/{name}"));
                self.writes.extend(home.filter(|_| text("home").is_none()).map(Resource::Path));
                self.add_accounts();
            }
            "group" => self.add_accounts(),
            // Directories and links that other paths lead through.
            "mount" | "alternatives" => self.writes.push(Resource::Path(ROOT.into())),
            // The file is in the home directory, wherever that is.
            "authorized_key" if text("path").is_none() => self.writes.push(Resource::Path(ROOT.into())),
            "systemd" | "systemd_service" if text("name").is_none() => {
                self.writes.push(Resource::Service("systemd".into()));
            }
            "file" if text("src").is_some_and(|src| !src.starts_with('/')) => {
                // Relative to the directory the link is in.
                let link = ["path", "dest", "name"].iter().find_map(|name| text(name)).unwrap_or(ROOT);
                let dir = link.rsplit_once('/').map_or("", |(dir, _)| dir);
                let src = text("src").unwrap_or_default();
                self.reads.push(Resource::Path(format!("{dir}/{src}")));
            }
            _ => {}
        }
        if !matches!(module, "user" | "group" | "postgresql_db" | "cron") {
            self.reads.extend(named("owner").map(Resource::User));
            self.reads.extend(named("group").map(Resource::Group));
        }
        // A command of the user's: it may read anything.
        if text("validate").is_some() || module == "nginx_site" {
            self.reads.push(Resource::Path(ROOT.into()));
        }
        for name in ["creates", "removes"] {
            self.reads.extend(text(name).map(|path| Resource::Path(path.to_owned())));
        }
    }

    fn add_accounts(&mut self) {
        self.writes.extend(ACCOUNTS.iter().map(|path| Resource::Path((*path).to_owned())));
    }

    /// Is it no matter to anything on the host?
    pub fn is_nothing(&self) -> bool {
        self.reads.is_empty() && self.writes.is_empty() && self.unknown.is_none()
    }

    /// All that another one touches, too.
    pub fn add(&mut self, other: Self) {
        if self.is_nothing() {
            self.transaction = other.transaction;
        } else if !other.is_nothing() && self.transaction != other.transaction {
            self.transaction = None;
        }
        self.reads.extend(other.reads);
        self.writes.extend(other.writes);
        self.unknown = self.unknown.take().or(other.unknown);
    }

    /// May both be in one transaction?
    pub fn may_be_together(&self, other: &Self) -> bool {
        self.transaction.is_some() && self.transaction == other.transaction
    }

    /// What both touch so that their order counts. Packages bring, and services start with, things that they do not
    /// name: they meet everything.
    pub fn conflict<'a>(&'a self, later: &'a Self) -> Option<&'a Resource> {
        let both = |writes: &'a [Resource], others: &'a [Resource]| {
            writes.iter().find_map(|written| others.iter().find_map(|other| meet(written, other)))
        };
        let brings = |writes: &'a [Resource], other: &Self| {
            let brings = |r: &&Resource| matches!(r, Resource::Package(_) | Resource::Service(_));
            writes.iter().find(brings).filter(|_| !other.is_nothing())
        };
        brings(&self.writes, later)
            .or_else(|| brings(&later.writes, self))
            .or_else(|| both(&self.writes, &later.writes))
            .or_else(|| both(&self.writes, &later.reads))
            .or_else(|| both(&later.writes, &self.reads))
    }
}

/// The resource through which something written meets something else that is touched.
fn meet<'a>(written: &'a Resource, other: &'a Resource) -> Option<&'a Resource> {
    use Resource::{Database, Named, Path};
    let meets = match (written, other) {
        (Path(a), Path(b)) => {
            // The deeper one says more.
            return if is_below(b, a) { Some(other) } else { is_below(a, b).then_some(written) };
        }
        (Database(a, _) | Named(a, _), Database(b, _) | Named(b, _)) => family(a) == family(b),
        (a, b) => a == b,
    };
    meets.then_some(written)
}

/// `postgresql` of `postgresql_role`: objects of one server are changed one after the other.
fn family(kind: &str) -> &str {
    kind.split('_').next().unwrap_or(kind)
}

fn is_below(path: &str, dir: &str) -> bool {
    dir == ROOT || path == dir || path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
}

/// A path as it is compared: absolute, without `.` and `..`. One that depends on more than itself is everything.
fn normal(path: &str) -> String {
    if !path.starts_with('/') || path.contains('$') {
        return ROOT.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let path = format!("/{}", parts.join("/"));
    for (link, target) in MERGED {
        if is_below(&path, link) {
            return format!("{target}{}", &path[link.len()..]);
        }
    }
    path
}

/// Is there a path whose meaning only the host knows: with `~` or a variable of the environment?
fn depends_on_user(module: &str, args: &protocol::Map) -> bool {
    let paths: Vec<&str> = match modules::find(module) {
        Some(entry) => (entry.spec)()
            .args
            .iter()
            .filter(|arg| arg.kind == "path" || arg.name == "paths")
            .flat_map(|arg| std::iter::once(arg.name).chain(arg.aliases.iter().copied()))
            .collect(),
        None => vec!["dest"],
    };
    let depends =
        |value: &Value| value.as_str().is_some_and(|text| text.starts_with('~') || text.contains('$'));
    paths.iter().filter_map(|name| args.get(*name)).any(|value| match value {
        Value::Array(items) => items.iter().any(depends),
        one => depends(one),
    })
}

fn dest_of(args: &protocol::Map) -> Option<Effects> {
    let dest = args.get("dest").and_then(Value::as_str)?;
    Some(Effects::writes([Resource::Path(dest.trim_end_matches('/').to_owned())]))
}

fn packages(args: &protocol::Map) -> Vec<Resource> {
    let names: Vec<Resource> = match args.get("name").or(args.get("pkg")) {
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(|name| Resource::Package(name.to_owned())).collect()
        }
        Some(Value::String(text)) => {
            text.split(',').map(|name| Resource::Package(name.trim().to_owned())).collect()
        }
        _ => Vec::new(),
    };
    // Without a name it upgrades or cleans.
    if names.is_empty() { vec![Resource::Package("*".into())] } else { names }
}

/// Does the action touch nothing but the memory of the controller?
pub fn is_of_controller(action: &str) -> bool {
    matches!(action, "debug" | "set_fact" | "set_stats")
}

/// The arguments of which effects are never made: when they cannot be worked out before the run, nothing is lost.
pub fn is_mere_content(name: &str) -> bool {
    const CONTENT: &[&str] = &[
        "attributes",
        "backup",
        "block",
        "comment",
        "content",
        "insertafter",
        "insertbefore",
        "line",
        "marker",
        "mode",
        "password",
        "regexp",
        "replace",
        "search_string",
        "state",
    ];
    CONTENT.contains(&name)
}

/// Arguments as JSON.
pub fn json(args: &Map) -> protocol::Map {
    args.iter().map(|(k, v)| (k.to_string(), v.to_json())).collect()
}

/// A resource in words.
pub fn shown(resource: &Resource) -> String {
    match resource {
        Resource::Path(path) => format!("path {path}"),
        Resource::Package(name) => format!("package {name}"),
        Resource::Service(name) => format!("service {name}"),
        Resource::User(name) => format!("user {name}"),
        Resource::Group(name) => format!("group {name}"),
        Resource::Database(server, name) => format!("{server} database {name}"),
        Resource::Port(port) => format!("port {port}"),
        Resource::Named(kind, name) => format!("{} {name}", kind.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn touches(module: &str, args: Value) -> Touches {
        Touches::of(module, args.as_object().expect("an object"), None)
    }

    fn between(first: &Touches, second: &Touches) -> Option<String> {
        first.conflict(second).map(shown)
    }

    #[test]
    fn a_directory_comes_before_what_is_in_it() {
        let dir = touches("file", json!({"path": "/opt/app/", "state": "directory"}));
        let file = touches("copy", json!({"dest": "/opt/app/etc/x", "content": "x"}));
        let other = touches("copy", json!({"dest": "/opt/application", "content": "x"}));
        assert_eq!(between(&dir, &file).as_deref(), Some("path /opt/app/etc/x"));
        assert_eq!(between(&dir, &other), None);
        assert_eq!(between(&file, &other), None);
    }

    #[test]
    fn one_file_under_two_names_is_one_file() {
        let one = touches("file", json!({"path": "/var/run/x", "state": "touch"}));
        let other = touches("file", json!({"path": "/run/./y/../x", "state": "touch"}));
        assert_eq!(between(&one, &other).as_deref(), Some("path /run/x"));
    }

    #[test]
    fn a_path_that_is_not_absolute_may_be_anywhere() {
        let home = touches("file", json!({"path": "~/x", "state": "touch"}));
        let other = touches("file", json!({"path": "/srv/y", "state": "touch"}));
        assert!(between(&home, &other).is_some());
        let found = touches("find", json!({"paths": ["/etc", "~/y"]}));
        assert!(between(&found, &other).is_some());
        assert!(between(&touches("find", json!({"paths": ["/etc"]})), &other).is_none());
    }

    #[test]
    fn what_other_paths_lead_through_meets_all_of_them() {
        let mount =
            touches("mount", json!({"path": "/mnt", "src": "/srv", "fstype": "none", "state": "mounted"}));
        let file = touches("file", json!({"path": "/srv/y", "state": "touch"}));
        assert!(between(&mount, &file).is_some());
    }

    #[test]
    fn two_reads_do_not_meet() {
        let one = touches("stat", json!({"path": "/etc/x"}));
        assert_eq!(between(&one, &one), None);
        let write = touches("lineinfile", json!({"path": "/etc/x", "line": "a"}));
        assert_eq!(between(&one, &write).as_deref(), Some("path /etc/x"));
        assert_eq!(between(&write, &one).as_deref(), Some("path /etc/x"));
    }

    #[test]
    fn packages_and_services_meet_everything_on_the_host() {
        let package = touches("apt", json!({"name": ["nginx"]}));
        let service = touches("service", json!({"name": "nginx", "state": "started"}));
        let file = touches("copy", json!({"dest": "/etc/nginx/nginx.conf", "content": ""}));
        assert_eq!(between(&package, &file).as_deref(), Some("package nginx"));
        assert_eq!(between(&file, &service).as_deref(), Some("service nginx"));
        assert_eq!(between(&package, &service).as_deref(), Some("package nginx"));
        let debug = touches("debug", json!({"msg": "x"}));
        assert_eq!(between(&package, &debug), None);
    }

    #[test]
    fn packages_with_the_same_options_may_be_in_one_transaction() {
        let nginx = touches("apt", json!({"name": ["nginx"]}));
        let redis = touches("package", json!({"name": "redis-server", "state": "present"}));
        assert!(nginx.may_be_together(&redis));
        for other in [
            json!({"name": "redis-server", "state": "absent"}),
            json!({"name": "redis-server", "install_recommends": false}),
            json!({"name": "redis-server", "update_cache": true}),
        ] {
            assert!(!nginx.may_be_together(&touches("apt", other)));
        }
        let mut loop_ = Touches::default();
        loop_.add(nginx.clone());
        loop_.add(redis);
        assert!(loop_.may_be_together(&nginx));
        loop_.add(touches("apt", json!({"name": "x", "state": "latest"})));
        assert!(!loop_.may_be_together(&nginx));
    }

    #[test]
    fn an_owner_has_to_exist_first() {
        let user = touches("user", json!({"name": "web"}));
        let file = touches("file", json!({"path": "/srv/x", "state": "directory", "owner": "web"}));
        let number = touches("file", json!({"path": "/srv/x", "state": "directory", "owner": "33"}));
        assert_eq!(between(&user, &file).as_deref(), Some("user web"));
        assert_eq!(between(&user, &number), None);
    }

    #[test]
    fn accounts_are_changed_one_after_the_other() {
        let user = touches("user", json!({"name": "web"}));
        let group = touches("group", json!({"name": "staff"}));
        assert!(between(&user, &group).is_some());
    }

    #[test]
    fn objects_of_one_server_are_changed_one_after_the_other() {
        let one = touches("postgresql_db", json!({"name": "a"}));
        let other = touches("postgresql_db", json!({"name": "b"}));
        let user = touches("rabbitmq_user", json!({"user": "b", "password": "x"}));
        assert!(between(&one, &other).is_some());
        assert_eq!(between(&one, &user), None);
    }

    #[test]
    fn commands_are_unknown() {
        for module in ["command", "shell", "script", "uri", "wait_for", "no_such_module"] {
            assert!(touches(module, json!({})).unknown.is_some(), "{module}");
        }
    }
}
