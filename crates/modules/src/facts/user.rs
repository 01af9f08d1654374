//! Who this process is, and its environment.

use nix::unistd::{getegid, geteuid, getgid, getuid};
use protocol::Map;

use super::Facts;

pub fn collect(facts: &mut Facts<'_>) {
    let uid = getuid().as_raw();
    let passwd = facts.read("/etc/passwd").unwrap_or_default();
    let id = uid.to_string();
    let mut entry = passwd.lines().find(|l| l.split(':').nth(2) == Some(&id)).map(str::to_owned);
    if entry.is_none() && facts.host.is_real() {
        // LDAP and the like.
        let output = crate::Process::new("getent").args(["passwd", &id]).run(facts.host);
        entry = output.ok().filter(crate::ProcessOutput::success).map(|o| o.out().trim().to_owned());
    }
    if let Some(entry) = entry {
        let fields: Vec<&str> = entry.split(':').collect();
        if let [name, _, uid, gid, gecos, home, shell] = fields[..] {
            facts.add("user_id", name);
            facts.add("user_uid", uid.parse::<u32>().unwrap_or_default());
            facts.add("user_gid", gid.parse::<u32>().unwrap_or_default());
            facts.add("user_gecos", gecos);
            facts.add("user_dir", home);
            facts.add("user_shell", shell);
        }
    }
    facts.add("real_user_id", uid);
    facts.add("effective_user_id", geteuid().as_raw());
    facts.add("real_group_id", getgid().as_raw());
    facts.add("effective_group_id", getegid().as_raw());
}

pub fn collect_env(facts: &mut Facts<'_>) {
    let mut env = Map::new();
    for (name, value) in std::env::vars_os() {
        env.insert(name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned().into());
    }
    for (name, value) in facts.host.environment() {
        env.insert(name.clone(), value.as_str().into());
    }
    facts.add("env", env);
}
