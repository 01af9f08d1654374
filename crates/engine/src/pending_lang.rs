use lang::{Error, Key, Map, Result, Value};
use std::path::PathBuf;
use std::sync::Arc;
pub fn validate_argument_spec(_: &Map, _: &Map) -> Vec<String> {
    vec!["not yet".into()]
}
pub fn parse_key_values(_: &str) -> Result<Map> {
    Err(Error::new("not yet"))
}
pub struct IncludedVars {
    pub files: Vec<PathBuf>,
    pub vars: Map,
}
pub fn include_vars(
    _: &dyn lang::playbook::Hooks,
    _: &Arc<lang::playbook::Task>,
    _: &Map,
    _: &[PathBuf],
) -> Result<IncludedVars> {
    Err(Error::new("not yet"))
}
pub fn read_vars_files(
    _: &dyn lang::playbook::Hooks,
    _: &lang::template::Templar,
    _: &Arc<lang::playbook::Play>,
    _: &Arc<dyn lang::template::Scope>,
    _: bool,
) -> Result<Map> {
    let _: Option<(Key, Value)> = None;
    Err(Error::new("not yet"))
}
