//! `provision doc`: which modules and keywords there are, and what they take.

use clap::Args;
use engine::action::all_names;
use lang::keywords::{Inherit, Kind, Place, TABLE};
use modules::Entry;
use modules::args::ArgSpec;
use serde_json::{Map, Value, json};

use super::{Exit, Failure};

/// Show the documentation of modules and keywords.
#[derive(Clone, Debug, Args)]
pub struct DocCommand {
    /// Modules or keywords
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// What the names are: module, keyword
    #[arg(short = 't', long = "type", value_name = "TYPE", default_value = "module", value_parser = ["module", "keyword"])]
    kind: String,
    /// The same as --type keyword
    #[arg(long)]
    keywords: bool,
    /// List what there is
    #[arg(short, long)]
    list: bool,
    /// A task to copy into a playbook
    #[arg(short, long)]
    snippet: bool,
    /// As JSON
    #[arg(short, long)]
    json: bool,
    /// Say more
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// Columns of the text.
const WIDTH: usize = 78;

/// Print what was asked for.
pub fn run(options: DocCommand) -> Result<u8, Failure> {
    let keywords = options.keywords || options.kind == "keyword";
    if options.names.is_empty() && !options.list && !options.keywords {
        return Err(Failure::with(
            Exit::Options,
            "Missing name(s), incorrect options passed for detailed documentation.",
        ));
    }
    if keywords {
        return show_keywords(&options);
    }
    if options.list {
        list(&options);
        return Ok(0);
    }
    let mut json = Map::new();
    let mut texts = Vec::new();
    for name in &options.names {
        let Some(entry) = modules::find(name) else {
            if engine::action::canonical(name).is_some() {
                eprintln!("[WARNING]: {name} is an action of the controller; its arguments are Ansible's");
            } else {
                eprintln!("[WARNING]: {name} was not found");
            }
            continue;
        };
        if options.json {
            json.insert(name.clone(), as_json(entry));
        } else if options.snippet {
            texts.push(snippet(entry));
        } else {
            texts.push(text(entry));
        }
    }
    if options.json {
        super::out(&format!("{}\n", pretty(&Value::Object(json))));
    } else {
        texts.iter().for_each(|text| super::out(text));
    }
    Ok(0)
}

/// The arguments of a module that a playbook may write.
fn arguments(entry: &Entry) -> Vec<&'static ArgSpec> {
    let mut args: Vec<&ArgSpec> = (entry.spec)().args.iter().filter(|a| !a.name.starts_with('_')).collect();
    args.sort_by_key(|a| a.name);
    args
}

fn first_sentence(doc: &str) -> String {
    let line = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    line.split_once(". ").map_or(line.clone(), |(first, _)| first.to_owned()).trim_end_matches('.').to_owned()
}

fn list(options: &DocCommand) {
    let mut rows: Vec<(String, String)> = modules::registry::all()
        .iter()
        .flat_map(|entry| {
            let prefix =
                if entry.collection.is_empty() { String::new() } else { format!("{}.", entry.collection) };
            std::iter::once(&entry.name)
                .chain(entry.aliases)
                .map(move |name| (format!("{prefix}{name}"), first_sentence(entry.doc)))
        })
        .collect();
    for name in all_names() {
        if modules::find(name).is_none() {
            rows.push((format!("ansible.builtin.{name}"), "An action of the controller".into()));
        }
    }
    rows.retain(|(name, _)| {
        options.names.is_empty()
            || options.names.iter().any(|n| n == name || name.starts_with(&format!("{n}.")))
    });
    rows.sort();
    if options.json {
        let map: Map<String, Value> = rows.into_iter().map(|(name, doc)| (name, doc.into())).collect();
        super::out(&format!("{}\n", pretty(&Value::Object(map))));
        return;
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, doc) in rows {
        super::out(&format!("{name:<width$} {doc}\n"));
    }
}

/// Words in lines of at most so many columns.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A default as YAML has it.
fn default_value(arg: &ArgSpec) -> Value {
    let Some(text) = arg.default else { return Value::Null };
    match arg.kind {
        "bool" => modules::args::parse_bool(text).map_or_else(|| text.into(), Value::from),
        "int" => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        "float" => text.parse::<f64>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

fn text(entry: &Entry) -> String {
    let mut out = format!("> MODULE {}\n\n", entry.full_name());
    for line in wrap(entry.doc, WIDTH - 2) {
        out.push_str(&format!("  {line}\n"));
    }
    out.push_str("\nOPTIONS (= indicates it is required):\n\n");
    for arg in arguments(entry) {
        let mark = if arg.required { "=" } else { " " };
        let head = format!("{mark}  {}  ", arg.name);
        let doc = wrap(arg.doc, (WIDTH - 11).max(20));
        let mut lines = doc.iter();
        let first = lines.next().map_or("", String::as_str);
        out.push_str(format!("{head}{first}").trim_end());
        out.push('\n');
        lines.for_each(|line| out.push_str(&format!("           {line}\n")));
        if !arg.aliases.is_empty() {
            out.push_str(&format!("        aliases: [{}]\n", arg.aliases.join(", ")));
        }
        if !arg.choices.is_empty() {
            out.push_str(&format!("        choices: [{}]\n", arg.choices.join(", ")));
        }
        if !arg.required {
            let default = match default_value(arg) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            out.push_str(&format!("        default: {default}\n"));
        }
        if let Some(elements) = arg.elements {
            out.push_str(&format!("        elements: {elements}\n"));
        }
        out.push_str(&format!("        type: {}\n\n", arg.kind));
    }
    out
}

fn as_json(entry: &Entry) -> Value {
    let mut options = Map::new();
    for arg in arguments(entry) {
        let mut option = Map::new();
        option
            .insert("description".into(), json!([arg.doc.split_whitespace().collect::<Vec<_>>().join(" ")]));
        option.insert("type".into(), arg.kind.into());
        if !arg.aliases.is_empty() {
            option.insert("aliases".into(), json!(arg.aliases));
        }
        if !arg.choices.is_empty() {
            option.insert("choices".into(), json!(arg.choices));
        }
        if arg.default.is_some() {
            option.insert("default".into(), default_value(arg));
        }
        if let Some(elements) = arg.elements {
            option.insert("elements".into(), elements.into());
        }
        if arg.required {
            option.insert("required".into(), true.into());
        }
        options.insert(arg.name.into(), Value::Object(option));
    }
    json!({
        "doc": {
            "collection": entry.collection,
            "description": [entry.doc],
            "module": entry.name,
            "options": options,
            "plugin_name": entry.full_name(),
            "short_description": first_sentence(entry.doc),
        },
        "examples": null,
        "metadata": null,
        "return": null,
    })
}

fn snippet(entry: &Entry) -> String {
    let mut out = format!("- name: {}\n  {}:\n", first_sentence(entry.doc), entry.name);
    for arg in arguments(entry) {
        let doc = arg.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        let doc = if arg.required { format!("(required) {doc}") } else { doc };
        let lines = wrap(&doc, WIDTH - 31);
        let head = format!("      {}:", arg.name);
        for (number, line) in lines.iter().enumerate() {
            let start = if number == 0 { head.as_str() } else { "" };
            out.push_str(&format!("{start:<28} # {line}\n"));
        }
        if lines.is_empty() {
            out.push_str(&format!("{head}\n"));
        }
    }
    out
}

fn show_keywords(options: &DocCommand) -> Result<u8, Failure> {
    let mut all: Vec<_> = TABLE.iter().collect();
    all.sort_by_key(|entry| entry.name);
    let mut shown = Map::new();
    if options.list || options.names.is_empty() {
        for entry in all {
            shown
                .insert(entry.name.into(), entry.doc.split_whitespace().collect::<Vec<_>>().join(" ").into());
        }
    } else {
        for name in &options.names {
            let Some(entry) = all.iter().find(|entry| entry.name == name) else {
                eprintln!("[WARNING]: Skipping invalid keyword '{name}'");
                continue;
            };
            let places: Vec<String> = [Place::Play, Place::Role, Place::Block, Place::Task, Place::Handler]
                .iter()
                .filter(|place| entry.places.contains(place))
                .map(|place| format!("{place:?}"))
                .collect();
            let kind = match entry.kind {
                Kind::Bool => "bool",
                Kind::Int => "int",
                Kind::Float => "float",
                Kind::Percent => "percent",
                Kind::List | Kind::Names | Kind::Conditions | Kind::Structure | Kind::Dicts => "list",
                Kind::Dict => "dict",
                Kind::Text => "string",
            };
            let inherited = match entry.inherit {
                Inherit::No => "no",
                Inherit::Override => "the innermost one counts",
                Inherit::Append => "all count, the task's own first",
                Inherit::Prepend => "all count, the outermost first",
            };
            let doc = entry.doc.split_whitespace().collect::<Vec<_>>().join(" ");
            let template = if matches!(entry.kind, Kind::Conditions) { "implicit" } else { "explicit" };
            shown.insert(
                entry.name.into(),
                json!({
                    "applies_to": places,
                    "description": doc,
                    "inherited": inherited,
                    "template": template,
                    "type": kind,
                }),
            );
        }
    }
    if options.json {
        super::out(&format!("{}\n", pretty(&Value::Object(shown))));
    } else if !shown.is_empty() {
        let value = lang::Value::from_json(&Value::Object(shown));
        super::out(&super::configuration::yaml(&value)?);
    }
    Ok(0)
}

fn pretty(value: &Value) -> String {
    crate::report::json_text(&lang::Value::from_json(value), Some(4))
}
