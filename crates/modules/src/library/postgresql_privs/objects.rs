//! What privileges are about, and the server's list of who has them.

use crate::system::postgres::{ident, literal};
use crate::{Result, fail};

use super::{PostgresqlPrivsArgs, frozenset, is_implicit, list};

/// Kinds of future objects.
pub const DEFAULTS: &[&str] = &["TABLES", "SEQUENCES", "TYPES", "FUNCTIONS"];

pub struct Objects {
    /// As given, functions with their signature.
    pub names: Vec<String>,
    pub schema: Option<String>,
    pub all_in_schema: bool,
}

impl Objects {
    pub fn new(args: &PostgresqlPrivsArgs) -> Result<Self> {
        let kind = args.r#type.as_str();
        let in_schema =
            matches!(kind, "table" | "sequence" | "function" | "procedure" | "type" | "default_privs");
        let schema = match args.schema.as_deref() {
            None | Some("") if in_schema => Some("public".to_owned()),
            None | Some("") => None,
            Some(_) if !in_schema => {
                return Err(fail!("Argument \"schema\" is not allowed for type \"{kind}\"."));
            }
            Some("not-specified") => None,
            Some(schema) => Some(schema.to_owned()),
        };
        let mut names = list(args.objs.as_deref().unwrap_or_default());
        if names.is_empty() {
            if kind != "database" {
                return Err(fail!("Argument \"objs\" is required for type \"{kind}\"."));
            }
            names.push(args.login_db.clone());
        }
        let all_in_schema = names == ["ALL_IN_SCHEMA"];
        if all_in_schema && !matches!(kind, "table" | "sequence" | "function" | "procedure") {
            return Err(fail!(
                "Argument \"objs\": ALL_IN_SCHEMA can be used only for type: table, sequence, function or procedure, \
                 {kind} was passed."
            ));
        }
        if all_in_schema && schema.is_none() {
            return Err(fail!("Argument \"schema\" is required for ALL_IN_SCHEMA."));
        }
        if matches!(kind, "function" | "procedure") && !all_in_schema {
            names = names.iter().map(|n| n.replace(':', ",")).collect();
            let bad = |n: &&String| !n.ends_with(')') || !n.contains('(') || n.contains([';', '\'']);
            if let Some(name) = names.iter().find(bad) {
                return Err(fail!("Illegal function / procedure signature: \"{name}\"."));
            }
        }
        if kind == "default_privs" {
            names = default_objects(names)?;
        }
        Ok(Self { names, schema, all_in_schema })
    }

    /// As SQL names them.
    pub fn sql(&self, kind: &str) -> Vec<String> {
        let prefix = self.schema.as_ref().map(|s| format!("{}.", ident(s))).unwrap_or_default();
        let one = |name: &String| match kind {
            "function" | "procedure" => {
                let (function, rest) = name.split_once('(').unwrap_or((name, ")"));
                format!("{prefix}{}({rest}", ident(function))
            }
            "table" | "sequence" | "type" => format!("{prefix}{}", ident(name)),
            "parameter" => name.split('.').map(ident).collect::<Vec<_>>().join("."),
            _ => ident(name),
        };
        self.names.iter().map(one).collect()
    }
}

fn default_objects(names: Vec<String>) -> Result<Vec<String>> {
    let names: Vec<String> = names.iter().map(|n| n.to_uppercase()).collect();
    if names == ["ALL_DEFAULT"] {
        return Ok(DEFAULTS.iter().map(|d| (*d).to_owned()).collect());
    }
    let known = |n: &&String| DEFAULTS.contains(&n.as_str()) || *n == "SCHEMAS";
    let unknown: Vec<String> = names.iter().filter(|n| !known(n)).cloned().collect();
    if unknown.is_empty() {
        Ok(names)
    } else {
        Err(fail!("Invalid Object set specified: {}", frozenset(&unknown)))
    }
}

/// A query for the access lists of these objects, in a fixed order: one row, one JSON value.
pub fn access_lists(args: &PostgresqlPrivsArgs, objects: &Objects, roles: &[String]) -> String {
    let kind = args.r#type.as_str();
    let names: Vec<String> = objects
        .names
        .iter()
        .map(|n| {
            literal(if matches!(kind, "function" | "procedure") {
                n.split('(').next().unwrap_or(n)
            } else {
                n
            })
        })
        .collect();
    let named = |column: &str| match objects.all_in_schema {
        true => "true".to_owned(),
        false => format!("{column} IN ({})", names.join(", ")),
    };
    let schema = |column: &str| match &objects.schema {
        Some(schema) => {
            format!("{column} = (SELECT oid FROM pg_namespace WHERE nspname = {})", literal(schema))
        }
        None => "true".to_owned(),
    };
    let (acl, from, condition) = match kind {
        "table" => (
            "relacl",
            "pg_class",
            format!(
                "relkind IN ('r', 'v', 'm', 'p', 'f') AND {} AND {}",
                named("relname"),
                schema("relnamespace")
            ),
        ),
        "sequence" => (
            "relacl",
            "pg_class",
            format!("relkind = 'S' AND {} AND {}", named("relname"), schema("relnamespace")),
        ),
        "function" | "procedure" => {
            ("proacl", "pg_proc", format!("{} AND {}", named("proname"), schema("pronamespace")))
        }
        "type" => ("typacl", "pg_type", format!("{} AND {}", named("typname"), schema("typnamespace"))),
        "schema" => ("nspacl", "pg_namespace", named("nspname")),
        "language" => ("lanacl", "pg_language", named("lanname")),
        "tablespace" => ("spcacl", "pg_tablespace", named("spcname")),
        "database" => ("datacl", "pg_database", named("datname")),
        "foreign_data_wrapper" => ("fdwacl", "pg_foreign_data_wrapper", named("fdwname")),
        "foreign_server" => ("srvacl", "pg_foreign_server", named("srvname")),
        "parameter" => {
            let lower: Vec<String> = names.iter().map(|n| format!("lower({n})")).collect();
            ("paracl", "pg_parameter_acl", format!("parname IN ({})", lower.join(", ")))
        }
        "group" => return memberships(&names, roles),
        _ => ("defaclacl", "pg_default_acl", "true".to_owned()),
    };
    // What was revoked and granted anew is another row of the same meaning.
    let key = match kind {
        "default_privs" => "defaclrole || ' ' || defaclnamespace || ' ' || defaclobjtype::text",
        _ => "oid",
    };
    // The entries of a list are in no order that means anything.
    format!(
        "SELECT coalesce(json_agg(json_build_array({key}, (SELECT array_agg(e::text ORDER BY e::text) \
         FROM unnest({acl}) e)) ORDER BY {key}), '[]') FROM {from} WHERE {condition};"
    )
}

fn memberships(groups: &[String], roles: &[String]) -> String {
    let members: Vec<String> = roles.iter().filter(|r| !is_implicit(r)).map(|r| literal(r)).collect();
    let members = if members.is_empty() { "NULL".to_owned() } else { members.join(", ") };
    format!(
        "SELECT coalesce(json_agg(json_build_array(roleid, member, admin_option) ORDER BY roleid, member), '[]') \
         FROM pg_auth_members WHERE roleid IN (SELECT oid FROM pg_roles WHERE rolname IN ({})) \
         AND (member IN (SELECT oid FROM pg_roles WHERE rolname IN ({members})) OR {});",
        groups.join(", "),
        roles.iter().any(|r| is_implicit(r))
    )
}
