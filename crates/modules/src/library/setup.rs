//! `setup`: facts about the host.

use protocol::FactsRequest;

use crate::args::Expanded;
use crate::{Effects, Host, Module, Plan, Result, args, facts, fail, result};

args! {
    pub struct SetupArgs {
        /// Which facts to gather: names of subsets or facts, with `!` for what is not wanted. The minimum is always
        /// gathered unless `!min`.
        gather_subset: Vec<String> = default("all");
        /// Seconds after which slow sources are given up.
        gather_timeout: i64 = default("10");
        /// Only facts whose name matches one of these patterns.
        filter: Vec<String>;
        /// Directory of local facts (`*.fact`): JSON or INI, or programs that print them.
        fact_path: Expanded = default("/etc/ansible/facts.d");
    }
}

pub struct Setup;

impl Module for Setup {
    type Args = SetupArgs;
    const NAME: &'static str = "setup";
    const COLLECTION: &'static str = "ansible.builtin";
    const ALIASES: &'static [&'static str] = &["gather_facts"];
    const DOC: &'static str = "Gather facts about the host.";

    fn effects(_: &SetupArgs) -> Effects {
        Effects {
            unknown: false,
            looks_outside: false,
            reads: vec![crate::Resource::Path("/".into())],
            writes: vec![],
        }
    }

    fn plan(args: SetupArgs, host: &Host) -> Result<Plan> {
        let timeout =
            u64::try_from(args.gather_timeout).map_err(|_| fail!("gather_timeout must not be negative"))?;
        let request = FactsRequest {
            subset: args.gather_subset,
            filter: args.filter,
            fact_path: Some(args.fact_path.0),
            timeout: Some(timeout),
        };
        let facts = facts::try_gather(&request, host)?;
        Ok(Plan::unchanged(result! {"ansible_facts": facts}))
    }
}
