//! `postgresql_db`: databases of PostgreSQL, their dumps and restores.

mod transfer;

use crate::system::postgres::{self, Login, Server, ident, literal};
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, Value, args, fail, json, result};

args! {
    pub struct PostgresqlDbArgs {
        /// Name of the database.
        name: String = required(), aliases(&["db"]);
        /// What should be; `dump`, `restore` and `rename` use `target`.
        state: String = choices(&["absent", "dump", "present", "rename", "restore"]), default("present");
        /// Role that owns it.
        owner: String = default("");
        /// Template for a new database.
        template: String = default("");
        /// Encoding of a new database.
        encoding: String = default("");
        /// Collation of a new database.
        lc_collate: String = default("");
        /// Character classes of a new database.
        lc_ctype: String = default("");
        /// ICU locale of a new database.
        icu_locale: String = default("");
        /// `libc` or `icu`.
        locale_provider: String = default("");
        /// Most connections at a time; -1 for no limit.
        conn_limit: String = default("");
        /// Tablespace.
        tablespace: String = default("");
        /// Comment on the database.
        comment: Option<String>;
        /// File to dump to or restore from, or the new name.
        target: String = default("");
        /// More options for the program that dumps or restores.
        target_opts: String = default("");
        /// More options for `pg_dump`.
        dump_extra_args: Option<String>;
        /// Database to connect to.
        maintenance_db: String = default("postgres");
        /// Remove also while others are connected.
        force: bool = default("no");
    }
    with { login: Login }
}

pub struct PostgresqlDb;

impl Module for PostgresqlDb {
    type Args = PostgresqlDbArgs;
    const NAME: &'static str = "postgresql_db";
    const COLLECTION: &'static str = "community.postgresql";
    const DOC: &'static str = "Create, alter, remove, dump and restore databases of a PostgreSQL server.";

    fn effects(args: &PostgresqlDbArgs) -> Effects {
        let mut effects = Effects::writes([Resource::Database("postgresql", args.name.clone())]);
        if !args.owner.is_empty() {
            effects = effects.and_reads(Resource::Named("postgresql_role", args.owner.clone()));
        }
        if !args.target.is_empty() {
            effects = effects.and_writes(Resource::Path(args.target.clone()));
        }
        effects.and_reads(Resource::Service("postgresql".into()))
    }

    fn plan(mut args: PostgresqlDbArgs, host: &Host) -> Result<Plan> {
        if ["dump", "restore", "rename"].contains(&args.state.as_str()) && args.target.is_empty() {
            if args.state != "dump" && args.state != "restore" {
                return Err(fail!("state is {} but all of the following are missing: target", args.state));
            }
            args.target = format!("{}/{}.sql", host.env("PWD").unwrap_or_else(|| "/".into()), args.name);
        }
        let values: Vec<Option<&str>> =
            [&args.owner, &args.conn_limit, &args.encoding, &args.name, &args.template, &args.tablespace]
                .iter()
                .map(|v| Some(v.as_str()))
                .chain([args.login.session_role.as_deref(), args.comment.as_deref()])
                .collect();
        postgres::check_input(&args.login, &values)?;
        match args.state.as_str() {
            "dump" | "restore" => return transfer::plan(args, host),
            "rename" => return rename(args, host),
            _ => {}
        }
        let now = look(&args, &args.name, host)?;
        let statements = match (args.state.as_str(), &now) {
            ("absent", None) => Vec::new(),
            ("absent", Some(now)) => drop_database(&args, now),
            (_, None) => create(&args),
            (_, Some(now)) => alter(&args, now)?,
        };
        Ok(statements_plan(args, statements))
    }
}

fn statements_plan(args: PostgresqlDbArgs, statements: Vec<String>) -> Plan {
    let result = result! {"db": args.name, "executed_commands": Vec::<String>::new()};
    if statements.is_empty() {
        return Plan::unchanged(result);
    }
    let check = Some(result.clone());
    let plan = Plan::change(result, move |host| {
        let server = Server::new(&args.login, &args.maintenance_db);
        let sql: String = statements.iter().map(|s| format!("{s};\n")).collect();
        server.query(host, &sql)??;
        Applied::with(result! {"executed_commands": statements})
    });
    Plan { check, ..plan }
}

/// The database as it is.
fn look(args: &PostgresqlDbArgs, name: &str, host: &Host) -> Result<Option<Map>> {
    let encoding = match args.encoding.is_empty() {
        true => "true".into(),
        false => format!("pg_char_to_encoding({}) = d.encoding", literal(&args.encoding)),
    };
    let sql = format!(
        "SELECT row_to_json(t) FROM (SELECT r.rolname AS owner, pg_encoding_to_char(d.encoding) AS encoding, \
         {encoding} AS same_encoding, datcollate, datctype, datconnlimit, s.spcname AS tablespace, \
         shobj_description(d.oid, 'pg_database') AS comment, \
         current_setting('server_version_num')::int AS version \
         FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba JOIN pg_tablespace s ON s.oid = d.dattablespace \
         WHERE d.datname = {}) t;",
        literal(name)
    );
    let rows = Server::new(&args.login, &args.maintenance_db).query(host, &sql)??;
    Ok(rows.into_iter().next().and_then(|row| row.as_object().cloned()))
}

fn create(args: &PostgresqlDbArgs) -> Vec<String> {
    let mut words = vec![format!("CREATE DATABASE {}", ident(&args.name))];
    let mut add = |keyword: &str, value: &str, quoted: fn(&str) -> String| {
        if !value.is_empty() {
            words.push(format!("{keyword} {}", quoted(value)));
        }
    };
    add("OWNER", &args.owner, ident);
    add("TEMPLATE", &args.template, ident);
    add("ENCODING", &args.encoding, literal);
    add("LC_COLLATE", &args.lc_collate, literal);
    add("LC_CTYPE", &args.lc_ctype, literal);
    add("ICU_LOCALE", &args.icu_locale, literal);
    add("LOCALE_PROVIDER", &args.locale_provider, ident);
    add("TABLESPACE", &args.tablespace, ident);
    if let Ok(limit) = args.conn_limit.trim().parse::<i64>() {
        words.push(format!("CONNECTION LIMIT {limit}"));
    }
    let mut statements = vec![words.join(" ")];
    statements.extend(comment(args, ""));
    statements
}

fn alter(args: &PostgresqlDbArgs, now: &Map) -> Result<Vec<String>> {
    let text = |key: &str| now.get(key).and_then(Value::as_str).unwrap_or_default();
    if now.get("same_encoding") != Some(&json!(true)) {
        return Err(fail!(
            "Changing database encoding is not supported. Current encoding: {}",
            text("encoding")
        ));
    }
    if !args.lc_collate.is_empty() && args.lc_collate != text("datcollate") {
        return Err(fail!(
            "Changing LC_COLLATE is not supported. Current LC_COLLATE: {}",
            text("datcollate")
        ));
    }
    if !args.lc_ctype.is_empty() && args.lc_ctype != text("datctype") {
        return Err(fail!("Changing LC_CTYPE is not supported.Current LC_CTYPE: {}", text("datctype")));
    }
    let database = format!("ALTER DATABASE {}", ident(&args.name));
    let mut statements = Vec::new();
    if !args.owner.is_empty() && args.owner != text("owner") {
        statements.push(format!("{database} OWNER TO {}", ident(&args.owner)));
    }
    if !args.conn_limit.is_empty() {
        let limit = args.conn_limit.trim().parse::<i64>();
        let limit = limit.map_err(|_| fail!("conn_limit has to be a number: {}", args.conn_limit))?;
        if now.get("datconnlimit") != Some(&json!(limit)) {
            statements.push(format!("{database} CONNECTION LIMIT {limit}"));
        }
    }
    if !args.tablespace.is_empty() && args.tablespace != text("tablespace") {
        statements.push(format!("{database} SET TABLESPACE {}", ident(&args.tablespace)));
    }
    statements.extend(comment(args, text("comment")));
    Ok(statements)
}

fn comment(args: &PostgresqlDbArgs, now: &str) -> Option<String> {
    let comment = args.comment.as_ref().filter(|c| *c != now)?;
    Some(format!("COMMENT ON DATABASE {} IS {}", ident(&args.name), literal(comment)))
}

fn drop_database(args: &PostgresqlDbArgs, now: &Map) -> Vec<String> {
    let name = ident(&args.name);
    if !args.force {
        return vec![format!("DROP DATABASE {name}")];
    }
    if now.get("version").and_then(Value::as_i64) >= Some(130_000) {
        return vec![format!("DROP DATABASE {name} WITH (FORCE)")];
    }
    let close = format!(
        "SELECT to_json(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = {} AND pid <> pg_backend_pid()",
        literal(&args.name)
    );
    vec![close, format!("DROP DATABASE {name}")]
}

fn rename(args: PostgresqlDbArgs, host: &Host) -> Result<Plan> {
    let exists = |name: &str| look(&args, name, host).map(|d| d.is_some());
    let statements = match (exists(&args.name)?, exists(&args.target)?) {
        (true, true) => return Err(fail!("Both the source and the target databases exist.")),
        (false, false) => return Err(fail!("The source and the target databases do not exist.")),
        (false, true) => Vec::new(),
        (true, false) => {
            vec![format!("ALTER DATABASE {} RENAME TO {}", ident(&args.name), ident(&args.target))]
        }
    };
    Ok(statements_plan(args, statements))
}
