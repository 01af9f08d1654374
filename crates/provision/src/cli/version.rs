//! `--version` of the programs whose names are Ansible's.

use lang::Value;
use lang::template::python_repr;

use super::setup::ANSIBLE_VERSION;
use super::{Exit, Failure};
use crate::config::Config;

/// The lines of Ansible that mean something here: there is no Python to name.
pub fn print(called: &str) -> Result<u8, Failure> {
    let config = Config::load().map_err(|e| Failure::with(Exit::Options, e))?;
    let file = config.file.as_ref().map_or("None".to_owned(), |file| file.display().to_string());
    let modules: Vec<Value> = texts(&config, "DEFAULT_MODULE_PATH").map(Value::from).collect();
    let collections: Vec<String> = texts(&config, "COLLECTIONS_PATHS").collect();
    let executable = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    super::out(&format!("{called} [core {ANSIBLE_VERSION}]\n"));
    super::out(&format!("  config file = {file}\n"));
    super::out(&format!("  configured module search path = {}\n", python_repr(&Value::list(modules))));
    super::out(&format!("  ansible collection location = {}\n", collections.join(":")));
    super::out(&format!("  executable location = {executable}\n"));
    super::out(&format!("  provision version = {}\n", env!("CARGO_PKG_VERSION")));
    Ok(0)
}

fn texts(config: &Config, name: &str) -> impl Iterator<Item = String> {
    config.paths(name).into_iter().map(|path| path.to_string_lossy().into_owned())
}
