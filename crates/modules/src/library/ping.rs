//! `ping`: is the host there, and can it run modules?

use crate::{Effects, Host, Module, Plan, Result, args, fail, result};

args! {
    pub struct PingArgs {
        /// What to answer; `crash` makes the module fail.
        data: String = default("pong");
    }
}

pub struct Ping;

impl Module for Ping {
    type Args = PingArgs;
    const NAME: &'static str = "ping";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Connect to a host, run a module there and answer `pong`.";

    fn effects(_: &PingArgs) -> Effects {
        Effects::none()
    }

    fn plan(args: PingArgs, _: &Host) -> Result<Plan> {
        if args.data == "crash" {
            return Err(fail!("Task failed: Module failed: boom"));
        }
        Ok(Plan::unchanged(result! {"ping": args.data}))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Host, find, result};

    #[test]
    fn it_answers_what_it_was_told_and_refuses_what_it_does_not_know() {
        let ping = find("ansible.builtin.ping").unwrap();
        let host = Host::new("/tmp");
        let outcome = (ping.plan)(&result! {"data": 3}, &host).unwrap().outcome();
        assert_eq!(outcome.result, result! {"ping": "3", "changed": false});
        let error = ping.check(&result! {"dta": 3}).unwrap_err();
        assert_eq!(error.argument.as_deref(), Some("dta"));
    }
}
