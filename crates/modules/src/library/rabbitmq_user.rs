//! `rabbitmq_user`: users of RabbitMQ, their tags and what they may do.
//!
//! Unlike Ansible's, this module knows check mode: it tells what the run would do.

mod permissions;

use crate::system::rabbitmq::{Api, Broker};
use crate::{Applied, Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, args, result};

use permissions::{Kind, Rules};

args! {
    pub struct RabbitmqUserArgs {
        /// Name of the user.
        user: String = required(), aliases(&["username", "name"]);
        /// Its password; that of a user who is there changes only with `update_password: always`.
        password: Option<String> = no_log();
        /// Tags, with commas between: `management`, `policymaker`, `monitoring`, `administrator`.
        tags: Option<String>;
        /// All permissions of the user: dicts of `vhost`, `configure_priv`, `write_priv`, `read_priv`.
        permissions: Vec<Map>;
        /// Virtual host of the three that follow, when `permissions` is not given.
        vhost: String = default("/");
        /// Node of the cluster.
        node: String = default("rabbit");
        /// What the user may configure, a regular expression.
        configure_priv: String = default("^$");
        /// What it may write.
        write_priv: String = default("^$");
        /// What it may read.
        read_priv: String = default("^$");
        /// All topic permissions: dicts of `vhost`, `exchange`, `write_priv`, `read_priv`.
        topic_permissions: Vec<Map>;
        /// Remove the user and make it anew.
        force: bool = default("no");
        /// Whether it should be there.
        state: String = choices(&["present", "absent"]), default("present");
        /// When the password is set.
        update_password: String = choices(&["on_create", "always"]), default("on_create");
    }
    with { api: Api }
}

pub struct RabbitmqUser;

/// A command of `rabbitmqctl`, and what it reads.
struct Command {
    words: Vec<String>,
    input: Option<String>,
}

impl Command {
    fn new(words: &[&str]) -> Self {
        Self { words: words.iter().map(|w| (*w).to_owned()).collect(), input: None }
    }
}

impl Module for RabbitmqUser {
    type Args = RabbitmqUserArgs;
    const NAME: &'static str = "rabbitmq_user";
    const COLLECTION: &'static str = "community.rabbitmq";
    const DOC: &'static str = "Create, change and remove users of RabbitMQ.";

    fn effects(args: &RabbitmqUserArgs) -> Effects {
        let mut effects = Effects::writes([Resource::Named("rabbitmq_user", args.user.clone())])
            .and_reads(Resource::Service("rabbitmq-server".into()));
        let hosts = args.permissions.iter().chain(&args.topic_permissions);
        let hosts = hosts.filter_map(|p| p.get("vhost")?.as_str()).chain([args.vhost.as_str()]);
        for host in hosts {
            effects = effects.and_reads(Resource::Named("rabbitmq_vhost", host.to_owned()));
        }
        effects
    }

    fn plan(args: RabbitmqUserArgs, host: &Host) -> Result<Plan> {
        args.api.refuse()?;
        let permissions = Rules::permissions(&args)?;
        let topics = Rules::topics(&args)?;
        let broker = Broker { node: args.node.clone() };
        let users = broker.rows(host, &["list_users"], &["user", "tags"]).map_err(said)?;
        let now = users.iter().find(|row| row.first() == Some(&args.user));
        let result = result! {"user": args.user, "state": args.state};
        let name = args.user.as_str();
        let mut commands = Vec::new();
        let fresh = match (args.state.as_str(), now) {
            ("absent", None) => return Ok(Plan::unchanged(result)),
            ("absent", Some(_)) => {
                commands.push(Command::new(&["delete_user", name]));
                return Ok(carry_out(broker, commands, result));
            }
            (_, None) => true,
            (_, Some(_)) => args.force,
        };
        if fresh {
            if now.is_some() {
                commands.push(Command::new(&["delete_user", name]));
            }
            commands.extend(create(&args));
        } else if let Some(password) = args.password.as_ref().filter(|_| args.update_password == "always")
            && !password_fits(&broker, name, password, host)?
        {
            commands
                .push(Command { input: Some(password.clone()), ..Command::new(&["change_password", name]) });
        }
        let has = now.filter(|_| !fresh).and_then(|row| row.get(1)).map(String::as_str).unwrap_or_default();
        commands.extend(tags(&args, has));
        for (kind, rules) in [(Kind::Permissions, permissions), (Kind::Topics, topics)] {
            let current = if fresh { Vec::new() } else { kind.current(&broker, name, host).map_err(said)? };
            commands.extend(rules.commands(&kind, name, &current).iter().map(|words| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                Command::new(&words)
            }));
        }
        if commands.is_empty() {
            return Ok(Plan::unchanged(result));
        }
        Ok(carry_out(broker, commands, result))
    }
}

/// An error of `rabbitmqctl` in this module's words.
fn said(error: ModuleError) -> ModuleError {
    let Some(rc) = error.result.get("rc").cloned() else { return error };
    let stderr = error.result.get("stderr").and_then(|s| s.as_str()).unwrap_or(&error.msg).to_owned();
    let stdout = error.result.get("stdout").cloned().unwrap_or_default();
    ModuleError::new(format!("rabbitmqctl exited with non-zero code: {stderr}"))
        .with("rc", rc)
        .with("stdout", stdout)
}

fn carry_out(broker: Broker, commands: Vec<Command>, result: Map) -> Plan {
    Plan::change(result, move |host| {
        for command in &commands {
            let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
            broker.run(host, &words, command.input.as_deref()).map_err(said)?;
        }
        Applied::done()
    })
}

/// A user without a password cannot log in with one: it is made with some and loses it at once.
fn create(args: &RabbitmqUserArgs) -> Vec<Command> {
    let add = Command::new(&["add_user", &args.user]);
    match args.password.as_ref().filter(|p| !p.is_empty()) {
        Some(password) => vec![Command { input: Some(password.clone()), ..add }],
        None => {
            let passing =
                protocol::Hash::of(format!("{:?}", std::time::SystemTime::now()).as_bytes()).to_string();
            vec![Command { input: Some(passing), ..add }, Command::new(&["clear_password", &args.user])]
        }
    }
}

fn password_fits(broker: &Broker, name: &str, password: &str, host: &Host) -> Result<bool> {
    let (output, _) = broker.try_run(host, &["authenticate_user", name], Some(password))?;
    Ok(output.success())
}

/// `has` is as `list_users` prints it: `[administrator, monitoring]`.
fn tags(args: &RabbitmqUserArgs, has: &str) -> Option<Command> {
    let split = |text: &str| -> std::collections::BTreeSet<String> {
        text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
    };
    let wanted = split(args.tags.as_deref().unwrap_or_default());
    if split(has.trim_matches(['[', ']'])) == wanted {
        return None;
    }
    let words = ["set_user_tags", args.user.as_str()].into_iter().chain(wanted.iter().map(String::as_str));
    Some(Command::new(&words.collect::<Vec<_>>()))
}
