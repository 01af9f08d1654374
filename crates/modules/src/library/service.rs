//! `service`: services by whatever manages them: systemd, or init scripts where there is no systemd.

mod sysv;

use crate::{Effects, Host, Module, Plan, Resource, Result, args, fail};

use super::systemd::{self, SystemdArgs};

args! {
    pub struct ServiceArgs {
        /// The service.
        name: Option<String>;
        /// `started` and `stopped` act when needed, `restarted` and `reloaded` always.
        state: Option<String> = choices(&["reloaded", "restarted", "started", "stopped"]);
        /// Start at boot.
        enabled: Option<bool>;
        /// Seconds between stop and start of a restart; only for init scripts.
        sleep: Option<i64>;
        /// Text in the list of processes that stands for a running service; only for init scripts.
        pattern: Option<String>;
        /// Runlevel of OpenRC; not used by systemd and init scripts.
        runlevel: String = default("default");
        /// Arguments for an init script.
        arguments: String = default(""), aliases(&["args"]);
        /// Which manager; found out if `auto`.
        r#use: String = default("auto");
        /// See `systemd`.
        daemon_reload: bool = default("no"), aliases(&["daemon-reload"]);
    }
}

pub struct Service;

impl Module for Service {
    type Args = ServiceArgs;
    const NAME: &'static str = "service";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Manage services.";

    fn effects(args: &ServiceArgs) -> Effects {
        let name = args.name.as_deref().unwrap_or_default().trim_end_matches(".service");
        Effects::writes([Resource::Service(name.to_owned())])
    }

    fn plan(args: ServiceArgs, host: &Host) -> Result<Plan> {
        let short = args.r#use.rsplit('.').next().unwrap_or_default();
        match short {
            "systemd" | "systemd_service" => {}
            "sysvinit" | "service" => return sysv::plan(args, host),
            "auto" if is_systemd(host) => {}
            "auto" => return sysv::plan(args, host),
            other => {
                return Err(fail!(
                    "the service manager '{other}' is not supported; systemd and sysvinit are"
                ));
            }
        }
        for (name, given) in [("state", args.state.is_some()), ("enabled", args.enabled.is_some())] {
            if given && args.name.is_none() {
                return Err(fail!("missing parameter(s) required by '{name}': name"));
            }
        }
        systemd::plan(for_systemd(args), host)
    }
}

/// Does systemd run the machine, or would it if it were running (in a chroot)?
fn is_systemd(host: &Host) -> bool {
    if ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"].iter().any(|p| host.path(p).exists()) {
        return true;
    }
    let init = std::fs::read_link(host.path("/sbin/init"));
    init.is_ok_and(|target| target.file_name().is_some_and(|name| name == "systemd"))
        && std::fs::read_to_string(host.path("/proc/1/comm")).is_ok_and(|comm| comm.trim() == "systemd")
}

fn for_systemd(args: ServiceArgs) -> SystemdArgs {
    SystemdArgs {
        name: args.name,
        state: args.state,
        enabled: args.enabled,
        force: None,
        masked: None,
        daemon_reload: args.daemon_reload,
        daemon_reexec: false,
        scope: "system".into(),
        no_block: false,
    }
}
