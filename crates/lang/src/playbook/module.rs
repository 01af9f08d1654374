use std::path::PathBuf;
use std::sync::Arc;

use crate::Error;

/// The module that a task runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleRef {
    /// `ansible.builtin.copy`, `community.general.ufw`; our own and those in `library/` have a bare name.
    pub full: Arc<str>,
    pub kind: ModuleKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// Built in.
    Native,
    /// Known to Ansible's distribution, but not built in: an error when a task runs it.
    Absent,
    /// A file in `library/` that the host's interpreter runs.
    Foreign(PathBuf),
    /// The name is a template (`action: "{{ x }}"`): to be resolved for each host.
    Templated,
}

impl ModuleRef {
    pub fn native(full: impl Into<Arc<str>>) -> Self {
        Self { full: full.into(), kind: ModuleKind::Native }
    }

    /// The error of running a module that is not there.
    pub fn absent(&self) -> Error {
        Error::new(format!("the module '{}' is not built into provision", self.full)).with_help(
            "a task that has a condition (`when`) may name it: it is an error only when it runs. Modules in `library/` \
             beside the playbook run with the host's interpreter.",
        )
    }

    /// The last part of the name: `copy`.
    pub fn short(&self) -> &str {
        match self.kind {
            ModuleKind::Templated => &self.full,
            _ => self.full.rsplit('.').next().unwrap_or(&self.full),
        }
    }

    /// Is it this module of `ansible.builtin`?
    pub fn is_builtin(&self, short: &str) -> bool {
        self.full.strip_prefix("ansible.builtin.") == Some(short)
    }
}
