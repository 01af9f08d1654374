//! Which hosts, and how to reach each: from the command line and the inventory.

use std::path::Path;
use std::sync::Arc;

use engine::Options;
use engine::settings::Keywords;
use lang::inventory::Inventory;
use lang::keywords::Place;
use lang::playbook::{Attrs, Frame, FrameKind, LoopControl, ModuleRef, Task, TaskId};
use lang::template::{MapScope, Scope};
use lang::{Map, Pos, Str};
use protocol::Become;
use transport::{Connection, Target};

use super::host_keys::Fingerprints;
use super::{AddRootOptions, secrets};
use crate::cli::options::RunOptions;
use crate::cli::playbook::{limit, run_options};
use crate::cli::setup::Setup;
use crate::cli::{Exit, Failure};

/// One host and the way to become root on it.
pub struct Goal {
    pub name: String,
    pub target: Target,
    pub r#become: Become,
}

/// All hosts that the options mean, each once.
pub fn goals(options: &AddRootOptions, setup: &Setup) -> Result<Vec<Goal>, Failure> {
    let inventory = setup.inventory()?;
    let given = !options.inventory.inventory.is_empty();
    if given {
        inventory.warnings.iter().for_each(|w| setup.warnings.push(crate::report::describe(w)));
    }
    let named = named(options, &inventory, setup, given)?;
    let fingerprints = Fingerprints::parse(&options.fingerprint)?;
    fingerprints.check(&named.iter().map(|n| n.name.clone()).collect::<Vec<_>>())?;

    let passwords = secrets::passwords(options, &setup.config)?;
    let from_options = passwords.connection.is_some();
    let password = passwords.connection.clone();
    let defaults = run_options(&run(options), &options.connection, setup, passwords);
    let mut goals = Vec::new();
    for host in named {
        let mut goal = goal(&host, &inventory, setup, &defaults)
            .map_err(|e| Failure::from(lang::Error::new(format!("host {}", host.name)).caused_by(e)))?;
        let target = &mut goal.target;
        target.host_key_fingerprint = fingerprints.of(&host.name);
        // What is said on the command line is about this one login; the inventory is about all later ones.
        target.user = host.user.or(options.connection.remote_user.clone()).or(target.user.take());
        target.user.get_or_insert_with(|| "root".into());
        target.port = host.port.or(target.port);
        if from_options {
            target.password.clone_from(&password);
        }
        if options.connection.private_key.is_some() {
            target.private_key_file.clone_from(&defaults.connection.private_key_file);
        }
        goals.push(goal);
    }
    Ok(goals)
}

fn run(options: &AddRootOptions) -> RunOptions {
    RunOptions { forks: options.forks, output: "default".into(), ..RunOptions::default() }
}

/// A host as it was named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    name: String,
    /// In the inventory, or only an address.
    known: bool,
    user: Option<String>,
    port: Option<u16>,
}

fn named(
    options: &AddRootOptions,
    inventory: &Inventory,
    setup: &Setup,
    given: bool,
) -> Result<Vec<Named>, Failure> {
    let mut all: Vec<Named> = Vec::new();
    let mut add = |host: Named| {
        if !all.iter().any(|other| other.name == host.name) {
            all.push(host);
        }
    };
    let known = |name: String| Named { name, known: true, ..Named::default() };
    if options.hosts.is_empty() {
        if !given && options.inventory.limit.is_empty() {
            return Err(Failure::with(
                Exit::Options,
                "no hosts: name some, or an inventory (-i) and a pattern (-l)",
            ));
        }
        inventory.list_hosts("all")?.hosts.into_iter().for_each(|name| add(known(name)));
    }
    for pattern in &options.hosts {
        let matched = inventory.list_hosts(pattern)?;
        // `localhost` is matched although nobody wrote it.
        let there: Vec<String> =
            matched.hosts.into_iter().filter(|h| inventory.hosts().any(|i| i.name == *h)).collect();
        match there.is_empty() {
            false => there.into_iter().for_each(|name| add(known(name))),
            true if given => {
                return Err(Failure::new(format!("Could not match supplied host pattern: {pattern}")));
            }
            true => add(address(pattern)?),
        }
    }
    if let Some(limit) = limit(&options.inventory.limit) {
        let patterns = lang::patterns::limit_patterns(&limit)?;
        let matched = inventory.limit(inventory.list_hosts("all")?, &patterns)?;
        matched.warnings.iter().for_each(|w| setup.warnings.push(crate::report::describe(w)));
        all.retain(|host| matched.hosts.contains(&host.name));
    }
    if all.is_empty() {
        let text = "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.";
        return Err(Failure::new(text));
    }
    Ok(all)
}

/// `[USER@]HOST[:PORT]`; an IPv6 address with a port is in brackets.
fn address(text: &str) -> Result<Named, Failure> {
    let wrong = |reason: &str| Failure::with(Exit::Options, format!("{text:?} is not a host: {reason}"));
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, text),
    };
    let (name, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((name, "")) => (name, None),
        Some((name, port)) => {
            (name, Some(port.strip_prefix(':').ok_or_else(|| wrong("after ] only a port may follow"))?))
        }
        // More than one colon without brackets is an address of IPv6.
        None if rest.matches(':').count() > 1 => (rest, None),
        None => rest.split_once(':').map_or((rest, None), |(name, port)| (name, Some(port))),
    };
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty()
        || name.starts_with('-')
        || name.contains(odd)
        || user.as_deref().is_some_and(|u| u.is_empty() || u.contains(odd))
    {
        return Err(wrong("expected [USER@]HOST[:PORT]"));
    }
    let port = port.map(str::parse).transpose().map_err(|_| wrong("the port is not a number up to 65535"))?;
    Ok(Named { name: name.to_owned(), known: false, user, port })
}

/// How to reach a host, from its variables and the defaults.
fn goal(host: &Named, inventory: &Inventory, setup: &Setup, defaults: &Options) -> lang::Result<Goal> {
    let mut vars = Map::new();
    vars.insert("inventory_hostname".into(), host.name.as_str().into());
    if host.known {
        for layer in inventory.var_layers(&host.name).unwrap_or_default() {
            vars.extend(layer.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    vars.extend(setup.extra_vars.clone());
    // Whatever the variables say for later: now somebody becomes root.
    vars.insert("ansible_become".into(), true.into());
    vars.insert("ansible_become_user".into(), "root".into());
    let scope: Arc<dyn Scope> = Arc::new(MapScope { vars, ..MapScope::default() });
    let task = nothing();
    let keywords = Keywords { task: &task, templar: &setup.templar, scope: &scope };
    let target = keywords.target(&host.name, defaults)?;
    if target.connection != Connection::Ssh {
        return Err(lang::Error::new("add-root speaks ssh, but its connection is another"));
    }
    let wanted = keywords.settings(defaults)?.r#become;
    let r#become = wanted.ok_or_else(|| lang::Error::new("there is no way to become root"))?;
    Ok(Goal { name: host.name.clone(), target, r#become })
}

/// A task without a keyword: only variables and defaults count.
fn nothing() -> Task {
    let file: Arc<Path> = Path::new("add-root").into();
    let pos = Pos { file: file.clone(), line: 1, column: 1 };
    Task {
        id: TaskId::next(),
        name: None,
        attrs: Attrs::default(),
        vars: Map::new(),
        action: Str::plain("ping"),
        module: ModuleRef::native("ansible.builtin.ping"),
        args: Map::new(),
        loop_: None,
        loop_control: LoopControl::default(),
        include: None,
        listen: Vec::new(),
        place: Place::Task,
        implicit: true,
        frame: Arc::new(Frame {
            kind: FrameKind::Play { vars_files: Vec::new() },
            name: None,
            attrs: Attrs::default(),
            vars: Map::new(),
            parent: None,
            file,
            dir: Default::default(),
            pos: pos.clone(),
        }),
        pos,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, user, name, port) in [
            ("web", None, "web", None),
            ("admin@web:2222", Some("admin"), "web", Some(2222)),
            ("a@b@192.0.2.1", Some("a@b"), "192.0.2.1", None),
            ("2001:db8::1", None, "2001:db8::1", None),
            ("[2001:db8::1]:22", None, "2001:db8::1", Some(22)),
            ("root@[2001:db8::1]", Some("root"), "2001:db8::1", None),
        ] {
            let expected = Named { name: name.into(), known: false, user: user.map(Into::into), port };
            assert_eq!(address(text).unwrap(), expected, "{text}");
        }
        for bad in ["", "@web", "web:x", "web:70000", "-oProxyCommand=x", "a b", "[::1]x"] {
            assert!(address(bad).is_err(), "{bad:?}");
        }
    }
}
