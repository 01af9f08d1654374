//! `hostname`: the name of the host, now and after the next start.

mod strategy;

use crate::{Applied, Diff, Effects, Host, Map, Module, Plan, Resource, Result, args, facts, json, result};

use strategy::Strategy;

args! {
    pub struct HostnameArgs {
        /// The name.
        name: String = required();
        /// How to set it; worked out from the host if not given. Those of systems other than Linux are not supported.
        r#use: Option<String> = choices(&[
            "alpine", "debian", "freebsd", "generic", "macos", "macosx", "darwin", "openbsd", "openrc", "redhat",
            "sles", "solaris", "systemd",
        ]);
    }
}

pub struct Hostname;

impl Module for Hostname {
    type Args = HostnameArgs;
    const NAME: &'static str = "hostname";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Set the name of the host.";

    fn effects(_: &HostnameArgs) -> Effects {
        Effects::writes([Resource::Path("/etc".into()), Resource::Named("hostname", String::new())])
    }

    fn plan(args: HostnameArgs, host: &Host) -> Result<Plan> {
        let strategy = match &args.r#use {
            Some(name) => Strategy::named(name)?,
            None => Strategy::of(host)?,
        };
        let name = args.name;
        let current = strategy.current(host)?;
        let permanent = strategy.permanent(host)?;
        let (now, later) = (current != name, permanent != name);
        let result = result! {"name": name, "ansible_facts": facts_of(&name, host)};
        if !now && !later {
            return Ok(Plan::unchanged(result));
        }
        let line = |name: &str| Some(format!("hostname = {name}\n").into());
        let before = line(if now { &current } else { &permanent });
        let diff = Diff { before, after: line(&name), ..Diff::default() };
        let plan = Plan::change(result, move |host| {
            strategy.set(&name, now, later, host)?;
            Applied::with(result! {"ansible_facts": facts_of(&name, host)})
        });
        Ok(plan.with_diff(diff))
    }
}

fn facts_of(name: &str, host: &Host) -> Map {
    let full = facts::full_name(host);
    let domain = full.split_once('.').map_or("", |(_, domain)| domain);
    let facts = json!({
        "ansible_hostname": name.split('.').next(), "ansible_nodename": name, "ansible_fqdn": full,
        "ansible_domain": domain
    });
    facts.as_object().cloned().unwrap_or_default()
}
