//! Groups of modules that `module_defaults` can name (`group/ansible.builtin.NAME`).
//!
//! Collections define such groups for cloud modules (`group/aws`, `group/docker` ...), none of which exist here;
//! a group that is not known applies to nothing.

/// Is the module a member of the group?
pub fn contains(_group: &str, _module: &str) -> bool {
    false
}
