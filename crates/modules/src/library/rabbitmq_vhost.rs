//! `rabbitmq_vhost`: virtual hosts of RabbitMQ.

use crate::system::rabbitmq::{Api, ApiCertificates, Broker};
use crate::{Applied, Effects, Host, Module, Plan, Resource, Result, args, result};

args! {
    pub struct RabbitmqVhostArgs {
        /// Name of the virtual host.
        name: String = required(), aliases(&["vhost"]);
        /// Node of the cluster.
        node: String = default("rabbit");
        /// Whether its messages are traced.
        tracing: bool = default("no"), aliases(&["trace"]);
        /// Whether it should be there.
        state: String = choices(&["present", "absent"]), default("present");
    }
    with { api: Api, certificates: ApiCertificates }
}

pub struct RabbitmqVhost;

impl Module for RabbitmqVhost {
    type Args = RabbitmqVhostArgs;
    const NAME: &'static str = "rabbitmq_vhost";
    const COLLECTION: &'static str = "community.rabbitmq";
    const DOC: &'static str = "Create and remove virtual hosts of RabbitMQ.";

    fn effects(args: &RabbitmqVhostArgs) -> Effects {
        Effects::writes([Resource::Named("rabbitmq_vhost", args.name.clone())])
            .and_reads(Resource::Service("rabbitmq-server".into()))
    }

    fn plan(args: RabbitmqVhostArgs, host: &Host) -> Result<Plan> {
        args.api.refuse()?;
        args.certificates.refuse()?;
        let broker = Broker { node: args.node };
        let rows = broker.rows(host, &["list_vhosts", "name", "tracing"], &["name", "tracing"])?;
        let now = rows.iter().find(|row| row.first() == Some(&args.name));
        let traced = now.and_then(|row| row.get(1)).is_some_and(|t| t == "true");
        let mut commands: Vec<[&str; 3]> = Vec::new();
        let tracing = if args.tracing { "trace_on" } else { "trace_off" };
        match (args.state.as_str(), now) {
            ("absent", None) => {}
            ("absent", Some(_)) => commands.push(["delete_vhost", "", ""]),
            (_, None) => {
                commands.push(["add_vhost", "", ""]);
                if args.tracing {
                    commands.push([tracing, "-p", ""]);
                }
            }
            (_, Some(_)) if traced != args.tracing => commands.push([tracing, "-p", ""]),
            _ => {}
        }
        let result = result! {"name": args.name, "state": args.state};
        if commands.is_empty() {
            return Ok(Plan::unchanged(result));
        }
        Ok(Plan::change(result, move |host| {
            for command in commands {
                let words: Vec<&str> = command.into_iter().filter(|w| !w.is_empty()).collect();
                broker.run(host, &[&words[..], &[args.name.as_str()]].concat(), None)?;
            }
            Applied::done()
        }))
    }
}
