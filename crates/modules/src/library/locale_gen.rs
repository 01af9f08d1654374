//! `locale_gen`: locales of the C library, as Debian makes them from /etc/locale.gen.

use crate::system::program::{self, process};
use crate::system::textfile::{self, Rights};
use crate::{Applied, Effects, Host, Module, Plan, Resource, Result, args, fail, result};

const TABLE: &str = "/etc/locale.gen";

args! {
    pub struct LocaleGenArgs {
        /// The locales, with their encoding: `de_DE.UTF-8`.
        name: Vec<String> = required();
        /// Whether they should be there.
        state: String = choices(&["absent", "present"]), default("present");
    }
}

pub struct LocaleGen;

impl Module for LocaleGen {
    type Args = LocaleGenArgs;
    const NAME: &'static str = "locale_gen";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Make or remove locales.";

    fn effects(_: &LocaleGenArgs) -> Effects {
        Effects::writes([Resource::Path(TABLE.into()), Resource::Named("locale", String::new())])
    }

    fn plan(args: LocaleGenArgs, host: &Host) -> Result<Plan> {
        let Some(table) = textfile::read(host, TABLE)? else {
            return Err(fail!("{TABLE} is missing. Is the package \"locales\" installed?"));
        };
        let result = result! {"name": args.name, "mechanism": "glibc", "ubuntu_mode": false};
        let with = |msg: String| {
            let mut error = fail!("{msg}");
            error.result.extend(result.clone());
            error
        };
        let unknown: Vec<&str> = args
            .name
            .iter()
            .map(String::as_str)
            .filter(|name| {
                !table.lines().any(|line| locale_of(line).is_some_and(|(_, found)| found == *name))
            })
            .collect();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            return Err(with(format!(
                "The following locales you have entered are not available on your system: {unknown}"
            )));
        }
        let said = program::run(host, &process(host, "locale")?.arg("-a"))?.out();
        let made: Vec<String> = said.lines().map(normal).collect();
        let present = args.state == "present";
        if args.name.iter().all(|name| made.contains(&normal(name)) == present) {
            return Ok(Plan::unchanged(result));
        }
        let after = edited(&table, &args.name, present);
        let mut plan = Plan::change(result, {
            let after = after.clone();
            move |host| {
                textfile::write(host, TABLE, after.as_bytes(), Rights::default())?;
                process(host, "locale-gen")?.check(host)?;
                Applied::done()
            }
        });
        if host.diff() {
            plan.diff.push(textfile::diff(&table, &after, TABLE, TABLE));
        }
        Ok(plan)
    }
}

/// The locale of a line, and whether it counts: it does not when it is commented out.
fn locale_of(line: &str) -> Option<(bool, &str)> {
    let text = line.trim();
    let bare = text.strip_prefix('#');
    let mut words = bare.unwrap_or(text).split_whitespace();
    let (name, _charset) = (words.next()?, words.next()?);
    // A sentence in a comment has more than a name and an encoding.
    words.next().is_none().then_some((bare.is_none(), name))
}

/// The table with these locales counting, or not.
fn edited(table: &str, names: &[String], present: bool) -> String {
    let mut text = String::new();
    for line in table.lines() {
        match locale_of(line) {
            Some((counts, name)) if counts != present && names.iter().any(|wanted| wanted == name) => {
                let bare = line.trim().trim_start_matches('#').trim_start();
                text.push_str(if present { "" } else { "# " });
                text.push_str(bare);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// `de_DE.UTF-8` as `locale -a` has it: `de_DE.utf8`.
fn normal(name: &str) -> String {
    let (name, modifier) = name.split_once('@').map_or((name, None), |(name, rest)| (name, Some(rest)));
    let mut text = match name.split_once('.') {
        Some((language, encoding)) => format!("{language}.{}", encoding.to_lowercase().replace('-', "")),
        None => name.to_owned(),
    };
    if let Some(modifier) = modifier {
        text = format!("{text}@{modifier}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{edited, normal};

    #[test]
    fn lines_of_the_table_are_switched() {
        let table = "# This file lists locales\n# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n";
        let names = ["de_DE.UTF-8".to_owned()];
        let with = edited(table, &names, true);
        assert_eq!(with, "# This file lists locales\nde_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n");
        assert_eq!(edited(&with, &names, false), table);
        assert_eq!(normal("de_DE.UTF-8@euro"), "de_DE.utf8@euro");
    }
}
