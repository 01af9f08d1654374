//! `postgresql_user`: roles of PostgreSQL.

use std::collections::BTreeMap;

use crate::system::postgres::{self, Login, Server, SqlError, ident, literal};
use crate::{
    Applied, Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, Value, args, fail, json, result,
};

args! {
    pub struct PostgresqlUserArgs {
        /// Name of the role.
        name: String = required(), aliases(&["user"]);
        /// Its password, plain or as the server stores it.
        password: Option<String> = no_log();
        /// Whether the role should be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// Database to connect to; the one with the login's name if empty.
        login_db: String = default(""), aliases(&["db"]);
        /// Fail when the role cannot be removed.
        fail_on_user: bool = default("yes"), aliases(&["fail_on_role"]);
        /// `CREATEDB,NOSUPERUSER` ...
        role_attr_flags: String = default("");
        /// Store the password as a hash; servers since version 10 always do.
        encrypted: bool = default("yes");
        /// Date and time at which the password expires, or `infinity`.
        expires: Option<String>;
        /// Do not look at the password of a role that exists.
        no_password_changes: bool = default("no");
        /// Most connections at a time.
        conn_limit: Option<i64>;
        /// Comment on the role.
        comment: Option<String>;
        /// Settings of the role: `ALTER ROLE ... SET`.
        configuration: Map;
        /// Reset settings that `configuration` does not name.
        reset_unspecified_configuration: bool = default("no");
        /// Quote the values of `configuration`.
        quote_configuration_values: bool = default("yes");
    }
    with { login: Login }
}

pub struct PostgresqlUser;

const FLAGS: &[(&str, &str)] = &[
    ("SUPERUSER", "rolsuper"),
    ("CREATEROLE", "rolcreaterole"),
    ("CREATEDB", "rolcreatedb"),
    ("INHERIT", "rolinherit"),
    ("LOGIN", "rolcanlogin"),
    ("REPLICATION", "rolreplication"),
    ("BYPASSRLS", "rolbypassrls"),
];

impl Module for PostgresqlUser {
    type Args = PostgresqlUserArgs;
    const NAME: &'static str = "postgresql_user";
    const COLLECTION: &'static str = "community.postgresql";
    const DOC: &'static str = "Create, alter and remove roles of a PostgreSQL server.";

    fn effects(args: &PostgresqlUserArgs) -> Effects {
        Effects::writes([Resource::Named("postgresql_role", args.name.clone())])
            .and_reads(Resource::Service("postgresql".into()))
    }

    fn plan(args: PostgresqlUserArgs, host: &Host) -> Result<Plan> {
        let login = &args.login;
        // The message of Ansible has the comment twice.
        let values = [
            Some(args.name.as_str()),
            args.password.as_deref(),
            args.expires.as_deref(),
            Some(&args.role_attr_flags),
            args.comment.as_deref(),
            args.comment.as_deref(),
            login.session_role.as_deref(),
        ];
        postgres::check_input(login, &values)?;
        let flags = flags(&args)?;
        let now = look(&args, host)?;
        if args.state == "absent" {
            return Ok(absent(args, now.is_some()));
        }
        let statements = match &now {
            None => create(&args, &flags),
            Some(now) => alter(&args, &flags, now),
        };
        let shown: Vec<String> = statements.iter().map(|s| s.shown.clone()).collect();
        let result = result! {"user": args.name, "queries": shown};
        if statements.is_empty() {
            return Ok(Plan::unchanged(result));
        }
        Ok(Plan::change(result, move |host| {
            let mut sql = String::from("BEGIN;\n");
            for statement in &statements {
                sql += &format!("{};\n", statement.sql.trim_end_matches(';'));
            }
            Server::new(&args.login, &args.login_db)
                .query(host, &(sql + "COMMIT;\n"))?
                .map_err(|SqlError(text)| fail!("{text}"))?;
            Applied::done()
        }))
    }
}

/// SQL, and how the result shows it: without passwords.
struct Statement {
    sql: String,
    shown: String,
}

impl Statement {
    fn plain(sql: String) -> Self {
        Self { shown: sql.clone(), sql }
    }
}

fn flags(args: &PostgresqlUserArgs) -> Result<Vec<String>> {
    let words = args.role_attr_flags.split([',', ' ']).map(|w| w.trim().to_uppercase());
    let words: Vec<String> = words.filter(|w| !w.is_empty()).collect();
    let known = |w: &&String| {
        let bare = w.strip_prefix("NO").unwrap_or(w);
        FLAGS.iter().any(|(name, _)| name == w || *name == bare)
    };
    let unknown: Vec<&str> = words.iter().filter(|w| !known(w)).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(words);
    }
    Err(fail!("Invalid role_attr_flags specified: {}", unknown.join(" ")))
}

/// The role as it is; asks for the stored password only where it matters and may be read.
fn look(args: &PostgresqlUserArgs, host: &Host) -> Result<Option<Map>> {
    let name = literal(&args.name);
    let same_expiry = match &args.expires {
        Some(when) => format!("rolvaliduntil IS NOT DISTINCT FROM {}::timestamptz", literal(when)),
        None => "true".into(),
    };
    let flags: Vec<&str> = FLAGS.iter().map(|(_, column)| *column).collect();
    let sql = |table: &str, password: &str| {
        format!(
            "SELECT row_to_json(t) FROM (SELECT {}, rolconnlimit, {same_expiry} AS same_expiry, \
             {password} AS password, shobj_description(oid, 'pg_authid') AS comment, \
             (SELECT array_to_json(setconfig) FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0) \
             AS config FROM {table} r WHERE rolname = {name}) t;",
            flags.join(", ")
        )
    };
    let server = Server::new(&args.login, &args.login_db);
    let wants_password = args.password.is_some() && !args.no_password_changes;
    let mut answer = match wants_password {
        true => server.query(host, &sql("pg_authid", "rolpassword"))?,
        false => server.query(host, &sql("pg_roles", "NULL"))?,
    };
    if wants_password && answer.is_err() {
        // Only superusers may read hashes; without, the password is set each time, as Ansible does.
        answer = server.query(host, &sql("pg_roles", "'?'"))?;
    }
    let rows = answer.map_err(|SqlError(text)| fail!("{text}"))?;
    Ok(rows.into_iter().next().and_then(|row| row.as_object().cloned()))
}

fn create(args: &PostgresqlUserArgs, flags: &[String]) -> Vec<Statement> {
    let mut sql = vec![format!("CREATE USER {}", ident(&args.name))];
    let mut shown = sql.clone();
    if let Some(password) = args.password.as_ref().filter(|p| !p.is_empty()) {
        sql.push(format!("WITH {} PASSWORD {}", crypt(args), literal(password)));
        shown.push(format!("WITH {} PASSWORD %(password)s", crypt(args)));
    }
    if let Some(expires) = &args.expires {
        sql.push(format!("VALID UNTIL {}", literal(expires)));
        shown.push("VALID UNTIL %(expires)s".into());
    }
    if let Some(limit) = args.conn_limit {
        sql.push(format!("CONNECTION LIMIT {limit}"));
        shown.push(format!("CONNECTION LIMIT {limit}"));
    }
    sql.push(flags.join(" "));
    shown.push(flags.join(" "));
    let mut statements = vec![Statement { sql: sql.join(" "), shown: shown.join(" ") }];
    statements.extend(comment(args, ""));
    statements.extend(configure(args, &BTreeMap::new()));
    statements
}

fn alter(args: &PostgresqlUserArgs, flags: &[String], now: &Map) -> Vec<Statement> {
    let text = |key: &str| now.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut sql = vec![format!("ALTER USER {}", ident(&args.name))];
    let mut shown = sql.clone();
    let password = args.password.as_ref().filter(|_| !args.no_password_changes);
    let password = password.filter(|p| match text("password") {
        "" => !p.is_empty(),
        stored => !postgres::matches(stored, &args.name, p),
    });
    let has = |flag: &String| {
        let (bare, wanted) = match FLAGS.iter().find(|(name, _)| name == flag) {
            Some((_, column)) => (*column, true),
            None => {
                let bare = flag.strip_prefix("NO").unwrap_or(flag);
                (FLAGS.iter().find(|(name, _)| *name == bare).map_or("", |(_, column)| *column), false)
            }
        };
        now.get(bare) == Some(&json!(wanted))
    };
    let flags_differ = !flags.iter().all(has);
    if let Some(password) = password {
        sql.push(format!("WITH {} PASSWORD {} {}", crypt(args), literal(password), flags.join(" ")));
        shown.push(format!("WITH {} PASSWORD %(password)s {}", crypt(args), flags.join(" ")));
    } else if flags_differ {
        sql.push(format!("WITH {}", flags.join(" ")));
        shown.push(format!("WITH {}", flags.join(" ")));
    }
    if let Some(expires) = args.expires.as_ref().filter(|_| now.get("same_expiry") != Some(&json!(true))) {
        sql.push(format!("VALID UNTIL {}", literal(expires)));
        shown.push("VALID UNTIL %(expires)s".into());
    }
    if let Some(limit) = args.conn_limit.filter(|l| now.get("rolconnlimit") != Some(&json!(l))) {
        sql.push(format!("CONNECTION LIMIT {limit}"));
        shown.push(format!("CONNECTION LIMIT {limit}"));
    }
    let mut statements = Vec::new();
    if sql.len() > 1 {
        statements.push(Statement { sql: sql.join(" "), shown: shown.join(" ") });
    }
    statements.extend(comment(args, text("comment")));
    let config = now.get("config").and_then(Value::as_array).cloned().unwrap_or_default();
    let config = config.iter().filter_map(|v| v.as_str()?.split_once('='));
    statements.extend(configure(args, &config.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()));
    statements
}

fn crypt(args: &PostgresqlUserArgs) -> &'static str {
    // UNENCRYPTED is gone since version 10.
    if args.encrypted { "ENCRYPTED" } else { "" }
}

fn comment(args: &PostgresqlUserArgs, now: &str) -> Option<Statement> {
    let comment = args.comment.as_ref().filter(|c| *c != now)?;
    Some(Statement::plain(format!("COMMENT ON ROLE {} IS {}", ident(&args.name), literal(comment))))
}

fn configure(args: &PostgresqlUserArgs, now: &BTreeMap<String, String>) -> Vec<Statement> {
    let role = ident(&args.name);
    let mut statements = Vec::new();
    if args.reset_unspecified_configuration {
        let gone = now.keys().filter(|k| !args.configuration.contains_key(*k));
        statements.extend(gone.map(|k| Statement::plain(format!("ALTER ROLE {role} RESET {};", ident(k)))));
    }
    for (key, value) in &args.configuration {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // Settings that are lists are stored with quotes around what is no plain name.
        if now.get(key).is_some_and(|n| *n == value || *n == ident(&value)) {
            continue;
        }
        let value = if args.quote_configuration_values { literal(&value) } else { value };
        statements.push(Statement::plain(format!("ALTER ROLE {role} SET {} TO {value};", ident(key))));
    }
    statements
}

fn absent(args: PostgresqlUserArgs, exists: bool) -> Plan {
    let result = result! {"user": args.name, "queries": Vec::<String>::new()};
    if !exists {
        return Plan::unchanged(result);
    }
    let drop = format!("DROP USER {}", ident(&args.name));
    let mut check = result.clone();
    check.insert("user_removed".into(), true.into());
    let plan = Plan::change(result, move |host| {
        let done = Server::new(&args.login, &args.login_db).query(host, &format!("{drop};\n"))?;
        match done {
            Ok(_) => Applied::with(result! {"queries": [drop], "user_removed": true}),
            Err(SqlError(text)) if args.fail_on_user => {
                Err(ModuleError::new(format!("Unable to remove user: {text}")))
            }
            Err(_) => Applied::with(result! {"queries": [drop], "user_removed": false, "changed": false}),
        }
    });
    Plan { check: Some(check), ..plan }
}
