//! Expressions over a few values.

use std::sync::Arc;

use lang::template::{MapScope, Scope, Templar};
use lang::{Map, Result, Value};

/// Evaluate an expression of our own over values: so filters and tests are there for the engine, too.
pub fn calculate(templar: &Templar, expression: &str, vars: Map) -> Result<Value> {
    let scope: Arc<dyn Scope> = Arc::new(MapScope { vars, search_path: Vec::new() });
    templar.evaluate(expression, &scope, None)
}
