//! `getent`: entries of the host's databases (passwd, group, hosts, services ...) as facts.

use crate::{Effects, Host, Map, Module, Plan, Process, Resource, Result, Value, args, fail, json};

args! {
    pub struct GetentArgs {
        /// The database.
        database: String = required();
        /// One entry of it; all without.
        key: String = default("");
        /// The service to ask instead of those that nsswitch.conf names.
        service: Option<String>;
        /// What separates fields; `:` for the databases that have it.
        split: Option<String>;
        /// Fail if the key is not there.
        fail_key: bool = default("yes");
    }
}

/// Databases whose fields are separated by colons.
const COLONS: &[&str] = &["passwd", "shadow", "group", "gshadow"];

pub struct Getent;

impl Module for Getent {
    type Args = GetentArgs;
    const NAME: &'static str = "getent";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Look entries up in the host's databases, as getent(1); they become facts.";

    fn effects(args: &GetentArgs) -> Effects {
        match args.database.as_str() {
            "passwd" | "shadow" => Effects::reads([Resource::User(args.key.clone())]),
            "group" | "gshadow" => Effects::reads([Resource::Group(args.key.clone())]),
            _ => Effects::none().outside(),
        }
    }

    fn plan(args: GetentArgs, host: &Host) -> Result<Plan> {
        let mut process = Process::new("getent");
        if let Some(service) = &args.service {
            process = process.args(["-s", service]);
        }
        process = process.arg(&args.database);
        if !args.key.is_empty() {
            process = process.arg(&args.key);
        }
        let output = process.run(host).map_err(|e| {
            fail!("Failed to find required executable \"getent\": {}", crate::files::strerror(&e))
        })?;
        let mut entries = Map::new();
        let mut result = Map::new();
        match output.rc {
            0 => {
                let colons = COLONS.contains(&args.database.as_str()).then_some(":");
                let split = args.split.as_deref().or(colons);
                output.out().lines().for_each(|line| add(&mut entries, line, split));
            }
            // The exit codes are those of getent(1).
            1 => return Err(fail!("Missing arguments, or database unknown.")),
            2 => {
                let msg = "One or more supplied key could not be found in the database.";
                if args.fail_key {
                    return Err(fail!("{msg}"));
                }
                entries.insert(args.key, Value::Null);
                result.insert("msg".into(), msg.into());
            }
            3 => return Err(fail!("Enumeration not supported on this database.")),
            _ => return Err(fail!("Unexpected failure!")),
        }
        result.insert("ansible_facts".into(), json!({format!("getent_{}", args.database): entries}));
        Ok(Plan::unchanged(result))
    }
}

/// A line's first field is its key; of keys that come several times the values are a list of lists.
fn add(entries: &mut Map, line: &str, split: Option<&str>) {
    let fields: Vec<&str> = match split {
        Some(split) if !split.is_empty() => line.split(split).collect(),
        _ => line.split_whitespace().collect(),
    };
    let Some((key, values)) = fields.split_first() else { return };
    let values = json!(values);
    match entries.get_mut(*key) {
        None => drop(entries.insert((*key).to_owned(), values)),
        Some(Value::Array(there)) if there.first().is_some_and(Value::is_array) => there.push(values),
        Some(there) => *there = json!([there.take(), values]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What ansible-core 2.19.14 made of `getent hosts`, with two lines for one address.
    #[test]
    fn keys_that_come_twice_have_lists() {
        let mut entries = Map::new();
        add(&mut entries, "127.0.0.1  localhost", Some(" "));
        add(&mut entries, "127.0.0.1  vm", Some(" "));
        add(&mut entries, "127.0.0.1  third", Some(" "));
        let expected = json!({"127.0.0.1": [["", "localhost"], ["", "vm"], ["", "third"]]});
        assert_eq!(Value::Object(entries), expected);
    }
}
