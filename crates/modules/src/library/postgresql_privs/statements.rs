//! `GRANT` and `REVOKE`.

use crate::system::postgres::ident;
use crate::{Result, fail};

use super::objects::{DEFAULTS, Objects};
use super::{PostgresqlPrivsArgs, frozenset, is_implicit, list};

/// All statements, one a line.
pub fn build(
    args: &PostgresqlPrivsArgs,
    objects: &Objects,
    privileges: &[String],
    roles: &[String],
) -> Result<String> {
    let roles: Vec<String> =
        roles.iter().map(|r| if is_implicit(r) { r.to_uppercase() } else { ident(r) }).collect();
    let roles = roles.join(",");
    let what = privileges.iter().map(|p| p.replace('_', " ")).collect::<Vec<_>>().join(",");
    let lines = match args.r#type.as_str() {
        "default_privs" => defaults(args, objects, privileges, &what, &roles)?,
        "group" => plain(args, &objects.sql("group").join(","), "ADMIN", &roles),
        _ => plain(args, &format!("{what} ON {}", target(args, objects)), "GRANT", &roles),
    };
    Ok(lines.join("\n"))
}

/// Without columns of commas: what the privileges are for.
fn target(args: &PostgresqlPrivsArgs, objects: &Objects) -> String {
    let kind = args.r#type.as_str();
    match (&objects.schema, objects.all_in_schema) {
        (Some(schema), true) => format!("ALL {}S IN SCHEMA {}", kind.to_uppercase(), ident(schema)),
        _ => format!(
            "{} {}",
            kind.replace("foreign_server", "foreign server").replace('_', " "),
            objects.sql(kind).join(",")
        ),
    }
}

fn plain(args: &PostgresqlPrivsArgs, what: &str, option: &str, roles: &str) -> Vec<String> {
    if args.state == "absent" {
        return vec![format!("REVOKE {what} FROM {roles};")];
    }
    match args.grant_option {
        Some(true) => vec![format!("GRANT {what} TO {roles} WITH {option} OPTION;")],
        Some(false) => {
            vec![
                format!("GRANT {what} TO {roles};"),
                format!("REVOKE {option} OPTION FOR {what} FROM {roles};"),
            ]
        }
        None => vec![format!("GRANT {what} TO {roles};")],
    }
}

/// Future objects a privilege can be about (PostgreSQL's manual, ALTER DEFAULT PRIVILEGES).
fn meant_for(privilege: &str) -> &'static [&'static str] {
    match privilege {
        "SELECT" | "UPDATE" => &["TABLES", "SEQUENCES"],
        "INSERT" | "DELETE" | "TRUNCATE" | "REFERENCES" | "TRIGGER" => &["TABLES"],
        "USAGE" => &["SCHEMAS", "SEQUENCES", "TYPES"],
        "EXECUTE" => &["FUNCTIONS"],
        "CREATE" => &["SCHEMAS"],
        _ => &["TABLES", "SEQUENCES", "TYPES", "FUNCTIONS", "SCHEMAS"],
    }
}

fn defaults(
    args: &PostgresqlPrivsArgs,
    objects: &Objects,
    privileges: &[String],
    what: &str,
    roles: &str,
) -> Result<Vec<String>> {
    for privilege in privileges {
        let valid = meant_for(privilege);
        if !objects.names.iter().all(|o| valid.contains(&o.as_str())) {
            let valid: Vec<String> = valid.iter().map(|v| (*v).to_owned()).collect();
            return Err(fail!(
                "Invalid priv specified. Valid object for priv: {}. Objects: {}",
                frozenset(&valid),
                frozenset(&objects.names)
            ));
        }
    }
    let mut start = "ALTER DEFAULT PRIVILEGES".to_owned();
    if let Some(owners) = &args.target_roles {
        let owners: Vec<String> = list(owners).iter().map(|r| ident(r)).collect();
        start += &format!(" FOR ROLE {}", owners.join(","));
    }
    // Schemas are in no schema.
    let schemas = objects.names.iter().any(|n| n == "SCHEMAS");
    if let Some(schema) = objects.schema.as_ref().filter(|_| !schemas) {
        start += &format!(" IN SCHEMA {}", ident(schema));
    }
    let revoke = |object: &str| format!("{start} REVOKE ALL ON {object} FROM {roles};");
    if args.state == "absent" {
        // Ansible revokes everything, whatever is named.
        let mut all: Vec<String> =
            ["TABLES", "FUNCTIONS", "SEQUENCES", "TYPES"].iter().map(|o| revoke(o)).collect();
        debug_assert_eq!(all.len(), DEFAULTS.len());
        if schemas {
            all.push(revoke("SCHEMAS"));
        }
        return Ok(all);
    }
    let option = if args.grant_option == Some(true) { " WITH GRANT OPTION" } else { "" };
    let mut lines: Vec<String> = objects.names.iter().map(|o| revoke(o)).collect();
    lines.extend(objects.names.iter().map(|o| format!("{start} GRANT {what} ON {o} TO {roles}{option};")));
    Ok(lines)
}
