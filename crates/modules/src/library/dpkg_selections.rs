//! `dpkg_selections`: what dpkg is to do with a package.

use crate::system::program::{self, process};
use crate::{Applied, Effects, Host, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct DpkgSelectionsArgs {
        /// The package.
        name: String = required();
        /// Its selection.
        selection: String = choices(&["install", "hold", "deinstall", "purge"]), required();
    }
}

pub struct DpkgSelections;

impl Module for DpkgSelections {
    type Args = DpkgSelectionsArgs;
    const NAME: &'static str = "dpkg_selections";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Hold packages, or select them otherwise.";

    fn effects(args: &DpkgSelectionsArgs) -> Effects {
        Effects::writes([Resource::Package(args.name.clone())])
    }

    fn plan(args: DpkgSelectionsArgs, host: &Host) -> Result<Plan> {
        let DpkgSelectionsArgs { name, selection } = args;
        let said = program::run(host, &process(host, "dpkg")?.args(["--get-selections", "--", &name]))?;
        let said = said.out();
        let Some(before) = said.split_whitespace().nth(1) else {
            return Err(fail!("Failed to find package '{name}' to perform selection '{selection}'."));
        };
        let result = result! {"before": before, "after": selection};
        if before == selection {
            return Ok(Plan::unchanged(result));
        }
        Ok(Plan::change(result, move |host| {
            let line = format!("{name} {selection}\n");
            process(host, "dpkg")?.arg("--set-selections").stdin(line).check(host)?;
            Applied::done()
        }))
    }
}
