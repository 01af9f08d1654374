//! What the user asked for beyond the playbook: the options of the command and its configuration.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lang::Map;
use protocol::Secret;

/// Options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--check`
    pub check: bool,
    /// `--diff`
    pub diff: bool,
    /// `--forks`: hosts worked on at the same time; `None` lets the engine choose.
    pub forks: Option<usize>,
    /// `--limit`, as patterns.
    pub limit: Option<String>,
    pub tags: Vec<String>,
    pub skip_tags: Vec<String>,
    pub start_at_task: Option<String>,
    /// `--step`
    pub step: bool,
    /// How many tasks of a host may run at the same time under strategy `graph`.
    pub tasks_per_host: u16,
    /// Send hosts tasks ahead of their turn. Nothing but the time it takes depends on it.
    pub work_ahead: bool,
    pub force_handlers: bool,
    /// `--extra-vars`
    pub extra_vars: Map,
    pub connection: ConnectionDefaults,
    pub r#become: BecomeDefaults,
    /// `DEFAULT_STRATEGY`
    pub strategy: String,
    /// `DEFAULT_GATHERING`: implicit, explicit or smart.
    pub gathering: String,
    pub gather_subset: Vec<String>,
    pub gather_timeout: Option<u64>,
    /// `facts_modules`: modules that gather facts.
    pub facts_modules: Vec<String>,
    pub fact_path: Option<String>,
    /// `TASK_TIMEOUT`, seconds; 0 for none.
    pub task_timeout: u64,
    pub poll_interval: u64,
    pub any_errors_fatal: bool,
    pub max_fail_percentage: Option<f64>,
    pub ignore_errors: bool,
    pub no_log: bool,
    /// `NO_TARGET_SYSLOG` and the like are accepted and mean nothing here.
    pub module_set_locale: bool,
    /// `INJECT_FACTS_AS_VARS`
    pub inject_facts: bool,
    /// `ERROR_ON_MISSING_HANDLER`
    pub error_on_missing_handler: bool,
    /// `INTERPRETER_PYTHON`, when it is a certain one.
    pub python: Option<String>,
    /// `RUN_VARS_PLUGINS`, `HASH_BEHAVIOUR` ... belong to `lang`.
    pub verbosity: u8,
    /// `ENABLE_TASK_DEBUGGER`
    pub task_debugger: bool,
    /// `TASK_DEBUGGER_IGNORE_ERRORS`: failures that are ignored do not start it.
    pub debugger_ignores_errors: bool,
    /// `LOCAL_TMP`
    pub local_tmp: PathBuf,
    /// `--profile`: measure where the time goes, from this moment on, at which the program began.
    pub profile: Option<Instant>,
    /// `DEFAULT_MANAGED_STR`
    pub managed_str: Option<String>,
    /// What modules write tracebacks for (`display_traceback`): `error`, `warning` ...
    pub tracebacks_for: Vec<String>,
    /// `CACHE_PLUGIN` jsonfile: its directory and the seconds after which entries are stale.
    pub fact_cache: Option<FactCache>,
    /// `HOST_PATTERN_MISMATCH`: error, warning (the default) or ignore.
    pub host_pattern_mismatch_is_error: bool,
    pub host_pattern_mismatch_is_silent: bool,
}

/// Where facts are kept between runs.
#[derive(Clone, Debug)]
pub struct FactCache {
    pub directory: PathBuf,
    pub prefix: String,
    /// 0: never stale.
    pub timeout: Duration,
}

/// Defaults of connections, below what variables and keywords say.
#[derive(Clone, Debug, Default)]
pub struct ConnectionDefaults {
    /// `-c`, `DEFAULT_TRANSPORT`; `ssh` when nothing is said.
    pub connection: Option<String>,
    /// `-u`
    pub remote_user: Option<String>,
    pub remote_port: Option<u16>,
    /// `--private-key`
    pub private_key_file: Option<PathBuf>,
    /// `-k`
    pub password: Option<Secret>,
    /// `--timeout`, seconds.
    pub timeout: u64,
    /// `ANSIBLE_SSH_ARGS`, split as a shell would.
    pub ssh_args: Vec<String>,
    /// `--ssh-common-args`
    pub ssh_common_args: Vec<String>,
    /// `--ssh-extra-args`
    pub ssh_extra_args: Vec<String>,
    pub host_key_checking: bool,
    /// `DEFAULT_REMOTE_TMP`
    pub remote_tmp: Option<String>,
    /// `DEFAULT_EXECUTABLE`: the shell of `shell` and `raw`.
    pub executable: Option<String>,
}

/// Defaults of becoming another user.
#[derive(Clone, Debug, Default)]
pub struct BecomeDefaults {
    /// `-b`
    pub r#become: bool,
    pub method: Option<String>,
    pub user: Option<String>,
    pub exe: Option<String>,
    pub flags: Option<String>,
    /// `-K`
    pub password: Option<Secret>,
    /// `BECOME_ALLOW_SAME_USER`
    pub allow_same_user: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            check: false,
            diff: false,
            forks: None,
            limit: None,
            tags: vec!["all".into()],
            skip_tags: Vec::new(),
            start_at_task: None,
            step: false,
            tasks_per_host: 4,
            work_ahead: true,
            force_handlers: false,
            extra_vars: Map::new(),
            connection: ConnectionDefaults {
                timeout: 10,
                host_key_checking: true,
                ..ConnectionDefaults::default()
            },
            r#become: BecomeDefaults::default(),
            strategy: "linear".into(),
            gathering: "implicit".into(),
            gather_subset: Vec::new(),
            gather_timeout: None,
            facts_modules: vec!["smart".into()],
            fact_path: None,
            task_timeout: 0,
            poll_interval: 15,
            any_errors_fatal: false,
            max_fail_percentage: None,
            ignore_errors: false,
            no_log: false,
            module_set_locale: false,
            inject_facts: true,
            error_on_missing_handler: true,
            python: None,
            verbosity: 0,
            task_debugger: false,
            debugger_ignores_errors: true,
            local_tmp: std::env::temp_dir(),
            profile: None,
            managed_str: None,
            tracebacks_for: Vec::new(),
            fact_cache: None,
            host_pattern_mismatch_is_error: false,
            host_pattern_mismatch_is_silent: false,
        }
    }
}
