//! Playbooks whose assertions hold with ansible-core 2.19.14, run with this program. Each is a directory of `plays`.

mod said;

use std::path::Path;
use std::process::Command;

use said::said;

/// Run `play.yml` of a directory, in a copy of it.
fn holds(name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plays").join(name);
    let copied = Command::new("cp").arg("-a").arg(source.join(".")).arg(dir.path()).status().unwrap();
    assert!(copied.success());
    let bin = tempfile::tempdir().unwrap();
    for name in ["ansible", "ansible-config", "ansible-inventory"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_provision"), bin.path().join(name)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command
        .arg("play.yml")
        .current_dir(dir.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.path().display()))
        .env("HOME", dir.path());
    let said = said(&mut command, "");
    assert_eq!(said.code, Some(0), "{name}\n{}{}", said.out, said.err);
}

#[test]
fn lookups() {
    holds("lookups");
}

#[test]
fn a_failure_that_failed_when_takes_back_is_kept() {
    holds("failed_when");
}

#[test]
fn dictionaries_of_several_inventories_are_merged() {
    holds("hash_merge");
}

#[test]
fn what_inventory_scripts_get_wrong() {
    holds("inventory_script");
}

#[test]
fn modules_of_roles_are_there_for_everybody() {
    holds("role_modules");
}

#[test]
fn warnings_of_modules_are_text() {
    holds("module_messages");
}

#[test]
fn the_configuration_and_the_commands_beside_playbooks() {
    holds("commands");
}

#[test]
fn templates_and_their_files() {
    holds("templates");
}
