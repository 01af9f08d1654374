//! `postgresql_privs`: who may do what with the objects of a PostgreSQL database.
//!
//! Whether something changes is for the server to say: the plan grants or revokes inside a transaction, compares the
//! access lists before and after, and rolls back. Nothing of it can be seen by anybody else.

mod objects;
mod statements;

use crate::system::postgres::{self, Login, Server, SqlError, literal};
use crate::{Applied, Effects, Host, Module, Plan, Resource, Result, args, fail, result};

use objects::{Objects, access_lists};

args! {
    pub struct PostgresqlPrivsArgs {
        /// The database to connect to.
        login_db: String = required(), aliases(&["db", "database"]);
        /// Grant or revoke.
        state: String = choices(&["absent", "present"]), default("present");
        /// Privileges, with commas between.
        privs: Option<String> = aliases(&["priv"]);
        /// Kind of the objects.
        r#type: String = default("table"),
            choices(&["database", "default_privs", "foreign_data_wrapper", "foreign_server", "function", "group",
                "language", "table", "tablespace", "schema", "sequence", "type", "procedure", "parameter"]);
        /// Objects, with commas between, or `ALL_IN_SCHEMA`.
        objs: Option<String> = aliases(&["obj"]);
        /// Schema of the objects; `not-specified` for none.
        schema: Option<String>;
        /// Roles, with commas between.
        roles: String = required(), aliases(&["role"]);
        /// Fail when a role does not exist; otherwise it is left out.
        fail_on_role: bool = default("yes");
        /// Whose future objects `default_privs` is about.
        target_roles: Option<String>;
        /// May the roles grant it to others? Left as it is if not given.
        grant_option: Option<bool> = aliases(&["admin_option"]);
    }
    with { login: Login }
}

pub struct PostgresqlPrivs;

const PRIVILEGES: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "CREATE",
    "CONNECT",
    "TEMPORARY",
    "TEMP",
    "EXECUTE",
    "USAGE",
    "ALL",
    "SET",
    "ALTER_SYSTEM",
];

/// Roles that every server has without listing them.
const IMPLICIT: &[&str] = &["PUBLIC", "CURRENT_ROLE", "CURRENT_USER", "SESSION_USER"];

impl Module for PostgresqlPrivs {
    type Args = PostgresqlPrivsArgs;
    const NAME: &'static str = "postgresql_privs";
    const COLLECTION: &'static str = "community.postgresql";
    const DOC: &'static str = "Grant and revoke privileges on objects of a PostgreSQL database.";

    fn effects(args: &PostgresqlPrivsArgs) -> Effects {
        let roles = list(&args.roles).into_iter().map(|r| Resource::Named("postgresql_role", r));
        let mut effects = Effects::writes([Resource::Database("postgresql", args.login_db.clone())])
            .and_reads(Resource::Service("postgresql".into()));
        for role in roles {
            effects = if args.r#type == "group" { effects.and_writes(role) } else { effects.and_reads(role) };
        }
        effects
    }

    fn plan(args: PostgresqlPrivsArgs, host: &Host) -> Result<Plan> {
        let values = [
            Some(args.roles.as_str()),
            args.target_roles.as_deref(),
            args.login.session_role.as_deref(),
            args.schema.as_deref(),
        ];
        postgres::check_input(&args.login, &values)?;
        let objects = Objects::new(&args)?;
        let privileges = privileges(&args)?;
        let server = Server::new(&args.login, &args.login_db);
        let roles = existing_roles(&args, &server, host)?;
        if roles.is_empty() {
            return Ok(Plan::unchanged(result! {"queries": Vec::<String>::new()}));
        }
        let query = statements::build(&args, &objects, &privileges, &roles)?;
        let state = access_lists(&args, &objects, &roles);
        let trial = format!("BEGIN;\n{state}\n{query}\n{state}\nROLLBACK;\n");
        let rows = server.query(host, &trial)?.map_err(|e| failed(&query, e))?;
        let changes = rows.first() != rows.last();
        let result = result! {"queries": vec![query.clone()]};
        if !changes {
            return Ok(Plan::unchanged(result));
        }
        Ok(Plan::change(result, move |host| {
            let done = Server::new(&args.login, &args.login_db)
                .query(host, &format!("BEGIN;\n{query}\nCOMMIT;\n"))?;
            done.map_err(|e| failed(&query, e))?;
            Applied::done()
        }))
    }
}

fn failed(query: &str, SqlError(text): SqlError) -> crate::ModuleError {
    fail!("Cannot execute SQL '{query}': {text}")
}

/// Words with commas between, without the blanks around them.
fn list(text: &str) -> Vec<String> {
    text.split(',').map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect()
}

/// As Python prints a set of words, for Ansible's messages; sorted, where Python's order is by chance.
fn frozenset(words: &[String]) -> String {
    let quoted: std::collections::BTreeSet<String> = words.iter().map(|w| format!("'{w}'")).collect();
    format!("frozenset({{{}}})", quoted.into_iter().collect::<Vec<_>>().join(", "))
}

fn privileges(args: &PostgresqlPrivsArgs) -> Result<Vec<String>> {
    let kind = &args.r#type;
    let given = list(args.privs.as_deref().unwrap_or_default());
    match (kind.as_str(), given.is_empty()) {
        ("group", true) => return Ok(Vec::new()),
        ("group", false) => return Err(fail!("Argument \"privs\" is not allowed for type \"group\".")),
        (_, true) => return Err(fail!("Argument \"privs\" is required for type \"{kind}\".")),
        _ => {}
    }
    let given: Vec<String> = given.iter().map(|p| p.to_uppercase()).collect();
    let unknown: Vec<String> = given.iter().filter(|p| !PRIVILEGES.contains(&p.as_str())).cloned().collect();
    if !unknown.is_empty() {
        return Err(fail!("Invalid privileges specified: {}", frozenset(&unknown)));
    }
    Ok(given)
}

/// The roles that are there; those that are not are an error, or left out.
fn existing_roles(args: &PostgresqlPrivsArgs, server: &Server<'_>, host: &Host) -> Result<Vec<String>> {
    let asked = list(&args.roles);
    let names: Vec<String> = asked.iter().map(|r| literal(r)).collect();
    let sql = format!("SELECT to_json(rolname) FROM pg_roles WHERE rolname IN ({});\n", names.join(", "));
    let found = if names.is_empty() { Vec::new() } else { server.query(host, &sql)?? };
    let mut roles = Vec::new();
    for role in asked {
        if is_implicit(&role) || found.iter().any(|f| *f == role.as_str()) {
            roles.push(role);
        } else if args.fail_on_role {
            return Err(fail!("Role '{role}' does not exist"));
        }
    }
    Ok(roles)
}

fn is_implicit(role: &str) -> bool {
    IMPLICIT.contains(&role.to_uppercase().as_str())
}
