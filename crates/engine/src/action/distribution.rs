//! Modules that Ansible's distribution has and that are not built in. A playbook may name them under a condition that
//! does not hold for its hosts (`dnf` beside `apt`); only a task that runs one is an error.

/// `COLLECTION:` on a line of its own, then the names of its modules.
const MODULES: &str = include_str!("distribution.txt");

/// The full name of a module of the distribution: `ansible.builtin.dnf` for `dnf`. `None` if it has no such module.
pub fn full_name(name: &str) -> Option<String> {
    let (collection, short) = match name.rsplit_once('.') {
        Some(("ansible.legacy", short)) => (Some("ansible.builtin"), short),
        Some((collection, short)) => (Some(collection), short),
        None => (None, name),
    };
    let mut current = "";
    for word in MODULES.split_whitespace() {
        match word.strip_suffix(':') {
            Some(header) => current = header,
            None if word == short && collection.is_none_or(|c| c == current) => {
                return Some(format!("{current}.{short}"));
            }
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::full_name;

    #[test]
    fn short_and_full_names() {
        assert_eq!(full_name("dnf").as_deref(), Some("ansible.builtin.dnf"));
        assert_eq!(full_name("ansible.legacy.yum").as_deref(), Some("ansible.builtin.yum"));
        assert_eq!(full_name("community.general.npm").as_deref(), Some("community.general.npm"));
        assert_eq!(full_name("npm").as_deref(), Some("community.general.npm"));
        assert_eq!(full_name("ansible.builtin.npm"), None);
        assert_eq!(full_name("frobnicate"), None);
        assert_eq!(full_name("ansible.builtin:"), None);
    }
}
