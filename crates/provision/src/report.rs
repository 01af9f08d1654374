//! Reporters: they turn a run's events into what a person or a program reads.

mod banner;
pub mod default;
mod diff;
mod dump;
pub mod json;
pub mod live;
pub mod log;
pub mod minimal;
mod profile;
mod style;

pub use banner::Columns;
pub use dump::json as json_text;
pub use lang::excerpt::describe;
pub use style::{Colour, Style};

/// A result as YAML (`result_format: yaml`), indented below the line it belongs to.
pub fn yaml_dump(result: &lang::Map, everything: bool, verbose: bool, pretty: Option<bool>) -> String {
    let lossy = pretty.unwrap_or(true);
    let mut shown = lang::Map::new();
    for (key, value) in result {
        let hidden = match key.as_str() {
            Some(key) if key.starts_with("_ansible_") => true,
            Some("failed" | "skipped" | "exception") => true,
            Some("invocation" | "diff") => !everything,
            _ => false,
        };
        if !hidden {
            shown.insert(key.clone(), value.clone());
        }
    }
    let _ = (lossy, verbose);
    let options = lang::yaml::DumpOptions {
        width: Some(1000),
        aliases: false,
        ..lang::yaml::DumpOptions::to_nice_yaml()
    };
    // What YAML cannot hold (an undefined value deep inside) is still JSON.
    let text = lang::yaml::to_yaml(&lang::Value::map(shown.clone()), &options)
        .unwrap_or_else(|_| dump::json(&lang::Value::map(shown), Some(4)));
    let lines: Vec<String> = text.trim_end().lines().map(|l| format!("    {l}")).collect();
    format!("\n{}", lines.join("\n"))
}
