//! The controller's own world, as the lookups `pipe` and `url` reach it.

mod pipe;
mod url;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lang::template::Outside;
use lang::{Map, Result};

use crate::config::Config;

pub struct Controller {
    config: Arc<Config>,
    interrupted: Arc<AtomicBool>,
}

impl Controller {
    /// Processes and requests end when `interrupted` becomes true.
    pub fn new(config: Arc<Config>, interrupted: Arc<AtomicBool>) -> Self {
        Self { config, interrupted }
    }
}

impl Outside for Controller {
    fn run_pipe(&self, command: &str) -> Result<String> {
        pipe::run(command, &self.interrupted)
    }

    fn fetch_url(&self, url: &str, options: &Map) -> Result<Vec<u8>> {
        url::fetch(url, options, &self.config, &self.interrupted)
    }
}
