//! An ordinary playbook over ssh: with a key, through a jump host, and with sudo's password, against a real sshd.
//!
//! Needs root, OpenSSH's client and server, util-linux and sudo.

#[path = "../../transport/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::{PASSWORD, Scene, Server};

/// What people write every day. It makes files below `dest`, and says who it was.
const PLAYBOOK: &str = r#"
- name: Configure the application
  hosts: web
  vars:
    app: { name: shop, port: 8080 }
  tasks:
    - name: Directories
      file:
        path: "{{ dest }}/{{ item }}"
        state: directory
        mode: "0750"
      loop: [etc, bin]

    - name: Configuration
      template:
        src: app.conf.j2
        dest: "{{ dest }}/etc/app.conf"
        mode: "0640"
      notify: Restart the application

    - name: Start script
      copy:
        content: |
          #!/bin/sh
          echo "{{ app.name }}"
        dest: "{{ dest }}/bin/start"
        mode: "0755"

    - name: Limits
      lineinfile:
        path: "{{ dest }}/etc/limits"
        regexp: '^workers='
        line: workers=4
        create: true
        mode: "0644"
      notify: Restart the application

    - name: Who works here
      command: id -un
      register: who
      changed_when: false

    - name: Run it once
      shell: ./bin/start > etc/started
      args:
        chdir: "{{ dest }}"
        creates: "{{ dest }}/etc/started"

    - name: The right user and the right host
      assert:
        that:
          - who.stdout == expected_user
          - ansible_facts['system'] == 'Linux'

  handlers:
    - name: Restart the application
      shell: echo restarted >> "{{ dest }}/restarts"
"#;

const TEMPLATE: &str = "# {{ app.name }} on {{ inventory_hostname }}\nport={{ app.port }}\n";

/// A user's project: playbook, template and inventory.
struct Project {
    dir: PathBuf,
    dest: PathBuf,
}

impl Project {
    fn new(scene: &Scene, inventory: &str) -> Self {
        let dir = scene.path("project");
        let dest = scene.path("deployed");
        fs::create_dir(&dir).unwrap();
        fs::create_dir(&dest).unwrap();
        fs::write(dir.join("site.yml"), PLAYBOOK).unwrap();
        fs::write(dir.join("app.conf.j2"), TEMPLATE).unwrap();
        fs::write(dir.join("hosts"), inventory).unwrap();
        Self { dir, dest }
    }

    /// Run the playbook; what was printed, after checking the exit code.
    fn run(&self, user: &str, arguments: &[&str]) -> String {
        let (code, text) = self.try_run(user, arguments);
        assert_eq!(code, Some(0), "{text}");
        text
    }

    fn try_run(&self, user: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_provision"))
            .args(["-i", "hosts", "site.yml", "-e"])
            .arg(format!("dest={} expected_user={user}", self.dest.display()))
            .args(arguments)
            .current_dir(&self.dir)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.dir)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap()
        );
        assert!(!text.contains(PASSWORD), "a password was printed: {text}");
        (output.status.code(), text)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dest.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Run it twice, and look at what is there.
    fn converges(&self, user: &str, arguments: &[&str]) {
        // As ansible-playbook 2.19 counts: facts and seven tasks, of which five change something, and the handler.
        let first = self.run(user, arguments);
        assert_eq!(
            recap(&first),
            "ok=9 changed=6 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0",
            "{first}"
        );
        let look = || {
            assert_eq!(self.read("etc/app.conf"), "# shop on inner\nport=8080\n");
            assert_eq!(self.read("etc/limits"), "workers=4\n");
            assert_eq!(self.read("bin/start"), "#!/bin/sh\necho \"shop\"\n");
            assert_eq!(
                (self.read("etc/started"), self.read("restarts")),
                ("shop\n".into(), "restarted\n".into())
            );
            for (name, expected) in [("bin", 0o750), ("bin/start", 0o755), ("etc/app.conf", 0o640)] {
                assert_eq!(mode(&self.dest.join(name)), expected, "{name}");
            }
        };
        look();
        let again = self.run(user, arguments);
        assert_eq!(
            recap(&again),
            "ok=8 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0",
            "{again}"
        );
        look();
    }

    fn owner(&self) -> String {
        let id = std::os::unix::fs::MetadataExt::uid(&fs::metadata(self.dest.join("etc/app.conf")).unwrap());
        if id == 0 { "root".into() } else { "somebody else".into() }
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The numbers of the only host's line in the recap.
fn recap(text: &str) -> String {
    let line =
        text.lines().rev().find(|l| l.contains("unreachable=")).unwrap_or_else(|| panic!("no recap: {text}"));
    line.split_once(':').unwrap().1.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Users of the server, who may write to what the tests look at.
fn users(scene: &Scene, rule: &str) -> String {
    let home = scene.path("tester").display().to_string();
    format!(
        "useradd -M -d {home} -s /bin/sh tester; mkdir -p {home}; chown tester {home}
         printf '%s\\n' 'root:{PASSWORD}' 'tester:{PASSWORD}' | chpasswd
         echo '{rule}' > /etc/sudoers.d/tester; chmod 440 /etc/sudoers.d/tester"
    )
}

fn ssh_options(scene: &Scene) -> String {
    format!(
        "-F none -o IdentityAgent=none -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null",
        scene.path("known_hosts").display()
    )
}

/// An inventory with one host; `vars` are more variables of it.
fn inventory(scene: &Scene, server: &Server, vars: &str) -> String {
    format!(
        "[web]\ninner ansible_host=127.0.0.1 ansible_port={} {vars}\n[web:vars]\nansible_ssh_common_args={}\n",
        server.port,
        ssh_options(scene)
    )
}

#[test]
fn with_a_key() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    scene.know(&server, "ed25519");
    let vars = format!("ansible_user=root ansible_ssh_private_key_file={}", key.display());
    let project = Project::new(&scene, &inventory(&scene, &server, &vars));
    project.converges("root", &[]);
}

#[test]
fn with_a_key_of_the_command_line() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "rsa", "-b", "2048", "-N", ""]);
    scene.know(&server, "ed25519");
    let project = Project::new(&scene, &inventory(&scene, &server, ""));
    project.converges("root", &["-u", "root", "--private-key", &key.display().to_string()]);
}

/// The host is reachable by way of the jump host only: the name stands for nothing elsewhere.
#[test]
fn through_a_jump_host() {
    let mut scene = Scene::new();
    let (jump, server) = (scene.server(""), scene.server(""));
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    scene.know(&jump, "ed25519");
    scene.know(&server, "ed25519");
    let config = format!(
        "Host bastion\n  HostName 127.0.0.1\n  Port {}\nHost inner\n  HostName 127.0.0.1\n  Port {}\n  ProxyJump bastion\n\
         Host *\n  User root\n  IdentityFile {}\n  IdentityAgent none\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n",
        jump.port,
        server.port,
        key.display(),
        scene.path("known_hosts").display()
    );
    fs::write(scene.path("ssh_config"), config).unwrap();
    let file = scene.path("ssh_config").display().to_string();
    let project =
        Project::new(&scene, &format!("[web]\ninner\n[web:vars]\nansible_ssh_common_args=-F {file}\n"));
    project.converges("root", &[]);
    for log in [jump.log(), server.log()] {
        assert!(log.contains("Accepted publickey"), "{log}");
    }

    // As an option of the connection, in Ansible's way.
    let vars = format!("-F {file} -o ProxyJump=none -o ProxyCommand=\"ssh -F {file} -W %h:%p bastion\"");
    let hosts = format!("[web]\ninner\n[web:vars]\nansible_ssh_common_args='{vars}'\n");
    fs::write(project.dir.join("hosts"), hosts).unwrap();
    let text = project.run("root", &[]);
    assert!(recap(&text).starts_with("ok=8 changed=0 unreachable=0"), "{text}");
}

#[test]
fn with_become_and_its_password() {
    let mut scene = Scene::new();
    let setup = users(&scene, "tester ALL=(ALL) ALL");
    let server = scene.server_with("", &["ed25519"], &setup);
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    scene.know(&server, "ed25519");
    let vars = format!("ansible_user=tester ansible_ssh_private_key_file={}", key.display());
    let project = Project::new(&scene, &inventory(&scene, &server, &vars));
    for (name, text) in [("right", PASSWORD), ("wrong", "not the password")] {
        fs::write(scene.path(name), text).unwrap();
    }
    let (right, wrong) =
        (scene.path("right").display().to_string(), scene.path("wrong").display().to_string());
    for (arguments, expected) in [
        (&["--become"][..], "Missing sudo password"),
        (&["--become", "--become-password-file", &wrong], "Incorrect sudo password"),
    ] {
        let (code, text) = project.try_run("root", arguments);
        assert!(code == Some(2) && text.contains(expected), "{arguments:?}: {text}");
    }
    project.converges("root", &["--become", "--become-password-file", &right]);
    assert_eq!(project.owner(), "root");
}

#[test]
fn with_passwords_for_everything() {
    let mut scene = Scene::new();
    let setup = users(&scene, "tester ALL=(ALL) ALL");
    let lines = "UsePAM no\nPasswordAuthentication yes\nPubkeyAuthentication no";
    let server = scene.server_with(lines, &["ed25519"], &setup);
    scene.know(&server, "ed25519");
    let vars = "ansible_user=tester ansible_become=true ansible_become_method=su";
    let project = Project::new(&scene, &inventory(&scene, &server, vars));
    fs::write(scene.path("password"), PASSWORD).unwrap();
    let password = scene.path("password").display().to_string();
    project
        .converges("root", &["--connection-password-file", &password, "--become-password-file", &password]);
    assert_eq!(project.owner(), "root");
}

#[test]
fn an_unknown_host_is_unreachable() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let vars = format!("ansible_user=root ansible_ssh_private_key_file={}", key.display());
    let project = Project::new(&scene, &inventory(&scene, &server, &vars));
    let (code, text) = project.try_run("root", &[]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("UNREACHABLE!") && text.contains("Host key verification failed"), "{text}");
    assert_eq!(recap(&text), "ok=0 changed=0 unreachable=1 failed=0 skipped=0 rescued=0 ignored=0");
    // As with ansible-playbook, who does not want to check says so.
    fs::write(project.dir.join("ansible.cfg"), "[defaults]\nhost_key_checking = false\n").unwrap();
    project.converges("root", &[]);
}
