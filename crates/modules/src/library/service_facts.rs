//! `service_facts`: which services the host has and how they are, as facts.

mod openrc;
mod red_hat;
mod systemd;
mod sysv;
mod upstart;

use crate::process::find_program;
use crate::system::init;
use crate::system::program::process;
use crate::{Effects, Host, Map, Module, Plan, Process, Resource, Result, Value, args, json, result};

args! {
    pub struct ServiceFactsArgs {}
}

pub struct ServiceFacts;

impl Module for ServiceFacts {
    type Args = ServiceFactsArgs;
    const NAME: &'static str = "service_facts";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Gather the services of the host and their states as facts.";

    fn effects(_: &ServiceFactsArgs) -> Effects {
        Effects::reads([Resource::Path("/".into())])
    }

    fn plan(_: ServiceFactsArgs, host: &Host) -> Result<Plan> {
        let mut found = Found::default();
        let has = |name: &str| find_program(host, name).is_some();
        let (red_hat, openrc) = (has("chkconfig"), has("rc-status"));
        if has("service") && !red_hat && !openrc {
            sysv::list(host, &mut found)?;
        }
        if red_hat {
            red_hat::list(host, &mut found)?;
        } else if has("initctl") {
            upstart::list(host, &mut found)?;
        } else if openrc && has("rc-update") {
            openrc::list(host, &mut found)?;
        }
        if init::is_systemd(host) {
            systemd::list(host, &mut found)?;
        }
        let mut result = match found.services.is_empty() {
            true => result! {
                "skipped": true,
                "msg": "Failed to find any services. This can be due to privileges or some other configuration issue."
            },
            false => result! {"ansible_facts": json!({"services": found.services})},
        };
        if !found.warnings.is_empty() {
            result.insert("warnings".into(), found.warnings.into());
        }
        Ok(Plan::unchanged(result))
    }
}

/// What the managers of services say.
#[derive(Default)]
struct Found {
    services: Map,
    warnings: Vec<String>,
}

impl Found {
    /// Add a service, instead of one of the same name.
    fn add(&mut self, name: &str, source: &str, state: &str, status: Option<&str>) {
        let mut service = result! {"name": name, "state": state, "source": source};
        if let Some(status) = status {
            service.insert("status".into(), status.into());
        }
        self.services.insert(name.to_owned(), json!(service));
    }

    fn get(&mut self, name: &str, key: &str) -> Option<&mut Value> {
        self.services.get_mut(name)?.get_mut(key)
    }
}

/// A program with its arguments.
fn program(host: &Host, name: &str, args: &[&str]) -> Result<Process> {
    Ok(process(host, name)?.args(args))
}
