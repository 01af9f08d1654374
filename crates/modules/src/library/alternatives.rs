//! `alternatives`: which program a generic name stands for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::args::{Expanded, Raw};
use crate::system::program::{self, process, refuse};
use crate::{Applied, Diff, Effects, Host, Map, Module, Plan, Resource, Result, args, fail, json, result};

args! {
    pub struct AlternativesArgs {
        /// The generic name.
        name: String = required();
        /// The program.
        path: Option<Expanded>;
        /// A family of alternatives, which only Red Hat has.
        family: Option<String>;
        /// The link that stands for it.
        link: Option<Expanded>;
        /// Its priority; 50 for a new one.
        priority: Option<i64>;
        /// Installed, installed and selected, chosen by priority, or removed.
        state: String = choices(&["present", "selected", "auto", "absent"]), default("selected");
        /// Links that go along with it: dictionaries with name, path and link.
        subcommands: Option<Vec<Raw>> = aliases(&["slaves"]);
    }
}

pub struct Alternatives;

impl Module for Alternatives {
    type Args = AlternativesArgs;
    const NAME: &'static str = "alternatives";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Choose among programs that do the same, with update-alternatives.";

    fn effects(args: &AlternativesArgs) -> Effects {
        Effects::writes([Resource::Named("alternative", args.name.clone())])
            .and_writes(Resource::Path("/etc/alternatives".into()))
    }

    fn plan(args: AlternativesArgs, host: &Host) -> Result<Plan> {
        if args.family.is_some() {
            return Err(refuse("family", "update-alternatives has none"));
        }
        let Some(path) = args.path.as_ref().map(|path| path.0.clone()) else {
            return Err(fail!("missing required arguments: path"));
        };
        let group = Group::read(&args.name, host)?;
        let known = group.choices.get(&path);
        let mut commands: Vec<Vec<String>> = Vec::new();
        let mut said = Vec::new();
        let mut after = Map::new();
        if args.state == "absent" {
            if known.is_some() {
                commands.push(words(&["--remove", &args.name, &path]));
                said.push(format!("Remove alternative '{path}' from '{}'.", args.name));
                after.insert("state".into(), "absent".into());
            }
        } else {
            let subcommands = args.subcommands.as_deref().map(Subcommand::list).transpose()?;
            let installs = known.is_none_or(|known| {
                args.priority.is_some_and(|priority| priority != known.priority)
                    || subcommands.as_ref().is_some_and(|wanted| *wanted != known.subcommands)
            });
            if installs {
                commands.push(install(&args, &path, &group, subcommands, host)?);
                said.push(format!("Install alternative '{path}' for '{}'.", args.name));
                after.insert("state".into(), "present".into());
            }
            if args.state == "selected" && group.value.as_deref() != Some(&path) {
                commands.push(words(&["--set", &args.name, &path]));
                said.push(format!("Set alternative '{path}' for '{}'.", args.name));
                after.insert("state".into(), "selected".into());
            }
            if args.state == "auto" && !group.auto {
                commands.push(words(&["--auto", &args.name]));
                said.push(format!("Set alternative to auto for '{}'.", args.name));
                after.insert("state".into(), "auto".into());
            }
        }
        let mut plan = Plan::unchanged(result! {"msg": said.join(" ")});
        if host.diff() {
            let before = known.map_or_else(Map::new, |known| {
                result! {"link": group.link, "path": path, "priority": known.priority, "state": "present"}
            });
            let (before, after) = (json!(before), json!(after));
            plan.diff.push(Diff { before: Some(before), after: Some(after), ..Diff::default() });
        }
        if !commands.is_empty() {
            plan.apply = Some(Box::new(move |host: &Host| {
                for command in commands {
                    process(host, "update-alternatives")?.args(command).check(host)?;
                }
                Applied::done()
            }));
        }
        Ok(plan)
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn install(
    args: &AlternativesArgs,
    path: &str,
    group: &Group,
    subcommands: Option<Vec<Subcommand>>,
    host: &Host,
) -> Result<Vec<String>> {
    if !host.path(path).exists() {
        return Err(fail!("Specified path {path} does not exist"));
    }
    let link = args.link.as_ref().map(|link| link.0.as_str()).or(group.link.as_deref());
    let Some(link) = link else {
        return Err(fail!(
            "Needed to install the alternative, but unable to do so as we are missing the link"
        ));
    };
    let known = group.choices.get(path);
    let priority = args.priority.or(known.map(|known| known.priority)).unwrap_or(50).to_string();
    let mut line = words(&["--install", link, &args.name, path, &priority]);
    let subcommands = subcommands.or_else(|| known.map(|known| known.subcommands.clone()));
    for one in subcommands.into_iter().flatten() {
        line.extend(["--slave".to_owned(), one.link, one.name, one.path]);
    }
    Ok(line)
}

/// A link that goes along.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Subcommand {
    name: String,
    path: String,
    link: String,
}

impl Subcommand {
    fn list(entries: &[Raw]) -> Result<Vec<Self>> {
        let mut list = entries.iter().map(|entry| {
            let Value::Object(map) = &entry.0 else {
                return Err(fail!("a subcommand has to be a dictionary"));
            };
            let word = |name: &str| {
                let text = map.get(name).and_then(Value::as_str);
                text.map(str::to_owned)
                    .ok_or_else(|| fail!("missing required arguments: {name} found in subcommands"))
            };
            Ok(Self { name: word("name")?, path: word("path")?, link: word("link")? })
        });
        let mut list: Vec<Self> = list.by_ref().collect::<Result<_>>()?;
        list.sort();
        Ok(list)
    }
}

/// One of the programs.
#[derive(Debug, Default)]
struct Choice {
    priority: i64,
    subcommands: Vec<Subcommand>,
}

/// What there is for a name.
#[derive(Debug, Default)]
struct Group {
    link: Option<String>,
    /// The program that is selected.
    value: Option<String>,
    auto: bool,
    choices: BTreeMap<String, Choice>,
}

impl Group {
    fn read(name: &str, host: &Host) -> Result<Self> {
        let said = program::run(host, &process(host, "update-alternatives")?.args(["--query", name]))?;
        Ok(if said.success() { Self::parse(&said.out()) } else { Self::default() })
    }

    /// The output of `update-alternatives --query`.
    fn parse(text: &str) -> Self {
        let mut group = Self::default();
        let mut links: BTreeMap<&str, &str> = BTreeMap::new();
        let mut current: Option<String> = None;
        for line in text.lines() {
            if let Some((name, path)) = line.strip_prefix(' ').and_then(|line| line.trim().split_once(' ')) {
                match current.as_ref().and_then(|current| group.choices.get_mut(current)) {
                    // The programs of the links, by the names that were told before.
                    Some(choice) => choice.subcommands.push(Subcommand {
                        name: name.to_owned(),
                        path: path.to_owned(),
                        link: links.get(name).copied().unwrap_or_default().to_owned(),
                    }),
                    None => drop(links.insert(name, path)),
                }
                continue;
            }
            let Some((key, value)) = line.split_once(": ") else { continue };
            match key {
                "Link" => group.link = Some(value.to_owned()),
                "Status" => group.auto = value == "auto",
                "Value" if value != "none" => group.value = Some(value.to_owned()),
                "Alternative" => {
                    group.choices.insert(value.to_owned(), Choice::default());
                    current = Some(value.to_owned());
                }
                "Priority" => {
                    if let Some(choice) = current.as_ref().and_then(|current| group.choices.get_mut(current))
                    {
                        choice.priority = value.trim().parse().unwrap_or_default();
                    }
                }
                _ => {}
            }
        }
        group.choices.values_mut().for_each(|choice| choice.subcommands.sort());
        group
    }
}
