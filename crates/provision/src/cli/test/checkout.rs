//! Where the stock content and the scripts are: in a checkout of provision.

use std::path::{Path, PathBuf};

use super::Failure;

/// A checkout, by its top directory.
#[derive(Debug)]
pub struct Checkout {
    top: PathBuf,
}

impl Checkout {
    /// The checkout that the working directory is in, otherwise the one that this executable was built in.
    pub fn find() -> Result<Self, Failure> {
        let here = std::env::current_dir().ok();
        let built = std::env::current_exe().ok();
        [here, built].into_iter().flatten().find_map(|start| Self::around(&start)).ok_or_else(|| {
            Failure::new(
                "the hosts' scripts and the stock content are not here: run `provision test` inside a checkout of \
                 provision, the directory that has docker-test/hosts.sh and playbooks/site.yml",
            )
        })
    }

    fn around(start: &Path) -> Option<Self> {
        start
            .ancestors()
            .map(|top| Self { top: top.to_owned() })
            .find(|c| c.script("hosts.sh").is_file() && c.top.join(c.site()).is_file())
    }

    pub fn top(&self) -> &Path {
        &self.top
    }

    pub fn script(&self, name: &str) -> PathBuf {
        self.top.join("docker-test").join(name)
    }

    /// The playbooks and the inventory, relative to the top, which is where they are run.
    pub fn site(&self) -> PathBuf {
        "playbooks/site.yml".into()
    }

    pub fn verify(&self) -> PathBuf {
        "docker-test/verify.yml".into()
    }

    pub fn inventory(&self) -> PathBuf {
        "inventory/hosts".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_is_found_from_below_it_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("target/release");
        std::fs::create_dir_all(&deep).unwrap();
        assert!(Checkout::around(&deep).is_none());
        for file in ["docker-test/hosts.sh", "playbooks/site.yml"] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        assert_eq!(Checkout::around(&deep).unwrap().top(), dir.path());
    }
}
