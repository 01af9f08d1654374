//! `postgresql_ext`: extensions of a PostgreSQL database.

use crate::system::postgres::{self, Login, Server, SqlError, ident, literal};
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, Value, args, fail, result};

args! {
    pub struct PostgresqlExtArgs {
        /// Name of the extension.
        name: String = required(), aliases(&["ext"]);
        /// The database it is for.
        login_db: String = required(), aliases(&["db"]);
        /// Schema to put it into.
        schema: Option<String>;
        /// Whether it should be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// Also what it needs, or what needs it.
        cascade: bool = default("no");
        /// Version, or `latest`.
        version: Option<String>;
        /// Comment on the extension.
        comment: Option<String>;
    }
    with { login: Login }
}

pub struct PostgresqlExt;

impl Module for PostgresqlExt {
    type Args = PostgresqlExtArgs;
    const NAME: &'static str = "postgresql_ext";
    const COLLECTION: &'static str = "community.postgresql";
    const DOC: &'static str = "Add, update and remove extensions of a PostgreSQL database.";

    fn effects(args: &PostgresqlExtArgs) -> Effects {
        Effects::writes([Resource::Database("postgresql", args.login_db.clone())])
            .and_reads(Resource::Service("postgresql".into()))
    }

    fn plan(args: PostgresqlExtArgs, host: &Host) -> Result<Plan> {
        let values = [
            Some(args.name.as_str()),
            args.schema.as_deref(),
            args.version.as_deref(),
            args.login.session_role.as_deref(),
        ];
        postgres::check_input(&args.login, &values)?;
        let now = look(&args, host)?;
        if now.default.is_none() {
            return Err(fail!("Extension {} is not available", args.name));
        }
        let (statements, version) = match args.state.as_str() {
            "absent" => (drop_extension(&args, &now), String::new()),
            _ => present(&args, &now)?,
        };
        let result = result! {
            "db": args.login_db, "ext": args.name, "prev_version": now.installed.clone().unwrap_or_default(),
            "version": version, "queries": statements,
        };
        if statements.is_empty() {
            return Ok(Plan::unchanged(result));
        }
        Ok(Plan::change(result, move |host| {
            let sql: String = statements.iter().map(|s| format!("{s};\n")).collect();
            let server = Server::new(&args.login, &args.login_db);
            let done = server.query(host, &format!("BEGIN;\n{sql}COMMIT;\n"))?;
            done.map_err(|SqlError(text)| fail!("Management of PostgreSQL extension failed: {text}"))?;
            // What has really come, where the server chose the version.
            let now = look(&args, host)?;
            Applied::with(result! {"version": now.installed.unwrap_or_default()})
        }))
    }
}

/// The extension as the database has it.
struct Extension {
    installed: Option<String>,
    default: Option<String>,
    comment: String,
    /// The wanted version can be had, or is there.
    version_known: bool,
}

fn look(args: &PostgresqlExtArgs, host: &Host) -> Result<Extension> {
    let name = literal(&args.name);
    let sql = format!(
        "SELECT json_build_object('installed', (SELECT extversion FROM pg_extension WHERE extname = {name}), \
         'default', (SELECT default_version FROM pg_available_extensions WHERE name = {name}), \
         'comment', (SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = {name}), \
         'known', EXISTS (SELECT FROM pg_available_extension_versions WHERE name = {name} AND version = {version}) \
         OR EXISTS (SELECT FROM pg_extension e, pg_extension_update_paths(e.extname) p \
         WHERE e.extname = {name} AND source = e.extversion AND target = {version} AND path IS NOT NULL));\n",
        version = literal(args.version.as_deref().unwrap_or_default()),
    );
    let rows = Server::new(&args.login, &args.login_db).query(host, &sql)??;
    let row: Map = rows.into_iter().next().and_then(|r| r.as_object().cloned()).unwrap_or_default();
    let text = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(Extension {
        installed: text("installed"),
        default: text("default"),
        comment: text("comment").unwrap_or_default(),
        version_known: row.get("known") == Some(&Value::Bool(true)),
    })
}

fn present(args: &PostgresqlExtArgs, now: &Extension) -> Result<(Vec<String>, String)> {
    let default = now.default.clone().unwrap_or_default();
    let name = ident(&args.name);
    let latest = args.version.as_deref() == Some("latest");
    let wanted = args.version.as_ref().filter(|_| !latest);
    if let Some(version) = wanted.filter(|_| !now.version_known) {
        return Err(match &now.installed {
            None => fail!("Passed version '{version}' is not available"),
            Some(installed) => fail!(
                "Passed version '{version}' has no valid update path from the currently installed version \
                 '{installed}' or the passed version is not available"
            ),
        });
    }
    let mut statements = Vec::new();
    let version = match (&now.installed, wanted) {
        (None, _) => {
            let mut words = vec![format!("CREATE EXTENSION {name}")];
            words.extend(args.schema.as_ref().map(|s| format!("WITH SCHEMA {}", ident(s))));
            words.extend(wanted.map(|v| format!("VERSION {}", literal(v))));
            words.extend(args.cascade.then(|| "CASCADE".to_owned()));
            statements.push(words.join(" "));
            wanted.unwrap_or(&default).clone()
        }
        (Some(installed), Some(wanted)) if installed != wanted => {
            statements.push(format!("ALTER EXTENSION {name} UPDATE TO {}", literal(wanted)));
            wanted.clone()
        }
        (Some(installed), None) if latest && *installed != default => {
            statements.push(format!("ALTER EXTENSION {name} UPDATE"));
            default
        }
        (Some(installed), _) => installed.clone(),
    };
    if let Some(comment) = args.comment.as_ref().filter(|c| **c != now.comment) {
        statements.push(format!("COMMENT ON EXTENSION {name} IS {}", literal(comment)));
    }
    Ok((statements, version))
}

fn drop_extension(args: &PostgresqlExtArgs, now: &Extension) -> Vec<String> {
    if now.installed.is_none() {
        return Vec::new();
    }
    let cascade = if args.cascade { " CASCADE" } else { "" };
    vec![format!("DROP EXTENSION {}{cascade}", ident(&args.name))]
}
