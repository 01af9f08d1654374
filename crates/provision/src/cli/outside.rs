//! The controller's own world, as the lookups `pipe` and `url` reach it.

use std::process::Command;

use lang::template::Outside;
use lang::{Error, Map, Result};

pub struct Controller;

impl Outside for Controller {
    fn run_pipe(&self, command: &str) -> Result<String> {
        // The lookup `pipe` is documented to hand its text to the shell; it comes from the playbook's author.
        let output =
            Command::new("/bin/sh").arg("-c").arg(command).output().map_err(|e| {
                Error::new(format!("lookup_plugin.pipe({command}) could not be started: {e}"))
            })?;
        if !output.status.success() {
            let code = output.status.code().unwrap_or(-1);
            return Err(Error::new(format!("lookup_plugin.pipe({command}) returned {code}")));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn fetch_url(&self, url: &str, _options: &Map) -> Result<Vec<u8>> {
        Err(Error::new(format!("the lookup 'url' is not supported: {url}"))
            .with_help("fetch it with the module `uri` and `register` the result"))
    }
}
