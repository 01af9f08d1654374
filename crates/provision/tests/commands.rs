//! The commands beside the playbook, called by the names of Ansible's programs.
//!
//! What is expected was recorded from ansible-core 2.19.14, in a directory with the same files.

mod said;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use said::{Said, said};

/// A directory with files, and programs by Ansible's names.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("bin")).unwrap();
        for name in
            ["ansible", "ansible-config", "ansible-doc", "ansible-inventory", "ansible-pull", "ansible-vault"]
        {
            symlink(env!("CARGO_BIN_EXE_provision"), dir.path().join("bin").join(name)).unwrap();
        }
        let place = Self { dir };
        place.write("inv.ini", "[web]\na x=1\nb y=\"{{ z }}\"\n[all:vars]\nz=5\n");
        place.write("pw", "pw\n");
        place.write("pw2", "pw2\n");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, line: &[&str]) -> Said {
        self.run_with(line, &[], "")
    }

    fn run_with(&self, line: &[&str], env: &[(&str, &str)], input: &str) -> Said {
        let mut command = Command::new(self.path("bin").join(line[0]));
        command
            .args(&line[1..])
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.dir.path())
            .env("LANG", "C.UTF-8")
            .env("ANSIBLE_LOCALHOST_WARNING", "False")
            .env("ANSIBLE_INVENTORY_UNPARSED_WARNING", "False")
            .envs(env.iter().copied());
        said(&mut command, input)
    }
}

impl Said {
    #[track_caller]
    fn is(&self, code: i32, out: &str, err: &str) {
        assert_eq!((self.code, self.out.as_str(), self.err.as_str()), (Some(code), out, err));
    }
}

#[test]
fn the_inventory_as_a_tree_and_as_json() {
    let place = Place::new();
    place.run(&["ansible-inventory", "-i", "inv.ini", "--graph"]).is(
        0,
        "@all:\n  |--@ungrouped:\n  |--@web:\n  |  |--a\n  |  |--b\n",
        "",
    );
    place.run(&["ansible-inventory", "-i", "inv.ini", "--graph", "--vars", "web"]).is(
        0,
        "@web:\n  |--a\n  |  |--{x = 1}\n  |  |--{z = 5}\n  |--b\n  |  |--{y = {{ z }}}\n  |  |--{z = 5}\n",
        "",
    );
    let host = "{\n    \"x\": 1,\n    \"z\": 5\n}\n";
    place.run(&["ansible-inventory", "-i", "inv.ini", "--host", "a"]).is(0, host, "");
    place.run(&["ansible-inventory", "-i", "inv.ini", "--host", "a", "-y", "--toml"]).is(
        0,
        "x: 1\nz: 5\n",
        "",
    );
    let export = "all:\n  children:\n    web:\n      hosts:\n        a:\n          x: 1\n        b:\n          y: '{{ z }}'\n  vars:\n    z: 5\n";
    place.run(&["ansible-inventory", "-i", "inv.ini", "--list", "-y", "--export"]).is(0, export, "");
    place
        .run(&["ansible-inventory", "-i", "inv.ini", "--list", "--output", "o.json", "--limit", "a"])
        .is(0, "", "");
    let written = r#"{
    "_meta": {
        "hostvars": {
            "a": {
                "x": 1,
                "z": 5
            }
        },
        "profile": "inventory_legacy"
    },
    "all": {
        "children": [
            "ungrouped",
            "web"
        ]
    },
    "web": {
        "hosts": [
            "a"
        ]
    }
}
"#;
    assert_eq!(place.read("o.json"), written);
}

#[test]
fn what_the_inventory_command_refuses() {
    let place = Place::new();
    place.run(&["ansible-inventory"]).is(
        5,
        "",
        "[ERROR]: No action selected, at least one of --host, --graph or --list needs to be specified.\n",
    );
    let conflict = "[ERROR]: Conflicting options used, only one of --host, --graph or --list can be used at the same time.\n";
    place.run(&["ansible-inventory", "--list", "--graph"]).is(5, "", conflict);
    place.run(&["ansible-inventory", "-i", "inv.ini", "--graph", "zz"]).is(
        5,
        "",
        "[ERROR]: Pattern must be valid group name when using --graph\n",
    );
    place.run(&["ansible-inventory", "-i", "inv.ini", "--host", "zz"]).is(
        5,
        "",
        "[WARNING]: Could not match supplied host pattern, ignoring: zz\n[ERROR]: You must pass a single valid host to --host parameter\n",
    );
}

#[test]
fn a_file_goes_into_the_vault_and_out_again() {
    let place = Place::new();
    place.write("plain", "hello\n");
    let vault = |line: &[&str]| place.run(&[&["ansible-vault"], line].concat());
    vault(&["encrypt", "--vault-password-file", "pw", "plain"]).is(0, "", "");
    assert!(place.read("plain").starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
    vault(&["encrypt", "--vault-password-file", "pw", "plain"]).is(
        1,
        "",
        "[ERROR]: input is already encrypted\n",
    );
    vault(&["view", "--vault-password-file", "pw", "plain"]).is(0, "hello\n", "");
    vault(&["view", "--vault-password-file", "pw2", "plain"]).is(
        1,
        "",
        "[ERROR]: Decryption failed (no vault secrets were found that could decrypt). for plain\n",
    );
    let rekey = ["rekey", "--vault-password-file", "pw", "--new-vault-id", "dev@pw2", "plain"];
    vault(&rekey).is(0, "Rekey successful\n", "");
    assert!(place.read("plain").starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
    vault(&["decrypt", "--vault-password-file", "pw2", "plain", "--output", "-"]).is(0, "hello\n", "");
    vault(&["decrypt", "--vault-password-file", "pw2", "plain", "plain", "--output", "o"]).is(
        5,
        "",
        "[ERROR]: At most one input file may be used with the --output option\n",
    );
    vault(&["decrypt", "--vault-password-file", "pw2", "plain"]).is(0, "", "");
    assert_eq!(place.read("plain"), "hello\n");
    vault(&["view", "--vault-password-file", "pw", "plain"]).is(
        1,
        "",
        "[ERROR]: Input is not vault encrypted data. for plain\n",
    );
}

#[test]
fn passwords_of_vaults_that_are_not_there() {
    let place = Place::new();
    place.write("plain", "hello\n").write("empty", "");
    let file = |name: &str| fs::canonicalize(place.dir.path()).unwrap().join(name).display().to_string();
    let missing = format!("The vault password file {} was not found", file("nofile"));
    place.run(&["ansible-vault", "encrypt", "--vault-password-file", "nofile", "plain"]).is(
        1,
        "",
        &format!("[WARNING]: Error getting vault password file (default): {missing}\n[ERROR]: {missing}\n"),
    );
    let empty = format!("Invalid vault password was provided from file ({})", file("empty"));
    place.run(&["ansible-vault", "encrypt", "--vault-password-file", "empty", "plain"]).is(
        1,
        "",
        &format!("[WARNING]: Error in vault password file loading (default): {empty}\n[ERROR]: {empty}\n"),
    );
    place.run(&["ansible-vault", "encrypt", "--vault-id", "a@pw", "--vault-id", "b@pw2", "plain"]).is(
        5,
        "",
        "[ERROR]: The vault-ids a,b are available to encrypt. Specify the vault-id to encrypt with --encrypt-vault-id\n",
    );
    place.run(&["ansible-vault", "encrypt", "--vault-id", "a@pw", "--encrypt-vault-id", "c", "plain"]).is(
        1,
        "",
        "[ERROR]: Did not find a match for --encrypt-vault-id=c in the known vault-ids ['a']\n",
    );
}

#[test]
fn an_encrypted_file_keeps_its_id_when_it_is_edited() {
    let place = Place::new();
    let edit = |line: &[&str], editor: &str| {
        place.run_with(&[&["ansible-vault"], line].concat(), &[("EDITOR", editor)], "")
    };
    let from = |name: &str| format!("cp {}", place.path(name).display());
    place.write("one", "one\n").write("two", "two\n");
    let create = ["create", "--vault-id", "dev@pw", "--skip-tty-check", "new"];
    edit(&create, &from("one")).is(0, "", "");
    edit(&create, &from("one")).is(1, "", "[ERROR]: new exists, please use 'edit' instead\n");
    edit(&["create", "--vault-id", "dev@pw", "other"], &from("one")).is(
        5,
        "",
        "[ERROR]: not a tty, editor cannot be opened\n",
    );
    edit(&["edit", "--vault-password-file", "pw", "new"], &from("two")).is(0, "", "");
    assert!(place.read("new").starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
    place.run(&["ansible-vault", "view", "--vault-password-file", "pw", "new"]).is(0, "two\n", "");
    let before = place.read("new");
    edit(&["edit", "--vault-password-file", "pw", "new"], "true").is(0, "", "");
    assert_eq!(place.read("new"), before);
}

#[test]
fn strings_for_files_of_variables() {
    let place = Place::new();
    let pw = ["ansible-vault", "encrypt_string", "--vault-password-file", "pw"];
    let said = place.run(&[&pw[..], &["--name", "foo", "hello"]].concat());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.starts_with("foo: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n"), "{}", said.out);
    place.run(&pw).is(5, "", "[ERROR]: stdin was empty, not encrypting\n");
    let line = [&pw[..], &["--stdin-name", "s", "--name", "foo", "hello", "world"]].concat();
    let said = place.run_with(&line, &[], "abc");
    let expected = "The number of --name options do not match the number of args.\nThe last named variable will be \"foo\". The rest will not have names.\n# The encrypted version of variable (\"s\", the string #1 from stdin).\n# The encrypted version of variable (\"foo\", the string #2 from the command line args).\n# The encrypted version of the string #3 from the command line args.)\n";
    assert_eq!(said.err, expected);
    let heads: Vec<&str> = said.out.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(heads, ["s: !vault |", "foo: !vault |", "!vault |"]);
}

#[test]
fn one_task_on_this_machine() {
    let place = Place::new();
    let ansible = |line: &[&str]| place.run(&[&["ansible", "localhost"], line].concat());
    let ping = "localhost | SUCCESS => {\n    \"changed\": false,\n    \"ping\": \"pong\"\n}\n";
    ansible(&["-m", "ping"]).is(0, ping, "");
    ansible(&["-a", "echo hi"]).is(0, "localhost | CHANGED | rc=0 >>\nhi\n", "");
    ansible(&["-m", "raw", "-a", "echo hi"]).is(0, "localhost | CHANGED | rc=0 >>\nhi\n\n", "");
    ansible(&["-m", "debug", "-a", "msg=yes"]).is(
        0,
        "localhost | SUCCESS => {\n    \"msg\": \"yes\"\n}\n",
        "",
    );
    ansible(&["-m", "command", "-a", "true", "-C"]).is(0, "localhost | SKIPPED\n", "");
    ansible(&["-m", "command", "-a", "creates=/etc/passwd true"]).is(
        0,
        "localhost | SUCCESS | rc=0 >>\nskipped, since /etc/passwd existsDid not run command since '/etc/passwd' exists\n",
        "",
    );
    let failed = ansible(&["-m", "shell", "-a", "echo hi; echo err >&2; exit 3"]);
    failed.is(
        2,
        "localhost | FAILED | rc=3 >>\nhierrnon-zero return code\n",
        "[ERROR]: Task failed: Module failed: non-zero return code\nOrigin: <adhoc 'shell' task>\n\n{'action': 'shell', 'args': {'_raw_params': 'echo hi; echo err >&2; exit 3'}, 'timeout': 0, 'async_val': 0, 'poll': 15}\n\n",
    );
    ansible(&[]).is(5, "", "[ERROR]: No argument passed to command module\n");
    let tree = place.path("tree");
    ansible(&["-m", "ping", "-t", tree.to_str().unwrap()]).is(0, ping, "");
    assert_eq!(place.read("tree/localhost"), "{\"changed\": false, \"ping\": \"pong\"}");
}

#[test]
fn a_line_for_each_host() {
    let place = Place::new();
    let ansible = |line: &[&str]| place.run(&[&["ansible", "localhost", "-o"], line].concat());
    let out = |said: Said| (said.code, said.out);
    let ping = "localhost | SUCCESS => {\"changed\": false,\"ping\": \"pong\"}\n";
    assert_eq!(out(ansible(&["-m", "ping"])), (Some(0), ping.to_owned()));
    let text = "localhost | CHANGED | rc=0 | (stdout) hi (stderr) err\n";
    assert_eq!(out(ansible(&["-m", "shell", "-a", "echo hi; echo err >&2"])), (Some(0), text.to_owned()));
    let failed = "localhost | FAILED! => {\"changed\": false,\"msg\": \"no\"}\n";
    assert_eq!(out(ansible(&["-m", "fail", "-a", "msg=no"])), (Some(2), failed.to_owned()));
}

#[test]
fn the_hosts_of_a_pattern() {
    let place = Place::new();
    place.run(&["ansible", "-i", "a,b,", "all", "--list-hosts"]).is(0, "  hosts (2):\n    a\n    b\n", "");
    place.run(&["ansible", "-i", "a,b,", ",,", "--list-hosts"]).is(0, "  hosts (2):\n    a\n    b\n", "");
    let nobody = "[WARNING]: Could not match supplied host pattern, ignoring: zz\n[WARNING]: No hosts matched, nothing to do\n";
    place.run(&["ansible", "-i", "a,b,", "zz", "--list-hosts"]).is(0, "  hosts (0):\n", nobody);
    place.run(&["ansible", "-i", "a,b,", "zz", "-m", "ping"]).is(0, "", nobody);
    place.run(&["ansible", "-i", "a,b,", "all", "--limit", "zz", "-m", "ping"]).is(
        1,
        "",
        "[WARNING]: Could not match supplied host pattern, ignoring: zz\n[ERROR]: Specified inventory, host pattern and/or --limit leaves us with no hosts to target.\n",
    );
}

/// The directory as the program sees it.
fn real(place: &Place) -> String {
    fs::canonicalize(place.dir.path()).unwrap().display().to_string()
}

#[test]
fn what_the_configuration_says() {
    let place = Place::new();
    place.run(&["ansible-config", "view"]).is(1, "", "[ERROR]: Invalid or no config file was supplied\n");
    place.write(
        "ansible.cfg",
        "[defaults]\nroles_path=r1:r2\n#c\nhost_key_checking=no\n[ssh_connection]\nssh_args=-o X\n",
    );
    let (dir, env) = (real(&place), [("ANSIBLE_FORKS", "7")]);
    let here: &Path = Path::new(&dir);
    let config = |line: &[&str]| {
        // Without the settings that this test's other programs are run with.
        let line = [&["ansible-config"], line].concat();
        place.run_with(&line, &env, "")
    };
    config(&["view"]).is(0, &place.read("ansible.cfg"), "");
    let file = here.join("ansible.cfg").display().to_string();
    let dumped = config(&["dump", "--only-changed"]);
    let expected = format!(
        "CONFIG_FILE() = {file}\nDEFAULT_FORKS(env: ANSIBLE_FORKS) = 7\nDEFAULT_ROLES_PATH({file}) = ['{dir}/r1', '{dir}/r2']\nHOST_KEY_CHECKING({file}) = False\nINVENTORY_UNPARSED_WARNING(env: ANSIBLE_INVENTORY_UNPARSED_WARNING) = False\nLOCALHOST_WARNING(env: ANSIBLE_LOCALHOST_WARNING) = False\n\nGALAXY_SERVERS:\n"
    );
    dumped.is(0, &expected, "");
    config(&["validate"]).is(
        1,
        "",
        &format!("[ERROR]: Found unknown section 'ssh_connection' in '{file}.\n"),
    );
    place.write("ansible.cfg", "[defaults]\nforkz=3\n");
    config(&["validate"]).is(
        1,
        "",
        &format!("[ERROR]: Found unknown key 'forkz' in section 'defaults' in '{file}.\n"),
    );
    place.write("ansible.cfg", "[defaults]\nforks=3\n");
    config(&["validate"]).is(0, "All configurations seem valid!\n", "");
}

#[test]
fn documentation_of_what_is_not_there() {
    let place = Place::new();
    place.run(&["ansible-doc", "nope"]).is(0, "", "[WARNING]: nope was not found\n");
    place.run(&["ansible-doc"]).is(
        5,
        "",
        "[ERROR]: Missing name(s), incorrect options passed for detailed documentation.\n",
    );
}

/// The keys of the JSON are Ansible's; `ansible-doc -j ping` names the same options with the same defaults.
#[test]
fn documentation_as_json() {
    let place = Place::new();
    let said = place.run(&["ansible-doc", "-j", "ping"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let doc = &json["ping"]["doc"];
    assert_eq!(doc["plugin_name"], "ansible.builtin.ping");
    assert_eq!(doc["collection"], "ansible.builtin");
    assert_eq!(doc["options"]["data"]["default"], "pong");
    assert_eq!(doc["options"]["data"]["type"], "str");
}

#[test]
fn a_repository_is_pulled_and_run_only_if_it_changed() {
    let place = Place::new();
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-C"])
            .arg(place.path("repo"))
            .args(args)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    fs::create_dir(place.path("repo")).unwrap();
    git(&["init", "--quiet"]);
    let playbook = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug: {msg: MAGICKEYWORD}\n";
    place.write("repo/local.yml", playbook);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    let url = place.path("repo").display().to_string();
    let pull = |more: &[&str]| place.run(&[&["ansible-pull", "-d", "pull", "-U", &url], more].concat());
    let first = pull(&["--only-if-changed"]);
    assert_eq!(first.code, Some(0), "{}{}", first.out, first.err);
    assert!(first.out.contains("MAGICKEYWORD"), "{}", first.out);
    let second = pull(&["--only-if-changed"]);
    assert_eq!(second.code, Some(0));
    assert!(!second.out.contains("MAGICKEYWORD"), "{}", second.out);
    place.write("repo/more", "x");
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "two"]);
    assert!(pull(&["--only-if-changed"]).out.contains("MAGICKEYWORD"));
    place.run(&["ansible-pull"]).is(5, "", "[ERROR]: URL for repository not specified, use -h for help\n");
}
