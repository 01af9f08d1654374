//! `nginx_site` with the nginx of this machine judging its own configuration.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use modules::{Host, Map, Value, find, json};
use protocol::Outcome;

const GOOD: &str = "server { listen 127.0.0.1:18080; }\n";
const BETTER: &str = "server { listen 127.0.0.1:18081; }\n";
const BAD: &str = "server { listen nonsense nonsense; }\n";

/// A configuration of nginx in a directory of its own.
struct Nginx {
    dir: tempfile::TempDir,
    validate: String,
}

impl Nginx {
    /// `None` where nginx is not installed; CI has to have it.
    fn new() -> Option<Self> {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|p| Path::new(p).exists());
        let Some(program) = program else {
            assert!(std::env::var_os("CI").is_none(), "nginx has to be installed (Debian: nginx)");
            eprintln!("NOT RUN: nginx is not installed");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        for name in ["sites-available", "sites-enabled"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let here = dir.path().display();
        let conf = format!(
            "pid {here}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; include {here}/sites-enabled/*; }}\n"
        );
        fs::write(dir.path().join("nginx.conf"), conf).unwrap();
        let validate = format!("{program} -t -q -c {here}/nginx.conf");
        Some(Self { dir, validate })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, mode: &str, more: Value) -> Outcome {
        let own = |id: u32| id.to_string();
        let mut args = json!({
            "name": "shop", "config_dir": self.dir.path(), "validate": self.validate,
            "owner": own(nix::unistd::geteuid().as_raw()), "group": own(nix::unistd::getegid().as_raw()),
        });
        let (all, more) = (args.as_object_mut().unwrap(), more.as_object().unwrap().clone());
        all.extend(more);
        let host = Host::new(std::env::temp_dir()).with_modes(mode == "check", true);
        match (find("nginx_site").unwrap().plan)(all, &host) {
            Err(error) => error.into_outcome(),
            Ok(plan) if host.check() => plan.outcome(),
            Ok(plan) => plan.carry_out(&host),
        }
    }

    /// In check mode, then really, then again: a change, the same change, none. Gives the second.
    fn thrice(&self, args: Value) -> Map {
        let before = self.everything();
        assert!(self.run("check", args.clone()).changed(), "{args}");
        assert_eq!(self.everything(), before, "check mode changes nothing");
        let outcome = self.run("", args.clone());
        assert!(outcome.changed() && !outcome.failed(), "{args}: {:?}", outcome.result);
        let again = self.run("", args.clone());
        assert!(!again.changed() && !again.failed(), "{args}: {:?}", again.result);
        assert!(again.diff.is_empty());
        outcome.result
    }

    /// All files and links with their content, inode and mode.
    fn everything(&self) -> Vec<String> {
        let mut all = Vec::new();
        for dir in ["sites-available", "sites-enabled"] {
            for entry in fs::read_dir(self.path(dir)).unwrap().flatten() {
                let (path, meta) = (entry.path(), entry.path().symlink_metadata().unwrap());
                let content = match fs::read_link(&path) {
                    Ok(target) => format!("-> {}", target.display()),
                    Err(_) => {
                        format!("{:o} {} {}", meta.mode(), meta.ino(), fs::read_to_string(&path).unwrap())
                    }
                };
                all.push(format!("{} {content}", path.display()));
            }
        }
        all.sort();
        all
    }
}

#[test]
fn a_site_comes_changes_and_goes() {
    let Some(nginx) = Nginx::new() else { return };
    let (file, link) = (nginx.path("sites-available/shop"), nginx.path("sites-enabled/shop"));
    let result = nginx.thrice(json!({"content": GOOD}));
    assert_eq!(result["path"], file.to_str().unwrap());
    assert_eq!(result["link"], link.to_str().unwrap());
    assert_eq!((result["name"].as_str(), result["state"].as_str()), (Some("shop"), Some("enabled")));
    assert_eq!(fs::read_to_string(&file).unwrap(), GOOD);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o644);
    assert_eq!(fs::read_link(&link).unwrap(), file);

    let result = nginx.thrice(json!({"content": BETTER, "backup": true}));
    let backup = result["backup_file"].as_str().unwrap();
    assert_eq!(fs::read_to_string(backup).unwrap(), GOOD);
    fs::remove_file(backup).unwrap();
    nginx.thrice(json!({"content": BETTER, "mode": "0600"}));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);

    nginx.thrice(json!({"state": "disabled"}));
    assert!(file.exists() && !link.is_symlink());
    nginx.thrice(json!({"state": "disabled", "content": GOOD}));
    assert_eq!(fs::read_to_string(&file).unwrap(), GOOD);
    nginx.thrice(json!({}));
    assert!(link.exists());
    nginx.thrice(json!({"state": "absent"}));
    assert!(nginx.everything().is_empty());
}

#[test]
fn what_the_test_refuses_is_taken_back() {
    let Some(nginx) = Nginx::new() else { return };
    // A new one.
    let refused = |args: Value| {
        let before = nginx.everything();
        let outcome = nginx.run("", args.clone());
        assert!(outcome.failed() && !outcome.changed(), "{args}: {:?}", outcome.result);
        assert_eq!(outcome.result["rc"], 1);
        let said = outcome.result["stderr"].as_str().unwrap();
        assert_eq!(nginx.everything(), before);
        said.to_owned()
    };
    let said = refused(json!({"content": BAD}));
    assert!(said.contains("host not found in \"nonsense\"") || said.contains("invalid"), "{said}");
    // One that was good, with the very same file, mode and link.
    nginx.thrice(json!({"content": GOOD, "mode": "0640"}));
    refused(json!({"content": BAD, "backup": true}));
    let file = nginx.path("sites-available/shop");
    let (link, relative) = (nginx.path("sites-enabled/shop"), "../sites-available/shop");
    fs::remove_file(&link).unwrap();
    symlink(relative, &link).unwrap();
    refused(json!({"content": BAD}));
    assert_eq!(fs::read_link(&link).unwrap(), Path::new(relative));
    assert_eq!(fs::read_to_string(&file).unwrap(), GOOD);
    // Another site may need what goes away.
    let needs = format!("include {};\n", link.display());
    fs::write(nginx.path("sites-enabled/other"), needs).unwrap();
    refused(json!({"state": "disabled"}));
    refused(json!({"state": "absent"}));
    // No test, no refusal.
    assert!(nginx.run("", json!({"state": "absent", "validate": ""})).changed());
}

#[test]
fn links_are_judged_by_where_they_lead() {
    let Some(nginx) = Nginx::new() else { return };
    let link = nginx.path("sites-enabled/shop");
    fs::write(nginx.path("sites-available/shop"), GOOD).unwrap();
    symlink("../sites-available/./shop", &link).unwrap();
    assert!(!nginx.run("", json!({})).changed());
    fs::remove_file(&link).unwrap();
    symlink("../sites-available/gone", &link).unwrap();
    let outcome = nginx.run("check", json!({}));
    let here = nginx.dir.path().display().to_string();
    assert_eq!(
        outcome.diff[0].before,
        Some(format!("{here}/sites-enabled/shop -> ../sites-available/gone\n").into())
    );
    nginx.thrice(json!({}));
    fs::remove_file(&link).unwrap();
    for make in [|p: &Path| fs::write(p, "x").unwrap(), |p: &Path| fs::create_dir(p).unwrap()] {
        make(&link);
        for state in ["enabled", "disabled", "absent"] {
            let outcome = nginx.run("", json!({"state": state}));
            assert!(outcome.failed());
            assert!(outcome.result["msg"].as_str().unwrap().contains(link.to_str().unwrap()));
        }
        let _ = fs::remove_file(&link);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let Some(nginx) = Nginx::new() else { return };
    for args in [
        json!({}),
        json!({"name": "../x", "content": GOOD}),
        json!({"name": "..", "content": GOOD}),
        json!({"content": GOOD, "owner": "nobodyknows"}),
        json!({"content": GOOD, "mode": "abc"}),
        json!({"content": GOOD, "validate": "/no/such/program"}),
    ] {
        let outcome = nginx.run("", args.clone());
        assert!(outcome.failed() && !outcome.changed(), "{args}");
        assert!(nginx.everything().is_empty(), "{args}");
    }
}
