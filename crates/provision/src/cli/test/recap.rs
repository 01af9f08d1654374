//! The numbers that a run of playbooks ends with.

/// The recap: how many tasks had which outcome, for every host.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recap {
    pub hosts: Vec<HostRecap>,
    /// Tasks that changed something, as they are headed.
    pub tasks: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct HostRecap {
    pub name: String,
    pub changed: u64,
}

impl Recap {
    /// Find it in what was printed.
    pub fn read(output: &str) -> Self {
        let mut recap = Self::default();
        let mut task = String::new();
        let mut at_end = false;
        for line in output.lines() {
            let line = plain(line);
            if let Some(name) = heading(&line) {
                task = name;
            } else if line.starts_with("PLAY RECAP ") {
                at_end = true;
            } else if at_end {
                recap.hosts.extend(host(&line));
            } else if line.starts_with("changed: [") && recap.tasks.last() != Some(&task) {
                recap.tasks.push(task.clone());
            }
        }
        recap
    }

    /// What to say about hosts with changes: how many each, and by which tasks. Empty if nothing changed.
    pub fn changed(&self) -> Vec<String> {
        let hosts = self.hosts.iter().filter(|h| h.changed > 0);
        let mut words: Vec<String> = hosts.map(|h| format!("{} changed={}", h.name, h.changed)).collect();
        if !words.is_empty() {
            words.extend(self.tasks.iter().map(|task| format!("by [{task}]")));
        }
        words
    }
}

/// `TASK [name] ***` and `RUNNING HANDLER [name] ***`.
fn heading(line: &str) -> Option<String> {
    let rest = line.strip_prefix("TASK [").or_else(|| line.strip_prefix("RUNNING HANDLER ["))?;
    let end = rest.rfind(']')?;
    Some(rest[..end].to_owned())
}

/// `web1   : ok=3    changed=1    unreachable=0    failed=0 ...`.
fn host(line: &str) -> Option<HostRecap> {
    let (name, counts) = line.rsplit_once(" : ")?;
    let changed = counts.split_whitespace().find_map(|word| word.strip_prefix("changed="))?;
    Some(HostRecap { name: name.trim().to_owned(), changed: changed.parse().ok()? })
}

/// The line without its colours.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("\x1b[") {
        text.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        rest = tail.find(|c: char| c.is_ascii_alphabetic()).map_or("", |end| &tail[end + 1..]);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed by ansible-playbook 2.19.14.
    const PRINTED: &str = "\
PLAY [all] *********************************************************************

TASK [Nothing is done] *********************************************************
ok: [a1]
ok: [b1]

TASK [nginx : Sites [all] are enabled] *****************************************
changed: [a1] => (item=1)
changed: [b1] => (item=1)
changed: [a1] => (item=2)

RUNNING HANDLER [Told] *********************************************************
changed: [a1]

PLAY RECAP *********************************************************************
a1                         : ok=3    changed=2    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0   
b1                         : ok=2    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0   
c1                         : ok=2    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0   

";

    #[test]
    fn hosts_and_tasks_with_changes_are_named() {
        let expected = ["a1 changed=2", "b1 changed=1", "by [nginx : Sites [all] are enabled]", "by [Told]"];
        assert_eq!(Recap::read(PRINTED).changed(), expected);
    }

    #[test]
    fn colours_do_not_matter() {
        let coloured = "PLAY RECAP ***\n\x1b[0;33ma1\x1b[0m                : \x1b[0;32mok=3   \x1b[0m \x1b[0;33mchanged=2   \x1b[0m unreachable=0\n";
        let recap = Recap::read(coloured);
        assert_eq!(recap.hosts, [HostRecap { name: "a1".into(), changed: 2 }]);
    }

    #[test]
    fn no_change_is_nothing_to_say_and_no_recap_is_no_host() {
        let converged = "PLAY RECAP ***\na1 : ok=3 changed=0 unreachable=0 failed=0\n";
        assert!(Recap::read(converged).changed().is_empty());
        assert_eq!(Recap::read(converged).hosts.len(), 1);
        assert!(Recap::read("changed: [a1]\n").hosts.is_empty());
    }
}
