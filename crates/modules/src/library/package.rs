//! `package`: the host's own package manager, whichever it is.

use crate::system::dpkg;
use crate::{Effects, Host, Module, Plan, Result, args, fail};

use super::apt::{self, AptArgs};

args! {
    pub struct PackageArgs {
        /// The package manager to use; found out if `auto`.
        r#use: String = default("auto");
    }
    with { apt: AptArgs }
    checks { mutually_exclusive(&["deb", "package", "upgrade"]) }
}

pub struct Package;

/// Package managers that are known by name, with a program that tells them.
const OTHERS: &[(&str, &str)] = &[
    ("dnf5", "/usr/bin/dnf5"),
    ("dnf", "/usr/bin/dnf"),
    ("yum", "/usr/bin/yum"),
    ("zypper", "/usr/bin/zypper"),
    ("apk", "/sbin/apk"),
    ("pacman", "/usr/bin/pacman"),
];

impl Module for Package {
    type Args = PackageArgs;
    const NAME: &'static str = "package";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Manage packages with the package manager of the host.";

    fn effects(args: &PackageArgs) -> Effects {
        <apt::AptModule as Module>::effects(&args.apt)
    }

    fn transaction(args: &PackageArgs) -> Option<String> {
        let manager = args.r#use.rsplit('.').next().unwrap_or_default();
        if matches!(manager, "auto" | "apt") { apt::AptModule::transaction(&args.apt) } else { None }
    }

    fn plan(args: PackageArgs, host: &Host) -> Result<Plan> {
        let short = args.r#use.rsplit('.').next().unwrap_or_default().to_owned();
        let manager = match short.as_str() {
            "auto" if dpkg::is_here(host) => "apt".to_owned(),
            "auto" => {
                let found = OTHERS.iter().find(|(_, program)| host.path(program).exists());
                match found {
                    Some((name, _)) => (*name).to_owned(),
                    None => {
                        return Err(fail!(
                            "Could not detect a package manager. Try using the \"use\" option."
                        ));
                    }
                }
            }
            named => named.to_owned(),
        };
        if manager == "apt" {
            return apt::plan(args.apt, host);
        }
        Err(fail!("the package manager '{manager}' is not supported yet; apt is"))
    }
}
