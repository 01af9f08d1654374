//! `supervisor_program` with a supervisor of the test's own.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use modules::{Host, Map, Value, find, json};
use protocol::Outcome;

struct Supervisor {
    dir: tempfile::TempDir,
    daemon: Child,
}

impl Supervisor {
    /// `None` where supervisor is not installed or we are not root; CI has to have it.
    fn start() -> Option<Self> {
        let installed = Path::new("/usr/bin/supervisord").exists() && nix::unistd::geteuid().is_root();
        if !installed {
            assert!(
                std::env::var_os("CI").is_none(),
                "supervisor has to be installed (Debian: supervisor), and root run this"
            );
            eprintln!("NOT RUN: supervisor is not installed, or this is not root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display();
        fs::create_dir(dir.path().join("conf.d")).unwrap();
        let conf = format!(
            "[unix_http_server]\nfile={here}/sock\n[supervisord]\nlogfile={here}/log\npidfile={here}/pid\nchildlogdir={here}\n\
             nodaemon=true\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = \
             supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\nserverurl=unix://{here}/sock\n\
             [include]\nfiles={here}/conf.d/*.conf\n"
        );
        fs::write(dir.path().join("supervisord.conf"), conf).unwrap();
        let client = dir.path().join("supervisorctl");
        fs::write(
            &client,
            format!("#!/bin/sh\nexec /usr/bin/supervisorctl -c {here}/supervisord.conf \"$@\"\n"),
        )
        .unwrap();
        fs::set_permissions(&client, fs::Permissions::from_mode(0o755)).unwrap();
        let daemon = Command::new("/usr/bin/supervisord")
            .arg("-c")
            .arg(dir.path().join("supervisord.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let supervisor = Self { dir, daemon };
        let until = Instant::now() + Duration::from_secs(30);
        while !supervisor.path("sock").exists() {
            assert!(Instant::now() < until, "supervisord did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(supervisor)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, mode: &str, more: Value) -> Outcome {
        let mut args = json!({
            "name": "worker", "command": "/bin/sleep 1000", "startsecs": 0, "config_dir": self.path("conf.d"),
            "supervisorctl_path": self.path("supervisorctl"),
        });
        let all = args.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        all.retain(|_, value| !value.is_null());
        let host = Host::new(self.dir.path()).with_modes(mode == "check", true);
        match (find("supervisor_program").unwrap().plan)(all, &host) {
            Err(error) => error.into_outcome(),
            Ok(plan) if host.check() => plan.outcome(),
            Ok(plan) => plan.carry_out(&host),
        }
    }

    /// In check mode, then really, then again: a change, the same change, none. Gives the second.
    fn thrice(&self, args: Value) -> Map {
        let before = self.status();
        assert!(self.run("check", args.clone()).changed(), "{args}");
        assert_eq!(self.status(), before, "check mode changes nothing");
        let outcome = self.run("", args.clone());
        assert!(outcome.changed() && !outcome.failed(), "{args}: {:?}", outcome.result);
        let again = self.run("", args.clone());
        assert!(!again.changed() && !again.failed(), "{args}: {:?}", again.result);
        outcome.result
    }

    fn status(&self) -> String {
        let output = Command::new(self.path("supervisorctl")).arg("status").output().unwrap();
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        // Without the time that passes.
        words.lines().map(|l| l.split(", uptime").next().unwrap().to_owned() + "\n").collect()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // On SIGTERM it stops its programs, then itself.
        let pid = nix::unistd::Pid::from_raw(self.daemon.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.daemon.wait();
    }
}

#[test]
fn a_program_comes_changes_and_goes() {
    let Some(supervisor) = Supervisor::start() else { return };
    let result = supervisor.thrice(json!({}));
    assert_eq!(result["processes"], json!({"worker": "RUNNING"}));
    let file = supervisor.path("conf.d/worker.conf");
    assert_eq!(result["path"], file.to_str().unwrap());
    assert_eq!((result["name"].as_str(), result["state"].as_str()), (Some("worker"), Some("started")));
    let text = "# managed by provision\n[program:worker]\ncommand=/bin/sleep 1000\nautorestart=unexpected\n\
                autostart=true\nstartsecs=0\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    let meta = fs::metadata(&file).unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o7777), (0, 0o644));

    let outcome = supervisor.run("check", json!({"command": "/bin/sleep 2000"}));
    assert_eq!(outcome.diff[0].after, Some(text.replace("1000", "2000").into()));
    let before = supervisor.status();
    supervisor.thrice(json!({"command": "/bin/sleep 2000"}));
    assert_ne!(supervisor.status(), before, "another process");

    let result = supervisor.thrice(json!({"command": "/bin/sleep 2000", "state": "stopped"}));
    assert_eq!(result["processes"], json!({"worker": "STOPPED"}));
    assert!(!supervisor.run("", json!({"command": "/bin/sleep 2000", "state": "present"})).changed());
    supervisor.thrice(json!({"command": "/bin/sleep 2000"}));
    let before = supervisor.status();
    let outcome = supervisor.run("", json!({"command": "/bin/sleep 2000", "state": "restarted"}));
    assert!(outcome.changed() && !outcome.failed(), "{:?}", outcome.result);
    assert_ne!(supervisor.status(), before);

    let result = supervisor.thrice(json!({"command": "/bin/sleep 2000", "numprocs": 2}));
    assert_eq!(result["processes"], json!({"worker:worker_00": "RUNNING", "worker:worker_01": "RUNNING"}));
    let result = supervisor.thrice(json!({"state": "absent", "command": null}));
    assert_eq!(result["processes"], json!({}));
    assert!(!file.exists() && supervisor.status().is_empty());
}

#[test]
fn the_environment_and_comments_arrive_as_they_are() {
    let Some(supervisor) = Supervisor::start() else { return };
    let out = supervisor.path("out");
    let environment = json!({
        "PLAIN": "a", "BLANK": "a b", "COMMA": "a,b", "PERCENT": "100% %(here)s %%", "SEMICOLON": "a ;b", "HASH": "a #b",
        "QUOTES": "say \"hello\" now", "APOSTROPHE": "it's so", "BACKSLASH": "a\\b\\", "EMPTY": "", "UMLAUT": "äöü",
        "EQUALS": "a=b", "NUMBER": 7, "DOLLAR": "$HOME `x`",
    });
    let script = supervisor.path("show");
    fs::write(
        &script,
        format!(
            "#!/bin/sh\nenv -0 > {0}.new; echo \"$1\" > {0}.arg; mv {0}.new {0}; exec sleep 1000\n",
            out.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let command = format!("{} 'x ;y #z'", script.display());
    let result = supervisor.thrice(json!({"command": command, "environment": environment, "startsecs": 1}));
    assert_eq!(result["processes"], json!({"worker": "RUNNING"}));
    let got = fs::read_to_string(&out).unwrap();
    let got: std::collections::BTreeMap<&str, &str> =
        got.split('\0').filter_map(|l| l.split_once('=')).collect();
    for (key, value) in environment.as_object().unwrap() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(got.get(key.as_str()), Some(&value.as_str()), "{key}");
    }
    assert_eq!(fs::read_to_string(supervisor.path("out.arg")).unwrap(), "x ;y #z\n");
    for bad in ["a'b\"c", "'a", "a\"", "a\nb"] {
        let outcome = supervisor.run("", json!({"environment": {"A": bad}}));
        assert!(outcome.failed(), "{bad}");
    }
}

#[test]
fn what_does_not_start_says_why() {
    let Some(supervisor) = Supervisor::start() else { return };
    let command = "/bin/sh -c 'echo this is why; echo and that >&2; exit 3'";
    let args = json!({"command": command, "startsecs": 1, "startretries": 1});
    let outcome = supervisor.run("", args.clone());
    assert!(outcome.failed(), "{:?}", outcome.result);
    assert!(outcome.result["msg"].as_str().unwrap().contains("worker"), "{:?}", outcome.result);
    assert!(outcome.result["stdout"].as_str().unwrap().contains("this is why"), "{:?}", outcome.result);
    assert!(outcome.result["stderr"].as_str().unwrap().contains("and that"));
    // It is FATAL now, which is not running.
    assert!(supervisor.run("", args).failed());
    // Until then it is tried once more, after a second.
    std::thread::sleep(Duration::from_secs(4));
    assert!(
        !supervisor
            .run("", json!({"command": command, "startretries": 1, "startsecs": 1, "state": "stopped"}))
            .changed()
    );
}

#[test]
fn what_supervisor_refuses_is_put_back() {
    let Some(supervisor) = Supervisor::start() else { return };
    supervisor.thrice(json!({}));
    let file = supervisor.path("conf.d/worker.conf");
    let (text, status) = (fs::read_to_string(&file).unwrap(), supervisor.status());
    for bad in [
        json!({"stopsignal": "NONSENSE"}),
        json!({"user": "nobodyknows"}),
        json!({"directory": "%(nonsense)s"}),
    ] {
        let outcome = supervisor.run("", bad.clone());
        assert!(
            outcome.failed() && outcome.result["msg"].as_str().unwrap().contains("reread"),
            "{bad}: {:?}",
            outcome.result
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        assert_eq!(supervisor.status(), status);
    }
    for bad in
        [json!({"name": "a:b"}), json!({"name": "a b"}), json!({"command": null}), json!({"command": "a\nb"})]
    {
        assert!(supervisor.run("", bad.clone()).failed(), "{bad}");
    }
    assert_eq!(fs::read_dir(supervisor.path("conf.d")).unwrap().count(), 1);
}
