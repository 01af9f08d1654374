//! Programs that tests need on this machine.

use std::process::Command;
use std::sync::Mutex;

/// Make sure that these programs (with the Debian packages that have them) are there.
pub fn need(programs: &[(&str, &str)]) {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _guard = INSTALLING.lock();
    for (program, package) in programs {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let found = path.split(':').any(|dir| std::path::Path::new(dir).join(program).exists());
        if found {
            continue;
        }
        eprintln!("these tests need {program}: installing {package}");
        let line = "apt-get update -qq; exec apt-get -o DPkg::Lock::Timeout=300 install -y -qq \"$0\"";
        let installed = Command::new("sh")
            .args(["-c", line, package])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .output()
            .unwrap_or_else(|e| panic!("{program} is missing and cannot be installed: {e}"));
        assert!(
            installed.status.success(),
            "{program} is missing; installing {package} failed: {}",
            String::from_utf8_lossy(&installed.stderr)
        );
    }
}
