use std::sync::Arc;

use crate::playbook::Play;
use crate::role::Role;
use crate::{Map, Value};

/// What all tasks of a play share. Changing it (a public `include_role`) makes a new one.
#[derive(Clone, Debug)]
pub struct PlayVars {
    pub play: Arc<Play>,
    /// Defaults of all roles of the play, later ones over earlier ones.
    pub(super) role_defaults: Arc<Map>,
    /// `vars/` of the public roles of the play.
    pub(super) role_vars: Arc<Map>,
    /// Names of roles written in the play, for `ansible_play_role_names`; and of those they depend on.
    pub(super) roles: Vec<Arc<Role>>,
    /// Answers to `vars_prompt`.
    pub prompts: Arc<Map>,
}

/// Hosts of the play at this moment.
#[derive(Clone, Debug, Default)]
pub struct PlayHosts {
    /// `ansible_play_hosts_all`: every host the play was started for.
    pub all: Value,
    /// `ansible_play_hosts`: those that have not failed.
    pub active: Value,
    /// `ansible_play_batch`, `play_hosts`: those of the current batch that have not failed.
    pub batch: Value,
}

impl PlayVars {
    pub fn new(play: Arc<Play>, prompts: Map) -> Self {
        let mut vars = Self {
            role_defaults: Arc::default(),
            role_vars: Arc::default(),
            roles: Vec::new(),
            prompts: Arc::new(prompts),
            play: play.clone(),
        };
        for role in &play.roles {
            vars.add_role(role);
        }
        vars
    }

    /// Roles that the play names, in `roles` or by imports and includes.
    pub(super) fn play_roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.iter().filter(|role| !self.is_dependency(role))
    }

    /// Roles that other roles of the play depend on.
    pub(super) fn dependent_roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.iter().filter(|role| self.is_dependency(role))
    }

    fn is_dependency(&self, role: &Arc<Role>) -> bool {
        self.roles.iter().flat_map(|other| other.dependencies()).any(|needed| Arc::ptr_eq(needed, role))
    }

    /// A role that was included while the play runs.
    pub fn add_role(&mut self, role: &Arc<Role>) {
        if role.public {
            Arc::make_mut(&mut self.role_defaults).extend(pairs(&role.defaults));
            Arc::make_mut(&mut self.role_vars).extend(pairs(&role.vars));
        }
        self.roles.push(role.clone());
    }
}

fn pairs(map: &Map) -> impl Iterator<Item = (crate::Key, Value)> + '_ {
    map.iter().map(|(k, v)| (k.clone(), v.clone()))
}
