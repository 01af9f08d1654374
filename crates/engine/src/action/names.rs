//! Names of actions: which exist, and which arguments are not rendered before the action looks at them.

/// Actions of `ansible.builtin` that live in the controller alone.
const CONTROLLER: &[&str] = &[
    "add_host",
    "assert",
    "debug",
    "fail",
    "fetch",
    "gather_facts",
    "group_by",
    "import_playbook",
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
    "include_vars",
    "meta",
    "pause",
    "raw",
    "reboot",
    "set_fact",
    "set_stats",
    "template",
    "validate_argument_spec",
    "wait_for_connection",
];

/// The full name of an action called `name`: `ansible.builtin.copy` for `copy`. `None` if there is none.
pub fn canonical(name: &str) -> Option<String> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    if CONTROLLER.contains(&short) {
        return Some(format!("ansible.builtin.{short}"));
    }
    modules::find(name).map(modules::Entry::full_name)
}

/// Does the action run on the controller alone?
pub fn is_controller_action(name: &str) -> bool {
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    CONTROLLER.contains(&short) && !matches!(short, "raw" | "fetch" | "template" | "gather_facts" | "reboot")
}

/// All names of actions, for suggestions.
pub fn all() -> Vec<&'static str> {
    let mut names: Vec<&str> = CONTROLLER.iter().copied().chain(modules::names()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Does the key of `module_defaults` mean this module?
pub fn defaults_apply(key: &str, name: &str) -> bool {
    if let Some(group) = key.strip_prefix("group/") {
        return crate::groups::contains(group, name);
    }
    key == name || canonical(key).as_deref() == Some(name)
}

/// Arguments that the action itself evaluates.
pub fn is_lazy_arg(name: &str, arg: Option<&str>) -> bool {
    matches!(
        (name, arg),
        ("ansible.builtin.assert", Some("that"))
            | ("ansible.builtin.include_tasks" | "ansible.builtin.include_role", Some("apply"))
    )
}
