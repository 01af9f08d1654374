//! Modules in Python that import `ansible.module_utils`.

use std::path::Path;

use super::Call;
use crate::process::find_program;
use crate::{Host, ModuleError, ProcessOutput, Result};

/// Hands a module its arguments the way `ansible.module_utils.basic` expects to find them, and runs it as a program.
/// It says so with an exit status when the interpreter has no `ansible.module_utils`.
const START: &str = r#"
import json, runpy, sys
module, arguments = sys.argv[1:]
try:
    from ansible.module_utils import basic
except ImportError:
    sys.exit(87)
with open(arguments, "rb") as file:
    basic._ANSIBLE_ARGS = file.read()
basic._ANSIBLE_PROFILE = "legacy"
sys.argv = [module]
try:
    runpy.run_path(module, run_name="__main__")
    raise RuntimeError("New-style module did not handle its own exit.")
except Exception as error:
    import traceback
    told, cause = [], error
    while cause is not None:
        told.append(str(cause) or type(cause).__name__)
        cause = cause.__cause__
    wanted = json.loads(basic._ANSIBLE_ARGS)["ANSIBLE_MODULE_ARGS"].get("_ansible_tracebacks_for")
    print("\n" + json.dumps({
        "failed": True,
        "msg": "Task failed: Module failed: " + ": ".join(told),
        "exception": traceback.format_exc() if "error" in (wanted or []) else "(traceback unavailable)",
    }))
    sys.exit(1)
"#;

/// The exit status of [`START`] without `ansible.module_utils`.
const NOT_INSTALLED: i32 = 87;

/// Does this name a Python interpreter?
pub fn is_python(interpreter: &str) -> bool {
    Path::new(interpreter).file_name().is_some_and(|n| n.to_string_lossy().starts_with("python"))
}

/// Where Ansible looks for one, in its order.
pub fn candidates() -> impl Iterator<Item = &'static str> {
    [
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
        "python3.9",
        "python3.8",
        "/usr/bin/python3",
        "python3",
    ]
    .into_iter()
}

impl Call {
    /// Run it with the interpreter of the host's choice, or the first that has what it imports.
    pub(super) fn run_python(
        &self,
        host: &Host,
        module: &Path,
        arguments: &Path,
    ) -> Result<(ProcessOutput, Option<String>)> {
        let names: Vec<&str> = match &self.chosen {
            Some(name) => vec![name],
            None => candidates().filter(|name| find_program(host, name).is_some()).collect(),
        };
        if names.is_empty() {
            return Err(ModuleError::new(format!(
                "the module {} is written in Python, and this host has no Python interpreter",
                self.name
            )));
        }
        for name in &names {
            let line = [name, "-c", START, &module.to_string_lossy(), &arguments.to_string_lossy()]
                .map(str::to_owned);
            let output = self.start(host, &line)?;
            let unusable = output.rc == NOT_INSTALLED || (self.chosen.is_none() && output.rc == 127);
            if !unusable {
                return Ok((output, Some((*name).to_owned())));
            }
        }
        Err(ModuleError::new(format!(
            "the module {} imports ansible.module_utils, which is not installed for the Python interpreter of this \
             host ({})",
            self.name,
            names.join(", ")
        )))
    }
}
