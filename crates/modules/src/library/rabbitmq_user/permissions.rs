//! Permissions and topic permissions: what a user should have, and the commands that lead there.

use std::collections::BTreeMap;

use crate::system::rabbitmq::Broker;
use crate::{Host, Map, Result, Value, fail};

use super::RabbitmqUserArgs;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Permissions,
    Topics,
}

/// Where a rule is, and its regular expressions.
type Rule = (Vec<String>, Vec<String>);

/// What the user should have.
pub struct Rules {
    /// By virtual host, topics also by exchange.
    wanted: BTreeMap<Vec<String>, Vec<String>>,
    /// Take away what is not wanted.
    exact: bool,
}

impl Rules {
    pub fn permissions(args: &RabbitmqUserArgs) -> Result<Self> {
        if args.permissions.is_empty() {
            let rule = [&args.configure_priv, &args.write_priv, &args.read_priv].map(Clone::clone);
            let wanted = [(vec![args.vhost.clone()], rule.to_vec())].into();
            return Ok(Self { wanted, exact: false });
        }
        let places: Vec<Option<&Value>> = args.permissions.iter().map(|p| p.get("vhost")).collect();
        if (1..places.len()).any(|i| places[i].is_some() && places[..i].contains(&places[i])) {
            return Err(fail!(
                "Error parsing vhost permissions: You can't have two permission dicts for the same vhost"
            ));
        }
        let mut wanted = BTreeMap::new();
        for dict in &args.permissions {
            let place = vec![text(dict, "permissions", "vhost")?];
            let names = ["configure_priv", "write_priv", "read_priv"];
            let rule = names.iter().map(|n| text(dict, "permissions", n)).collect::<Result<_>>()?;
            known(dict, "permissions", &["vhost", "configure_priv", "write_priv", "read_priv"])?;
            wanted.insert(place, rule);
        }
        Ok(Self { wanted, exact: true })
    }

    pub fn topics(args: &RabbitmqUserArgs) -> Result<Self> {
        let mut wanted = BTreeMap::new();
        for dict in &args.topic_permissions {
            let or = |name: &str, default: &str| match dict.get(name) {
                None => Ok(default.to_owned()),
                Some(_) => text(dict, "topic_permissions", name),
            };
            let place = vec![or("vhost", "/")?, or("exchange", "amq.topic")?];
            let names = ["write_priv", "read_priv"];
            let rule = names.iter().map(|n| text(dict, "topic_permissions", n)).collect::<Result<_>>()?;
            known(dict, "topic_permissions", &["vhost", "exchange", "write_priv", "read_priv"])?;
            if wanted.insert(place, rule).is_some() {
                return Err(fail!(
                    "Error parsing vhost topic_permissions: You can't have two topic permission dicts for the same \
                     vhost and the same exchange"
                ));
            }
        }
        Ok(Self { wanted, exact: true })
    }

    /// Commands that make what is there what is wanted.
    pub fn commands(&self, kind: &Kind, user: &str, current: &[Rule]) -> Vec<Vec<String>> {
        let (set, clear) = match kind {
            Kind::Permissions => ("set_permissions", "clear_permissions"),
            Kind::Topics => ("set_topic_permissions", "clear_topic_permissions"),
        };
        let start = |command: &str, place: &[String]| {
            let mut words = vec![command.to_owned(), "-p".into(), place[0].clone(), user.to_owned()];
            words.extend(place.iter().skip(1).cloned());
            words
        };
        let mut commands = Vec::new();
        for (place, _) in current.iter().filter(|(place, _)| self.exact && !self.wanted.contains_key(place)) {
            commands.push(start(clear, place));
        }
        for (place, rule) in &self.wanted {
            if !current.iter().any(|(p, r)| p == place && r == rule) {
                let mut words = start(set, place);
                words.extend(rule.iter().cloned());
                commands.push(words);
            }
        }
        commands
    }
}

impl Kind {
    /// What the user has.
    pub fn current(self, broker: &Broker, user: &str, host: &Host) -> Result<Vec<Rule>> {
        let (command, places, header) = match self {
            Self::Permissions => ("list_user_permissions", 1, ["vhost", "configure", "write", "read"]),
            Self::Topics => ("list_user_topic_permissions", 2, ["vhost", "exchange", "write", "read"]),
        };
        let rows = broker.rows(host, &[command, user], &header)?;
        Ok(rows
            .into_iter()
            .filter(|row| row.len() > places)
            .map(|mut row| {
                let rule = row.split_off(places);
                (row, rule)
            })
            .collect())
    }
}

fn text(dict: &Map, argument: &str, name: &str) -> Result<String> {
    match dict.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) if other.is_number() => Ok(other.to_string()),
        Some(other) => Err(fail!("{name} in {argument} has to be a string: {other}")),
        None => Err(fail!("missing required arguments: {name} found in {argument}")),
    }
}

fn known(dict: &Map, argument: &str, names: &[&str]) -> Result<()> {
    match dict.keys().find(|k| !names.contains(&k.as_str())) {
        Some(key) => Err(fail!("argument '{argument}.{key}' is not supported: it is not known")),
        None => Ok(()),
    }
}
