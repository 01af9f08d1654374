//! PostgreSQL by its own client: SQL goes to `psql` over its input, rows come back as JSON.
//!
//! Passwords travel in the environment of `psql` or inside the SQL, never in arguments.

mod password;
mod quote;

pub use password::{is_hashed, matches};
pub use quote::{ident, is_dangerous, literal};

use crate::args::Expanded;
use crate::process::find_program;
use crate::{Host, Map, ModuleError, Process, Result, Value, args, fail};

args! {
    /// How to reach the server.
    pub struct Login {
        /// Host of the server; a socket of this machine if empty.
        login_host: String = default(""), aliases(&["host"]);
        /// Port of the server.
        login_port: i64 = default("5432"), aliases(&["port"]);
        /// User to log in as.
        login_user: String = default("postgres"), aliases(&["login"]);
        /// Password of that user.
        login_password: String = default(""), no_log();
        /// Directory of the socket.
        login_unix_socket: String = default(""), aliases(&["unix_socket"]);
        /// How much TLS.
        ssl_mode: String = choices(&["allow", "disable", "prefer", "require", "verify-ca", "verify-full"]),
            default("prefer");
        /// File with certificates of authorities.
        ca_cert: Option<String> = aliases(&["ssl_rootcert"]);
        /// File with the client's certificate.
        ssl_cert: Option<Expanded>;
        /// File with the client's key.
        ssl_key: Option<Expanded>;
        /// More parameters of libpq.
        connect_params: Map;
        /// Role to switch to after connecting.
        session_role: Option<String>;
        /// If not, refuse values that look like SQL injection.
        trust_input: bool = default("yes");
    }
}

/// A way to the server and one of its databases.
pub struct Server<'a> {
    login: &'a Login,
    database: String,
}

/// An error that the server or `psql` reported.
pub struct SqlError(pub String);

impl<'a> Server<'a> {
    /// `database` may be empty for the user's own.
    pub fn new(login: &'a Login, database: &str) -> Self {
        Self { login, database: database.to_owned() }
    }

    /// Parameters of libpq, without the password.
    fn parameters(&self) -> Vec<(String, String)> {
        let login = self.login;
        let host = if login.login_host.is_empty()
            || login.login_host == "localhost" && !login.login_unix_socket.is_empty()
        {
            &login.login_unix_socket
        } else {
            &login.login_host
        };
        let mut all = vec![
            ("host", host.clone()),
            ("port", login.login_port.to_string()),
            ("user", login.login_user.clone()),
            ("dbname", self.database.clone()),
            ("sslmode", login.ssl_mode.clone()),
            ("sslrootcert", login.ca_cert.clone().unwrap_or_default()),
            ("sslcert", login.ssl_cert.as_ref().map(|p| p.0.clone()).unwrap_or_default()),
            ("sslkey", login.ssl_key.as_ref().map(|p| p.0.clone()).unwrap_or_default()),
        ];
        all.retain(|(_, value)| !value.is_empty());
        let mut all: Vec<(String, String)> = all.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        for (key, value) in &login.connect_params {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            all.retain(|(k, _)| k != key);
            all.push((key.clone(), value));
        }
        all
    }

    /// A program of PostgreSQL with the password in its environment.
    pub fn program(&self, host: &Host, name: &str) -> Result<Process> {
        let Some(path) = find_program(host, name) else {
            return Err(fail!("{name} is needed on the host, and is not there (Debian: postgresql-client)"));
        };
        let process = Process::new(path).env("PGAPPNAME", "provision");
        let password = match self.login.connect_params.get("password").and_then(Value::as_str) {
            Some(password) => password,
            None => &self.login.login_password,
        };
        Ok(if password.is_empty() { process } else { process.env("PGPASSWORD", password) })
    }

    /// Run SQL; every line of the answer is a JSON value.
    pub fn query(&self, host: &Host, sql: &str) -> Result<Result<Vec<Value>, SqlError>> {
        let parameters: Vec<String> = self
            .parameters()
            .into_iter()
            .filter(|(key, _)| key != "password")
            .map(|(key, value)| format!("{key}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'")))
            .collect();
        let mut script = String::new();
        if let Some(role) = &self.login.session_role {
            script += &format!("SET SESSION ROLE {};\n", ident(role));
        }
        script += sql;
        let process = self
            .program(host, "psql")?
            .args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=default", "-d"])
            .arg(parameters.join(" "))
            .args(["-f", "-"])
            .env("PGCLIENTENCODING", "UTF8")
            .stdin(script);
        let output = process.run(host).map_err(|e| fail!("could not run psql: {e}"))?;
        if output.success() {
            let text = output.out();
            let rows =
                text.lines().filter(|l| !l.is_empty()).map(serde_json::from_str).collect::<Result<_, _>>();
            return Ok(Ok(rows.map_err(|e| fail!("could not read the answer of psql: {e}: {text}"))?));
        }
        let said = output.err();
        if let Some(rest) = said.strip_prefix("psql: error: ") {
            let rest = rest.replacen("could not connect to server: ", "", 1);
            return Err(fail!("unable to connect to database: {rest}"));
        }
        let said = said.lines().skip_while(|l| !l.contains("ERROR:  ")).collect::<Vec<_>>().join("\n");
        let text = said.split_once("ERROR:  ").map_or(said.as_str(), |(_, rest)| rest);
        // The first line of the script switches the role.
        if self.login.session_role.is_some() && said.contains("<stdin>:1: ERROR:") {
            return Err(fail!("Could not switch role: {text}\n"));
        }
        Ok(Err(SqlError(format!("{text}\n"))))
    }

    /// Options of `pg_dump` and the like that stand for the login.
    pub fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        for (key, value) in self.parameters() {
            match key.as_str() {
                "host" => options.push(format!("--host={value}")),
                "port" => options.push(format!("--port={value}")),
                "user" => options.push(format!("--username={value}")),
                _ => {}
            }
        }
        options
    }
}

impl From<SqlError> for ModuleError {
    fn from(error: SqlError) -> Self {
        ModuleError::new(format!("Database query failed: {}", error.0))
    }
}

/// Refuse values that look like an attack, when the task does not trust its input.
pub fn check_input(login: &Login, values: &[Option<&str>]) -> Result<()> {
    if login.trust_input {
        return Ok(());
    }
    let bad: Vec<&str> = values.iter().flatten().copied().filter(|v| is_dangerous(v)).collect();
    if bad.is_empty() {
        return Ok(());
    }
    Err(fail!("Passed input '{}' is potentially dangerous", bad.join(", ")))
}
