//! `--list-hosts`, `--list-tasks`, `--list-tags` and `--syntax-check`.

use lang::inventory::Inventory;
use lang::listing::{Listing, TagSelection, check, list};
use lang::patterns::limit_patterns;
use lang::playbook::{Loader, Playbook};

use super::Failure;
use super::options::PlaybookOptions;

/// Print what was asked for.
pub fn print(
    options: &PlaybookOptions,
    playbooks: &[Playbook],
    loader: &Loader,
    inventory: &Inventory,
    warn: &dyn Fn(String),
) -> Result<(), Failure> {
    let selection = TagSelection::new(&options.run.tags, &options.run.skip_tags);
    let limit = super::playbook::limit(&options.inventory.limit);
    let hosts = |patterns: &[String]| -> lang::Result<Vec<String>> {
        let mut matched = inventory.list_hosts_in(patterns)?;
        if let Some(limit) = &limit {
            matched = inventory.limit(matched, &limit_patterns(limit)?)?;
        }
        matched.warnings.iter().for_each(|w| warn(w.to_string()));
        Ok(matched.hosts)
    };
    let listing = Listing {
        tasks: options.list_tasks,
        tags: options.list_tags,
        hosts: options.list_hosts.then_some(&hosts),
        selection: &selection,
    };
    playbooks.iter().try_for_each(|playbook| check(playbook, loader))?;
    for playbook in playbooks {
        let name = playbook.path.to_string_lossy();
        let mut text = String::new();
        let listed = list(playbook, &name, &listing, loader, &mut text);
        print!("{text}");
        listed?;
    }
    Ok(())
}
