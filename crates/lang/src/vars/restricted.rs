//! Facts that are no variables of their own: a module must not change how a host is connected to.

/// Connections whose settings are variables.
const CONNECTIONS: [&str; 7] = ["ssh", "local", "paramiko_ssh", "psrp", "winrm", "docker", "chroot"];

const NAMES: [&str; 21] = [
    "add_group",
    "add_host",
    "ansible_become",
    "ansible_connection",
    "ansible_connection_user",
    "ansible_facts",
    "ansible_host",
    "ansible_module_compression",
    "ansible_network_os",
    "ansible_password",
    "ansible_pipelining",
    "ansible_playbook_python",
    "ansible_port",
    "ansible_private_key_file",
    "ansible_rsync_path",
    "ansible_scp_extra_args",
    "ansible_sftp_extra_args",
    "ansible_shell_executable",
    "ansible_shell_type",
    "ansible_timeout",
    "ansible_user",
];

/// Is a fact of this name in `ansible_facts` only?
pub fn is_restricted_fact(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("ansible_") else { return NAMES.contains(&name) };
    if rest.starts_with("ssh_host_key_") {
        return false;
    }
    let of_connection = CONNECTIONS.iter().any(|c| rest.strip_prefix(c).is_some_and(|r| r.starts_with('_')));
    // Devices of containers are named like this.
    let is_bridge = rest.ends_with("_bridge") || rest.ends_with("_gwbridge");
    NAMES.contains(&name)
        || (of_connection && !is_bridge)
        || rest.starts_with("become_")
        || rest.ends_with("_interpreter")
}
