//! Playbooks, compared with what ansible-core said about them (`tests/record/playbook.py`).

mod playbook_support;

use std::collections::BTreeMap;

use lang::error::ErrorKind;
use lang::listing::{Listing, TagSelection, check, list};
use playbook_support::{Case, cases, loader};

/// Cases that are answered differently on purpose, with the exit code: ansible-core accepts while loading what cannot
/// work, or runs into a limit of Python's, or points at another place.
const DIFFERENT: &[(&str, i32, &str)] = &[
    // Values and names that would fail every task they reach are refused before anything connects.
    (
        "play become word",
        4,
        "Error processing keyword 'become': The value 'perhaps' could not be converted to 'bool'.",
    ),
    (
        "play become list",
        4,
        "Error processing keyword 'become': The value of type 'list' could not be converted to 'bool'.",
    ),
    (
        "play port word",
        4,
        "Error processing keyword 'port': The value 'ssh' could not be converted to 'int'.",
    ),
    ("task include_tasks apply unknown", 4, "'foo' is not a valid attribute for a Block"),
    ("task action unknown", 4, "couldn't resolve module/action 'frobnicate'."),
    // Python's recursion limit, and its tracebacks.
    ("import_playbook itself", 4, "import_playbook: '$DIR/site.yml' imports itself"),
    ("task import_tasks cycle", 4, "import_tasks: '$DIR/a.yml' imports itself"),
    ("task import_tasks cycle 2", 4, "import_tasks: '$DIR/a.yml' imports itself"),
    ("role meta dep number", 4, "Invalid role definition."),
    // The place is where the cycle closes, not where it begins.
    ("role meta cycle", 1, "A recursion loop was detected with the roles specified."),
    ("role import each other", 1, "A recursion loop was detected with the roles specified."),
    // The type is that of the task, not of the list around it.
    (
        "task list",
        4,
        "A malformed block was encountered while loading a block: it should be a dict but was a <class 'list'>",
    ),
    (
        "task number",
        4,
        "A malformed block was encountered while loading a block: it should be a dict but was a <class 'int'>",
    ),
    (
        "task string",
        4,
        "A malformed block was encountered while loading a block: it should be a dict but was a <class 'str'>",
    ),
    // A guess that does not fit.
    ("task yaml tag unknown", 4, "YAML parsing failed: Could not determine a constructor for the tag '!foo'"),
];

/// The first line of a message, without what only Python has.
fn normal(line: &str) -> String {
    let mut line = line.to_owned();
    for name in ["Dict", "List", "Str", "Int", "Float"] {
        let tagged = format!("ansible.module_utils._internal._datatag._AnsibleTagged{name}");
        line = line.replace(&tagged, &name.to_lowercase());
    }
    // Ansible repeats the value, however long it is.
    if let (Some(start), Some(end)) = (line.find(": The ds ("), line.find(") should be a ")) {
        line.replace_range(start..=end, ": it");
    }
    for what in ["tasks: ", "handlers: ", "encountered: "] {
        if let (Some(start), Some(end)) = (line.find(what), line.find(" should be a ")) {
            line.replace_range(start + what.len()..end, "it");
        }
    }
    line.split(": maximum recursion depth").next().unwrap_or_default().to_owned()
}

struct Wanted {
    code: i32,
    message: String,
    origin: Option<String>,
}

fn wanted(case: &Case) -> Option<Wanted> {
    let at = case.stderr.find("[ERROR]: ")?;
    let mut lines = case.stderr[at + 9..].lines();
    let message = normal(lines.next()?);
    let origin =
        lines.find_map(|l| l.strip_prefix("Origin: ")).filter(|o| o.contains(':')).map(str::to_owned);
    Some(Wanted { code: case.code, message, origin })
}

#[test]
fn wrong_playbooks_are_refused_as_ansible_does() {
    let mut wrong = BTreeMap::new();
    for (name, case) in cases("playbook_syntax.json") {
        let dir = case.write();
        let loader = loader(dir.path(), Default::default());
        let found = loader.playbook(&dir.path().join("site.yml"));
        let show = |text: String| text.replace(&dir.path().display().to_string(), "$DIR");
        let wanted = match DIFFERENT.iter().find(|(n, ..)| *n == name) {
            Some((_, code, message)) => {
                Some(Wanted { code: *code, message: (*message).to_owned(), origin: None })
            }
            None => wanted(&case),
        };
        let problem = match (found, wanted) {
            (Ok(_), None) => continue,
            (Ok(_), Some(wanted)) => format!("accepted, but: {}", wanted.message),
            (Err(errors), None) => format!("refused: {}", show(errors[0].to_string())),
            (Err(errors), Some(wanted)) => {
                let error = &errors[0];
                let message = normal(show(error.to_string()).lines().next().unwrap_or_default());
                let origin = error.pos().map(|p| show(p.to_string()));
                let code = if error.kind() == ErrorKind::Syntax { 4 } else { 1 };
                let mut problems = Vec::new();
                if !message.starts_with(&wanted.message) && !wanted.message.starts_with(&message) {
                    problems.push(format!("says    {message}\n    wanted  {}", wanted.message));
                }
                if wanted.origin.is_some() && origin != wanted.origin {
                    problems.push(format!("at {origin:?}, wanted {:?}", wanted.origin));
                }
                if code != wanted.code {
                    problems.push(format!("code {code}, wanted {}", wanted.code));
                }
                if problems.is_empty() {
                    continue;
                }
                problems.join("\n    ")
            }
        };
        wrong.insert(name, problem);
    }
    let report: Vec<String> = wrong.iter().map(|(name, problem)| format!("{name}\n    {problem}")).collect();
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), report.join("\n"));
}

/// Lines whose order Python leaves to chance, sorted: hosts, and the tags of plays.
fn ordered(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut hosts: Vec<String> = Vec::new();
    for line in text.lines() {
        let is_host = line.starts_with("      h") && line.trim().len() == 2;
        if is_host {
            hosts.push(line.to_owned());
            continue;
        }
        hosts.sort();
        lines.append(&mut hosts);
        match line.split_once("\tTAGS: [") {
            Some((name, tags)) if line.starts_with("  play #") => {
                let mut tags: Vec<&str> = tags.trim_end_matches(']').split(',').collect();
                tags.sort_unstable();
                lines.push(format!("{name}\tTAGS: [{}]", tags.join(",")));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    hosts.sort();
    lines.append(&mut hosts);
    lines.join("\n")
}

#[test]
fn listings_are_those_of_ansible() {
    let mut wrong = Vec::new();
    for (name, case) in cases("playbook_lists.json") {
        let dir = case.write();
        let (mut tasks, mut tags, mut hosts, mut limit) = (false, false, false, None);
        let (mut only, mut skip, mut extra, mut files) = (Vec::new(), Vec::new(), String::new(), Vec::new());
        let mut options = case.options.iter();
        while let Some(option) = options.next() {
            let mut value = || options.next().cloned().unwrap_or_default();
            match option.as_str() {
                "-i" => drop(value()),
                "--list-tasks" => tasks = true,
                "--list-tags" => tags = true,
                "--list-hosts" => hosts = true,
                "-t" => only.push(value()),
                "--skip-tags" => skip.push(value()),
                "-l" => limit = Some(value()),
                "-e" => extra = value(),
                "--syntax-check" => {}
                file => files.push(file.to_owned()),
            }
        }
        let loader = loader(dir.path(), playbook_support::extra_vars(&extra));
        let selection = TagSelection::new(&only, &skip);
        let matching = |patterns: &[String]| Ok(playbook_support::matching(patterns, limit.as_deref()));
        let what =
            Listing { tasks, tags, hosts: if hosts { Some(&matching) } else { None }, selection: &selection };
        let mut out = String::new();
        for file in &files {
            match loader.playbook(&dir.path().join(file)) {
                Ok(playbook) => {
                    if check(&playbook, &loader).is_err()
                        || list(&playbook, file, &what, &loader, &mut out).is_err()
                    {
                        break;
                    }
                }
                Err(errors) => {
                    if case.code == 0 {
                        out = format!("refused: {}", errors[0]);
                    }
                    break;
                }
            }
        }
        if ordered(&out) != ordered(&case.stdout) {
            wrong.push(format!("{name}\n--- is\n{out}--- wanted\n{}", case.stdout));
        }
    }
    assert!(wrong.is_empty(), "{} listings differ:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
}

/// What imports others twice, forty times over.
#[test]
fn playbooks_that_grow_without_an_end_are_refused() {
    type File = fn(usize) -> (String, String);
    let kinds: [(&str, File); 3] = [
        ("- hosts: all\n  tasks: [{import_tasks: t0.yml}]\n", |i| {
            let next = format!("- import_tasks: t{}.yml\n", i + 1);
            (format!("t{i}.yml"), next.repeat(2))
        }),
        ("- import_playbook: p0.yml\n", |i| {
            let next = format!("- import_playbook: p{}.yml\n", i + 1);
            (format!("p{i}.yml"), next.repeat(2))
        }),
        ("- hosts: all\n  roles: [r0]\n", |i| {
            let j = i + 1;
            let needs = format!(
                "allow_duplicates: true\ndependencies: [{{role: r{j}, x: 1}}, {{role: r{j}, x: 2}}]\n"
            );
            (format!("roles/r{i}/meta/main.yml"), needs)
        }),
    ];
    for (site, file) in kinds {
        let dir = tempfile::tempdir().unwrap();
        let mut files: Vec<(String, String)> = (0..40).map(file).collect();
        files.push(("site.yml".into(), site.into()));
        let (last, _) = file(40);
        files.push((last, String::new()));
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let loader = playbook_support::loader(dir.path(), lang::Map::new());
        let errors = loader.playbook(&dir.path().join("site.yml")).unwrap_err();
        let found = errors.iter().any(|e| e.message().contains("more than 200000 tasks and roles"));
        assert!(found, "{site}: {}", errors[0]);
    }
}
